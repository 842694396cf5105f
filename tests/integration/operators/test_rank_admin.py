"""`/v1/admin/ranks`: what `disco rank` does, over HTTP, for those with the key."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from access.operations import open_keys
from core.operation_log import Actor, Operation, Outcome
from core.rank_editions import RankStore
from core.settings import Settings
from demo import operations as demo
from indexer import operations
from query_api.problems import Problem
from ranker import edition_operations as ranker
from tests.integration.indexer import worker_process
from tests.integration.indexer.command_line import disco
from tests.integration.indexer.oracle import Index, open_index
from tests.integration.indexer.waiting import until
from tests.integration.query_api.serving import served

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def indexed(settings: Settings) -> Settings:
    """The module's place: a generated catalogue, all of it indexed, and nothing published."""

    async def build() -> None:
        await demo.load_generated(settings, 400, until=UNTIL)
        async with open_index(settings) as index:
            await index.build()

    asyncio.run(build())
    return settings


@pytest.fixture(scope="module")
def key(settings: Settings) -> str:
    async def make() -> str:
        async with open_keys(settings, Actor(name="tests", via="cli")) as opened:
            return (await opened.create("of ranks", ["admin"])).text

    return asyncio.run(make())


@pytest.fixture
def ranked(indexed: Settings, tmp_path: Path) -> Settings:
    """The same, with a rank store and two unlike editions in it, for one test."""
    own = dataclasses.replace(indexed, rank_store=str(tmp_path / "ranks"), admin_api="on")

    async def quieten(visibility: str, where: str) -> None:
        connection = await asyncpg.connect(own.database_url)
        await connection.execute(f"UPDATE users SET visibility = '{visibility}' WHERE {where}")
        await connection.close()

    ranker.run(own, cold=True, deterministic=True)
    asyncio.run(quieten("private", "id % 2 = 0 AND visibility = 'public'"))
    ranker.run(own, cold=True, deterministic=True)
    asyncio.run(quieten("public", "id % 2 = 0 AND visibility = 'private'"))
    return own


@pytest.fixture
def editions(ranked: Settings) -> tuple[str, str]:
    """The older and the newer one. They differ by more than the gates let through."""
    newer, older = RankStore(Path(ranked.rank_store)).names()
    return older, newer


@pytest.fixture
def address(ranked: Settings) -> Iterator[str]:
    with served(ranked) as at:
        yield at


@asynccontextmanager
async def client_of(address: str, key: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=f"{address}/v1/admin", headers=headers, timeout=60
    ) as client:
        yield client


@pytest.fixture
async def admin(address: str, key: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(address, key) as client:
        yield client


@pytest.fixture
async def index(ranked: Settings) -> AsyncIterator[Index]:
    async with open_index(ranked) as opened:
        yield opened


def _done(response: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


def _refused(response: httpx.Response, status: int, code: str) -> Problem:
    problem = Problem.model_validate(response.json())
    assert (response.status_code, problem.code) == (status, code), response.text
    return problem


async def _command(settings: Settings, *arguments: str) -> Any:
    done = await disco(settings, "rank", *arguments, "--json")
    assert done.out, done.err
    return orjson.loads(done.out)


async def _ended(admin: httpx.AsyncClient, begun: httpx.Response) -> dict[str, Any]:
    """The operation of a publication, once it is over."""

    async def look() -> dict[str, Any] | None:
        path = begun.headers["location"].removeprefix("/v1/admin")
        operation: dict[str, Any] = _done(await admin.get(path))["operations"][0]
        return None if operation["outcome"] == Outcome.RUNNING else operation

    found = await until(look, within=60, what="the publication is over")
    assert found is not None
    return found


async def _last(settings: Settings) -> Operation:
    return (await operations.history(settings, area="rank", limit=1))[0]


async def test_what_can_be_looked_at_is_what_the_commands_show(
    admin: httpx.AsyncClient, ranked: Settings, editions: tuple[str, str]
) -> None:
    older, newer = editions
    listed = _done(await admin.get("/ranks"))
    assert [one["edition"] for one in listed["editions"]] == [newer, older]
    assert listed["editions"] == (await _command(ranked, "list"))["editions"]
    assert (listed["slots"], listed["live"]) == ({"a": None, "b": None}, None)

    shown = _done(await admin.get(f"/ranks/{older}", params={"type": "sound", "top": 3}))
    by_command = await _command(ranked, "show", older, "--type", "sound", "--top", "3")
    assert len(shown["entities"]) == 3
    assert shown["entities"] == by_command["entities"]
    assert all(one["title"] for one in shown["entities"])
    newest = _done(await admin.get("/ranks/newest"))
    assert (newest["edition"], len(newest["entities"])) == (newer, 20)

    drift = _done(await admin.post("/ranks/diff", json={"former": older, "later": newer}))
    assert drift.pop("holds") is False
    assert drift == await _command(ranked, "diff", older, newer)
    same = _done(await admin.post("/ranks/diff", json={"former": older, "later": older}))
    assert same["holds"] is True


async def test_published_and_rolled_back_and_recorded(
    admin: httpx.AsyncClient,
    ranked: Settings,
    editions: tuple[str, str],
    index: Index,
    tmp_path: Path,
) -> None:
    older, newer = editions
    before = len(await operations.history(ranked, area="rank", limit=1_000))
    planned = _done(await admin.post("/ranks/publish", json={"edition": older, "dry_run": True}))
    by_command = await _command(ranked, "publish", older, "--dry-run")
    assert planned["changed"] == by_command["changed"]
    assert sum(planned["changed"].values()) > 0
    assert len(await operations.history(ranked, area="rank", limit=1_000)) == before

    async with worker_process.working(ranked, tmp_path):
        begun = await admin.post("/ranks/publish", json={"edition": older})
        assert _done(begun, 202)["changed"] == planned["changed"]
        done = await _ended(admin, begun)
        assert (done["outcome"], done["subject"], done["via"]) == ("done", older, "http")
        assert done["actor"].startswith("of ranks (key ")
        assert done["progress"] == {"stage": "live", "left": 0}
        assert _done(await admin.get("/ranks"))["live"] == older

        refused = _refused(await admin.post("/ranks/publish", json={}), 409, "refused")
        assert "differs too much" in refused.detail
        assert (await _last(ranked)).outcome is Outcome.REFUSED
        body = {"edition": newer, "override": "half of them went private"}
        done = await _ended(admin, await admin.post("/ranks/publish", json=body))
        assert (done["outcome"], done["override_reason"]) == ("done", body["override"])
        assert _done(await admin.get("/ranks"))["live"] == newer
    assert (await operations.rank_state(index.services)).live_edition == newer

    planned = _done(await admin.post("/ranks/rollback", json={"dry_run": True}))
    assert planned == await _command(ranked, "rollback", "--dry-run")
    assert _done(await admin.get("/ranks"))["live"] == newer
    back = _done(await admin.post("/ranks/rollback", json={}))
    assert (back["before"], back["after"]) == (planned["before"], planned["after"])
    assert _done(await admin.get("/ranks"))["live"] == older
    last = await _last(ranked)
    assert (last.action, last.outcome, last.via) == ("rank.rollback", Outcome.DONE, "http")
    printed = await _command(ranked, "history", "--limit", "2")
    assert [one["action"] for one in printed] == ["rank.rollback", "rank.publish"]
    shown = _done(await admin.get("/history", params={"area": "rank", "limit": 2}))
    assert [one["id"] for one in shown["operations"]] == [one["id"] for one in printed]


async def test_cut_short_it_changes_nothing_and_is_no_edition_to_go_back_to(
    ranked: Settings, editions: tuple[str, str], index: Index, key: str, tmp_path: Path
) -> None:
    edition = editions[0]
    before = await operations.rank_state(index.services)
    with served(ranked) as address:  # and no worker: documents wait for their ranks
        async with client_of(address, key) as admin:
            _done(await admin.post("/ranks/publish", json={"edition": edition}), 202)

            # Somebody else meanwhile.
            for path, body in (("publish", {"edition": editions[1]}), ("rollback", {})):
                at_once = await admin.post(f"/ranks/{path}", json=body)
                assert "at this moment" in _refused(at_once, 409, "refused").detail
    history = await operations.history(ranked, area="rank", subject=edition)
    last = next(one for one in history if one.action == "rank.publish")
    assert (last.outcome, last.error) == (Outcome.FAILED, "interrupted")
    assert (await operations.rank_state(index.services)).live == before.live

    with served(ranked) as address:
        async with client_of(address, key) as admin:
            half = _refused(await admin.post("/ranks/rollback", json={}), 409, "refused")
            assert f"disco rank publish {edition}" in half.detail
            anyway = {"override": "to see whether it can", "dry_run": True}
            assert _done(await admin.post("/ranks/rollback", json=anyway))["dry_run"] is True
            async with worker_process.working(ranked, tmp_path):
                again = await admin.post("/ranks/publish", json={"edition": edition})
                assert (await _ended(admin, again))["outcome"] == "done"
            assert _done(await admin.get("/ranks"))["live"] == edition


async def test_what_cannot_be_asked_is_a_clear_problem(
    admin: httpx.AsyncClient, editions: tuple[str, str]
) -> None:
    for path, body, words in [
        ("publish", {"edition": "yesterday"}, "no edition 'yesterday'"),
        ("publish", {"edition": 7}, "edition"),
        ("publish", {"override": ""}, "override"),
        ("publish", {"force": True}, "force"),
        ("diff", {"former": editions[0]}, "later"),
        ("diff", {"former": editions[0], "later": "../.."}, "no edition"),
        ("rollback", {"edition": editions[0]}, "edition"),
    ]:
        problem = _refused(await admin.post(f"/ranks/{path}", json=body), 422, "invalid_value")
        assert words in problem.detail, problem
    for path, params, words in [
        ("ranks/yesterday", {}, "no edition"),
        ("ranks/newest", {"top": "0"}, "top"),
        ("ranks/newest", {"type": "song"}, "no type 'song'"),
        ("history", {"area": "keys"}, "area"),
    ]:
        found = await admin.get(f"/{path}", params=params)
        assert words in _refused(found, 422, "invalid_value").detail
    _refused(await admin.post("/ranks/rollback", json={}), 409, "refused")
