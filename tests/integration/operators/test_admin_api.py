"""`/v1/admin/`: what `disco index` does, over HTTP, for those with the key alone."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from access.operations import open_keys
from core.operation_log import Actor, Operation, Outcome
from core.settings import Settings
from indexer import operations
from indexer.generation import Generation, State
from query_api import admin_api
from query_api.problems import Problem
from tests.integration.indexer.altered_definitions import altered
from tests.integration.indexer.command_line import disco
from tests.integration.indexer.oracle import open_index
from tests.integration.indexer.waiting import until
from tests.integration.indexer.worker_process import working
from tests.integration.query_api.serving import served

READING = ("generations", "history", "builds", "gates/any", "ranks", "ranks/newest")
ACTING = (
    *("check", "reindex", "apply", "gates", "diff", "promote", "rollback", "retire"),
    *("builds/pause", "builds/resume", "builds/cancel"),
    *("ranks/diff", "ranks/publish", "ranks/rollback"),
)


@pytest.fixture(scope="module")
def indexed(settings: Settings) -> Settings:
    """The module's place, with a live index of each entity type."""

    async def build() -> None:
        async with open_index(settings) as index:
            generations = index.services.generations
            for definition in index.services.definitions.values():
                await generations.promote(await generations.create(definition), before=None)

    asyncio.run(build())
    return settings


@pytest.fixture(scope="module")
def keys(settings: Settings) -> dict[str, str]:
    """Keys by scope."""

    async def make() -> dict[str, str]:
        async with open_keys(settings, Actor(name="tests", via="cli")) as opened:
            scopes = ("admin", "search:read")
            return {scope: (await opened.create(f"of {scope}", [scope])).text for scope in scopes}

    return asyncio.run(make())


@pytest.fixture(scope="module")
def address(indexed: Settings) -> Iterator[str]:
    with served(dataclasses.replace(indexed, admin_api="on")) as at:
        yield at


@pytest.fixture
async def admin(address: str, keys: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the key."""
    headers = {"Authorization": f"Bearer {keys['admin']}"}
    async with httpx.AsyncClient(
        base_url=f"{address}/v1/admin", headers=headers, timeout=60
    ) as client:
        yield client


@pytest.fixture
async def two(indexed: Settings) -> AsyncIterator[tuple[Generation, Generation]]:
    """The live generation of sounds, and one that is ready; as it was afterwards."""
    async with open_index(indexed) as index:
        services = index.services
        live = await services.generations.live("sound")
        ready = await services.generations.create(services.definitions["sound"])
        ready = await services.generations.enter(ready, State.READY)
        yield live, ready
        if (now := await services.generations.live("sound")).index != live.index:
            await services.generations.promote(live, before=now)
        await services.generations.delete(ready)


def _done(response: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


def _refused(response: httpx.Response, status: int, code: str) -> Problem:
    problem = Problem.model_validate(response.json())
    assert (response.status_code, problem.code) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    return problem


async def _history(settings: Settings, limit: int = 10) -> list[Operation]:
    return await operations.history(settings, limit=limit)


def test_it_is_not_there_unless_it_is_switched_on(indexed: Settings, keys: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {keys['admin']}"}
    with served(indexed) as at, httpx.Client(base_url=at, headers=headers, timeout=20) as client:
        for path in READING:
            _refused(client.get(f"/v1/admin/{path}"), 404, "not_found")
        for path in ACTING:
            _refused(client.post(f"/v1/admin/{path}", json={}), 404, "not_found")
        assert not any("admin" in path for path in client.get("/openapi.json").json()["paths"])


@pytest.mark.parametrize(
    ("method", "path"),
    [*(("GET", path) for path in READING), *(("POST", path) for path in ACTING)],
)
def test_every_address_needs_the_key(
    address: str, keys: dict[str, str], method: str, path: str
) -> None:
    url = f"{address}/v1/admin/{path}"
    _refused(httpx.request(method, url), 401, "unauthorized")
    wrong = {"Authorization": "Bearer disco_000000000000_" + "A" * 43}
    _refused(httpx.request(method, url, headers=wrong), 401, "unauthorized")
    other = {"Authorization": f"Bearer {keys['search:read']}"}
    problem = _refused(httpx.request(method, url, headers=other), 403, "forbidden")
    assert problem.allowed == ["admin"]


async def test_promoted_and_rolled_back_as_by_command_and_recorded(
    admin: httpx.AsyncClient, indexed: Settings, two: tuple[Generation, Generation]
) -> None:
    live, ready = two
    before = len(await _history(indexed, 1_000))
    planned = _done(await admin.post("/promote", json={"index": ready.index, "dry_run": True}))
    by_command = await disco(indexed, "index", "promote", ready.index, "--dry-run", "--json")
    assert planned == orjson.loads(by_command.out)
    assert len(await _history(indexed, 1_000)) == before, "a dry run is no action"

    done = _done(await admin.post("/promote", json={"index": ready.index}))
    assert (done["changed"], done["after"]["index"]) == (True, ready.index)
    listed = _done(await admin.get("/generations"))["generations"]
    states = {one["index"]: one["state"] for one in listed if one["entity"] == "sound"}
    assert states == {live.index: "standby", ready.index: "live"}

    back = _done(await admin.post("/rollback", json={"entity": "sound"}))
    assert (back["before"]["index"], back["after"]["index"]) == (ready.index, live.index)

    newest = (await _history(indexed, 3))[:2]
    assert [(one.action, one.outcome, one.via) for one in newest] == [
        ("index.rollback", Outcome.DONE, "http"),
        ("index.promote", Outcome.DONE, "http"),
    ]
    assert all(one.actor.startswith("of admin (key ") for one in newest)
    shown = _done(await admin.get("/history", params={"subject": "sound", "limit": 1}))[
        "operations"
    ]
    assert [one["id"] for one in shown] == [newest[0].id]
    printed = await disco(indexed, "index", "history", "sound", "--limit", "1", "--json")
    assert [one["id"] for one in orjson.loads(printed.out)] == [newest[0].id]


async def test_a_change_is_applied_as_by_command_and_recorded(
    admin: httpx.AsyncClient, keys: dict[str, str], indexed: Settings
) -> None:
    body = {"entity": "set"}
    unchanged = _done(await admin.post("/apply", json=body))
    assert (unchanged["remedy"], unchanged["build"]) == ("nothing", None)
    slower = dataclasses.replace(indexed, admin_api="on", refresh_interval="7s")
    with served(slower) as at:
        headers = {"Authorization": f"Bearer {keys['admin']}"}
        async with httpx.AsyncClient(base_url=f"{at}/v1/admin", headers=headers) as slow:
            planned = _done(await slow.post("/apply", json={**body, "dry_run": True}))
            by_command = await disco(slower, "index", "apply", "set", "--dry-run", "--json")
            assert [planned] == by_command.lines()
            done = _done(await slow.post("/apply", json=body))
    assert done == {**planned, "dry_run": False}
    assert done["settings"] == {"refresh_interval": {"before": "1s", "after": "7s"}}
    back = _done(await admin.post("/apply", json=body))
    assert back["settings"] == {"refresh_interval": {"before": "7s", "after": "1s"}}
    newest = (await _history(indexed, 2))[0]
    assert (newest.action, newest.subject, newest.via) == ("index.apply", "set", "http")


async def test_an_index_is_retired(
    admin: httpx.AsyncClient, two: tuple[Generation, Generation]
) -> None:
    live, ready = two
    problem = _refused(await admin.post("/retire", json={"index": live.index}), 409, "refused")
    assert "is live" in problem.detail
    would = _done(await admin.post("/retire", json={"index": ready.index, "dry_run": True}))
    assert would["retired"]["index"] == ready.index
    _done(await admin.post("/retire", json={"index": ready.index}))
    listed = _done(await admin.get("/generations"))["generations"]
    assert ready.index not in {one["index"] for one in listed}


async def test_a_build_is_begun_followed_and_cancelled(
    admin: httpx.AsyncClient, indexed: Settings
) -> None:
    plan = _done(await admin.post("/reindex", json={"entity": "group", "dry_run": True}))
    assert (plan["plan"]["entity"], plan["plan"]["index"]) == ("group", None)
    by_command = await disco(
        indexed, "index", "reindex", "group", "--dry-run", "--no-promote", "--json"
    )
    assert [plan["plan"]] == orjson.loads(by_command.out)["plan"]
    begun = await admin.post("/reindex", json={"entity": "group"})
    index = _done(begun, 202)["build"]["index"]
    assert begun.headers["location"] == "/v1/admin/builds"
    builds = _done(await admin.get("/builds"))["builds"]
    [told] = [one for one in builds if one["index"] == index]
    assert (told["rate"], "no worker" in told["waits_for"]) == (0, True)
    again = _refused(await admin.post("/reindex", json={"entity": "group"}), 409, "refused")
    assert "group" in again.detail
    for action in ("pause", "resume", "cancel"):
        would = await admin.post(f"/builds/{action}", json={"entity": "group", "dry_run": True})
        assert _done(would)["plan"]["index"] == index
    paused = _done(await admin.post("/builds/pause", json={"entity": "group"}))
    assert paused["build"]["is_paused"] is True
    _done(await admin.post("/builds/cancel", json={"entity": "group"}))
    listed = _done(await admin.get("/generations"))["generations"]
    assert index not in {one["index"] for one in listed}
    log = await _history(indexed, 4)
    assert {(one.action, one.outcome) for one in log} == {
        ("index.reindex", Outcome.DONE),
        ("index.reindex", Outcome.REFUSED),
        ("index.pause", Outcome.DONE),
        ("index.cancel", Outcome.DONE),
    }
    [pause] = [one for one in log if one.action == "index.pause"]
    assert (pause.before or {})["paused"] is False
    assert (pause.after or {})["paused"] is True


async def _goes_live(admin: httpx.AsyncClient, index: str) -> None:
    async def look() -> bool:
        listed = _done(await admin.get("/generations"))["generations"]
        return index in {one["index"] for one in listed if one["live"]}

    await until(look, within=60, what=f"{index} is live")


async def test_what_is_built_is_seen_to_its_end_and_promoted(
    admin: httpx.AsyncClient, keys: dict[str, str], indexed: Settings, tmp_path: Path
) -> None:
    wetter = altered(
        tmp_path, "shared.analysis.json", '"remix, rmx",', '"remix, rmx", "rain, drizzle",'
    )
    changed = dataclasses.replace(indexed, admin_api="on", definitions=wetter)
    body = {"entity": "group", "promote": True}
    async with working(indexed, tmp_path):
        begun = await admin.post("/reindex", json=body)
        index = _done(begun, 202)["build"]["index"]
        await _goes_live(admin, index)
        headers = {"Authorization": f"Bearer {keys['admin']}"}
        with served(changed) as at:
            async with httpx.AsyncClient(base_url=f"{at}/v1/admin", headers=headers) as other:
                copied = _done(await other.post("/apply", json=body, timeout=60))
                assert copied["build"]["copied_from"] == index
                await _goes_live(admin, copied["build"]["index"])
    assert _done(await admin.get(f"/gates/{index}"))["holds"] is True
    log = [one for one in await _history(indexed, 10) if one.subject == "group"]
    seen_to = ["index.promote", "index.gates"]
    assert [one.action for one in log if one.action != "index.retire"][:6] == [
        *(*seen_to, "index.apply", *seen_to, "index.reindex"),
    ]
    assert all(one.actor.startswith("of admin (key ") for one in log[:6])


async def test_gates_that_take_long_go_on_and_are_told_later(
    admin: httpx.AsyncClient,
    two: tuple[Generation, Generation],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, ready = two
    dry = _done(await admin.post("/gates", json={"index": ready.index, "dry_run": True}))
    never = _done(await admin.get(f"/gates/{ready.index}"))
    assert never == {"index": ready.index, "holds": None}
    monkeypatch.setattr(admin_api, "_GATES_SECONDS", 0.0)
    begun = await admin.post("/gates", json={"index": ready.index})
    assert _done(begun, 202) == {"index": ready.index, "under_way": True}

    async def told() -> dict[str, Any] | None:
        found = _done(await admin.get(begun.headers["location"].removeprefix("/v1/admin")))
        return found if found["holds"] is not None else None

    found = await until(told, within=60, what="the gates have said what they say")
    assert found is not None
    assert found["holds"] is True, found
    assert [one["gate"] for one in dry["rulings"]] == [one["gate"] for one in found["rulings"]]
    _done(await admin.post("/promote", json={"index": ready.index}), 202)
    await _goes_live(admin, ready.index)


async def test_definitions_are_checked(admin: httpx.AsyncClient) -> None:
    answer = _done(await admin.post("/check", json={"entities": ["sound"]}))
    assert answer["holds"] is True
    assert [one["entity"] for one in answer["definitions"]] == ["sound"]


async def test_what_cannot_be_asked_is_a_clear_problem(admin: httpx.AsyncClient) -> None:
    for path, body, words in [
        ("promote", {"index": "disco-sound-x"}, "there is no index"),
        ("promote", {"index": 7}, "index"),
        ("promote", {}, "index"),
        ("promote", {"index": "x", "force": True}, "force"),
        ("promote", {"index": "x", "dry_run": "yes"}, "dry_run"),
        ("rollback", {"entity": "song"}, "no entity type song"),
        ("check", {"entities": ["song"]}, "song"),
        ("reindex", {"entity": "song"}, "no entity type song"),
    ]:
        problem = _refused(await admin.post(f"/{path}", json=body), 422, "invalid_value")
        assert words in problem.detail, problem
    for content, media_type, status, code in [
        (b"{", "application/json", 422, "invalid_value"),
        (b"x=1", "text/plain", 415, "unsupported_media_type"),
        (b" " * 70_000, "application/json", 413, "body_too_large"),
    ]:
        headers = {"Content-Type": media_type}
        _refused(await admin.post("/promote", content=content, headers=headers), status, code)
    _refused(await admin.post("/builds/hurry", json={"entity": "sound"}), 404, "not_found")
    _refused(await admin.get("/history", params={"limit": "many"}), 422, "invalid_value")


def test_pages_of_other_origins_are_kept_out(address: str) -> None:
    preflight = httpx.options(
        f"{address}/v1/admin/promote",
        headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"},
    )
    assert "access-control-allow-origin" not in preflight.headers


def test_the_openapi_document_has_every_address(address: str) -> None:
    document = httpx.get(f"{address}/openapi.json").json()
    described = {
        (method.upper(), path.removeprefix("/v1/admin/"))
        for path, methods in document["paths"].items()
        if path.startswith("/v1/admin/")
        for method in methods
    }
    reading = {path.replace("newest", "{edition}").replace("any", "{index}") for path in READING}
    acting = {path for path in ACTING if not path.startswith("builds/")} | {"builds/{action}"}
    assert described == {("GET", path) for path in reading} | {("POST", path) for path in acting}
