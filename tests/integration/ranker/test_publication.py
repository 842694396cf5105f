"""Rank editions from a real database into real searches: published, rolled back, killed."""

import asyncio
import dataclasses
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from core.rank_editions import RankStore, Slot
from core.settings import Settings
from demo import operations as demo
from indexer import rank_alias, rank_publication
from indexer.builds import Range, Tally
from indexer.bulk_lines import ranked_bulk_lines
from indexer.bulk_loader import Loader
from indexer.bulk_pace import Pace
from indexer.hydrator import documents_by_range
from indexer.names import generation_pattern
from indexer.parity import compare_range
from indexer.scan import scan_range
from indexer.splice import rows_of
from stack.programs import _environment
from tests.integration.indexer import worker_process
from tests.integration.indexer.command_line import disco
from tests.integration.indexer.oracle import Index, open_index
from tests.integration.indexer.waiting import until
from tests.integration.indexer.worker_process import DISCO
from tests.integration.query_api.serving import served

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
SIGNALS = {
    "follow": "follows", "like": "likes", "repost": "reposts", "play": "plays",
    "add_to_set": "set_sounds", "join": "group_members", "post_to_group": "group_sounds",
}  # fmt: skip


@pytest.fixture(scope="module")
def indexed(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A generated catalogue, all of it indexed, and a store of the module's own."""
    own = dataclasses.replace(settings, rank_store=str(tmp_path_factory.mktemp("ranks")))

    async def build() -> None:
        async with open_index(own) as index:
            generations = index.services.generations
            for definition in index.services.definitions.values():
                await generations.promote(await generations.create(definition), before=None)
            await demo.load_generated(own, 600, until=UNTIL)
            async with worker_process.working(own, tmp_path_factory.mktemp("worker")):
                await disco(own, "verify", "--repair")

                async def is_complete() -> bool:
                    return not (await index.verify(patience=0)).kinds()

                await until(is_complete, within=60, what="all is indexed")

    asyncio.run(build())
    return own


@pytest.fixture
async def index(indexed: Settings) -> AsyncIterator[Index]:
    async with open_index(indexed) as made:
        yield made


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Those that are to be ended in any case."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


async def ask(settings: Settings, *arguments: str, code: int = 0) -> dict[str, Any]:
    """What `disco rank` prints."""
    done = await disco(settings, "rank", *arguments, "--json")
    assert done.code == code, done.err
    answer: dict[str, Any] = orjson.loads(done.out) if done.out else {"error": done.err}
    return answer


async def execute(settings: Settings, sql: str, *arguments: Any) -> Any:
    connection = await asyncpg.connect(settings.database_url)
    try:
        return await connection.fetch(sql, *arguments)
    finally:
        await connection.close()


@asynccontextmanager
async def closing(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Closes it, whatever happens."""
    try:
        yield
    finally:
        await connection.close()


async def live(index: Index) -> set[Slot]:
    pattern = generation_pattern(index.services.settings.index_prefix)
    return set((await rank_alias.live_slots(index.services.engine, pattern)).values())


async def ranks_in(index: Index, kind: str, slot: Slot) -> dict[int, int]:
    """The rank of every document of a type, as the engine holds it."""
    alias = f"{index.services.settings.index_prefix}-{kind}"
    await index.services.engine.indices.refresh(index=alias)
    answer = await index.services.engine.search(
        index=alias, size=10_000, source_includes=["id", slot.field]
    )
    found = (hit["_source"] for hit in answer["hits"]["hits"])
    return {one["id"]: one.get(slot.field, 0) for one in found}


async def versions_of(index: Index, kind: str) -> dict[int, int]:
    """The version of every document of a type."""
    answer = await index.services.engine.search(
        index=f"{index.services.settings.index_prefix}-{kind}",
        size=10_000,
        version=True,
        source=False,
    )
    return {int(hit["_id"]): hit["_version"] for hit in answer["hits"]["hits"]}


def start(settings: Settings, *arguments: str) -> subprocess.Popen[bytes]:
    """`disco rank` as a process that can be killed."""
    return subprocess.Popen(
        [str(DISCO), "rank", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_environment(settings),
    )


def wanted(settings: Settings, edition: str, kind: str) -> dict[int, int]:
    table = RankStore(Path(settings.rank_store)).open(edition).table(kind)
    return dict(zip(table.ids.tolist(), table.ranks.tolist(), strict=True))


async def test_a_run_takes_every_act_of_the_database_into_account(indexed: Settings) -> None:
    report = await ask(indexed, "run", "--cold")
    manifest = report["manifest"]
    found = {one["name"]: one for one in manifest["signals"]}
    for name, table in SIGNALS.items():
        [[rows]] = await execute(indexed, f"SELECT count(*) FROM {table}")
        assert found[name]["rows"] == rows > 0, name
    assert found["comment"]["rows"] > 0
    for one in found.values():
        left = sum(one[why] for why in ("unknown", "own", "capped", "unregarded"))
        assert one["used"] + left == one["rows"]
    async with open_index(indexed) as index:
        for kind, count in manifest["entities"].items():
            assert len(await ranks_in(index, kind, Slot.A)) == count
    assert sum(manifest["mass"].values()) == pytest.approx(1.0)
    assert set(manifest["seconds"]) == {"entities", "signals", "graph", "prior", "solve"}


async def test_a_private_entity_is_no_node_and_what_it_does_does_not_count(
    indexed: Settings,
) -> None:
    [[user]] = await execute(
        indexed,
        "SELECT follower_id FROM follows JOIN users ON id = follower_id "
        "WHERE visibility = 'public' AND deleted_at IS NULL LIMIT 1",
    )
    before = (await ask(indexed, "run", "--dry-run"))["manifest"]
    await execute(indexed, "UPDATE users SET visibility = 'private' WHERE id = $1", user)
    after = (await ask(indexed, "run", "--dry-run"))["manifest"]
    await execute(indexed, "UPDATE users SET visibility = 'public' WHERE id = $1", user)
    assert after["entities"]["user"] == before["entities"]["user"] - 1
    assert after["signals"][0]["unknown"] > before["signals"][0]["unknown"]


async def test_published_rolled_back_and_published_again(
    indexed: Settings, index: Index, tmp_path: Path
) -> None:
    first = (await ask(indexed, "run"))["edition"]
    planned = await ask(indexed, "publish", first, "--dry-run", "--override", "small catalogue")
    async with worker_process.working(indexed, tmp_path):
        done = await ask(indexed, "publish", first, "--override", "small catalogue")
        assert done["changed"] == planned["changed"]
        assert done["changed"] == {
            kind: sum(rank > 0 for rank in wanted(indexed, first, kind).values())
            for kind in done["documents"]
        }
        assert await live(index) == {Slot.B}
        for kind in done["documents"]:
            assert await ranks_in(index, kind, Slot.B) == wanted(indexed, first, kind)

        # Everybody follows somebody whom nobody knew.
        [[newcomer]] = await execute(
            indexed,
            "SELECT u.id FROM users u WHERE visibility = 'public' AND deleted_at IS NULL "
            "AND NOT EXISTS (SELECT FROM follows WHERE followee_id = u.id) ORDER BY id LIMIT 1",
        )
        await execute(
            indexed,
            "INSERT INTO follows SELECT id, $1 FROM users WHERE id <> $1 ON CONFLICT DO NOTHING",
            newcomer,
        )
        second = (await ask(indexed, "run"))["edition"]
        versions = await versions_of(index, "sound")
        done = await ask(indexed, "publish", second, "--override", "small catalogue")
        for kind in done["documents"]:
            assert await ranks_in(index, kind, Slot.A) == wanted(indexed, second, kind)
            assert await ranks_in(index, kind, Slot.B) == wanted(indexed, first, kind)
        assert await live(index) == {Slot.A}
        # The slot was empty: what is above 0 was written, and no document else.
        changed = {one for one, rank in wanted(indexed, second, "sound").items() if rank}
        after = await versions_of(index, "sound")
        assert {one for one in after if after[one] != versions[one]} == changed
        assert done["changed"]["sound"] == len(changed)
        assert wanted(indexed, second, "user")[newcomer] > wanted(indexed, first, "user")[newcomer]

        rolled = await ask(indexed, "rollback")
        assert (rolled["before"]["live"], rolled["after"]["live"]) == ("a", "b")
        assert await live(index) == {Slot.B}
        assert await versions_of(index, "sound") == after  # nothing was indexed for it

        # A third takes the place of the second: only what differs from it is written.
        third = (await ask(indexed, "run"))["edition"]
        done = await ask(indexed, "publish", third, "--override", "small catalogue")
        differing = {
            kind: sum(
                rank != wanted(indexed, second, kind).get(one, 0)
                for one, rank in wanted(indexed, third, kind).items()
            )
            for kind in done["documents"]
        }
        assert done["changed"] == differing
        assert await live(index) == {Slot.A}
    assert (await index.verify(patience=0)).kinds() == set()


async def test_a_document_with_an_outdated_rank_is_found_and_mended(
    indexed: Settings, index: Index, tmp_path: Path
) -> None:
    edition = (await ask(indexed, "run"))["edition"]
    state = await rank_publication.state(index.services)
    assert state.live is not None
    before = await index.verify(patience=0)
    assert before.kinds() == set()
    index.services.ranks.store.record(state.slots.with_edition(state.live.other, edition))
    kinds = {kind for _, _, kind in (await index.verify(patience=0)).kinds()}
    former = state.live.other
    stale = {
        one
        for one, rank in wanted(indexed, edition, "user").items()
        if rank != (await ranks_in(index, "user", former)).get(one, 0)
    }
    assert stale
    assert kinds == {"stale"}
    async with worker_process.working(indexed, tmp_path):
        done = await disco(indexed, "verify", "--repair")
        assert done.code == 1

        async def is_right() -> bool:
            return not (await index.verify(patience=0)).kinds()

        await until(is_right, within=30, what="all documents have their ranks")
    held = await ranks_in(index, "user", former)
    assert {one: held[one] for one in stale} == {
        one: wanted(indexed, edition, "user")[one] for one in stale
    }


async def test_a_live_change_keeps_its_rank_and_what_is_new_has_none(
    indexed: Settings, index: Index, tmp_path: Path
) -> None:
    state = await rank_publication.state(index.services)
    assert state.live is not None
    held = await ranks_in(index, "user", state.live)
    loved = max(held, key=lambda one: held[one])
    async with worker_process.working(indexed, tmp_path):
        await execute(indexed, "UPDATE users SET display_name = 'Renamed' WHERE id = $1", loved)
        await disco(indexed, "verify", "user", "--repair")

        async def is_renamed() -> bool:
            document = await index.stored("user", loved)
            return bool(document and document["title"] == "Renamed")

        await until(is_renamed, within=20, what="the document is renamed")
    assert (await ranks_in(index, "user", state.live))[loved] == held[loved] > 0


async def test_a_new_generation_reads_the_live_slot(indexed: Settings, index: Index) -> None:
    [slot] = await live(index)
    await rank_publication.roll_back(index.services)
    made = await index.services.generations.create(index.services.definitions["set"])
    assert await live(index) == {slot.other}
    await rank_publication.roll_back(index.services)
    assert await live(index) == {slot}
    await index.services.generations.delete(made)


async def test_a_scan_writes_what_hydration_gives(indexed: Settings, index: Index) -> None:
    services = index.services
    for kind, definition in services.definitions.items():
        pool = services.databases.primary
        records = await pool.fetch(documents_by_range(definition), 0, 2**40)
        rows = dict(rows_of(definition, records, services.ranks))
        window = services.ranks.window(definition, 0, 2**40)
        assert len(window[0]) > 0
        lines = await pool.fetch(ranked_bulk_lines(definition), 0, 2**40, *window)
        scanned = {
            (kind, int(orjson.loads(action)["index"]["_id"])): document.encode()
            for action, document in lines
        }
        assert scanned == {key: row.document for key, row in rows.items()}


async def test_a_new_index_needs_no_mending_for_its_ranks(indexed: Settings, index: Index) -> None:
    [slot] = await live(index)
    before = await ranks_in(index, "user", slot)
    generation = await index.services.generations.create(index.services.definitions["user"])
    loader = Loader(index.services.engine, Pace())
    _, pool = await index.services.fence.wait()
    ids = Range(start=0, end=2**40, rows=600)
    await scan_range(pool, generation, ids, loader, index.services.ranks)
    await index.services.generations.refresh(generation)
    assert await compare_range(index.services, generation, ids) == Tally(differences=0)
    answer = await index.services.engine.search(
        index=generation.index, size=10_000, source_includes=["id", slot.field]
    )
    found = (hit["_source"] for hit in answer["hits"]["hits"])
    assert {one["id"]: one.get(slot.field, 0) for one in found} == before
    await index.services.generations.delete(generation)


async def test_what_is_loved_comes_first_among_what_matches_alike(
    indexed: Settings, index: Index, tmp_path: Path
) -> None:
    state = await rank_publication.state(index.services)
    assert state.live is not None
    held = await ranks_in(index, "user", state.live)
    other = await ranks_in(index, "user", state.live.other)
    by_rank = sorted(held, key=lambda one: (held[one], one))
    twins = [by_rank[0], by_rank[-1]]
    assert other[twins[0]] < other[twins[1]]
    async with worker_process.working(indexed, tmp_path):
        await execute(
            indexed,
            "UPDATE users SET display_name = 'Twin Quux', city = null, full_name = null, "
            "description = null, username = 'twin-' || id WHERE id = ANY($1::bigint[])",
            twins,
        )
        await disco(indexed, "verify", "user", "--repair")

        async def both() -> bool:
            documents = [await index.stored("user", one) for one in twins]
            return all(one and one["title"] == "Twin Quux" for one in documents)

        await until(both, within=20, what="both are renamed")
        await index.services.engine.indices.refresh(index=f"{indexed.index_prefix}-user")
    with served(indexed) as address:
        async with httpx.AsyncClient(base_url=address, timeout=20) as client:
            answer = (await client.get("/v1/search?q=twin+quux&type=user")).json()
    hits = answer["hits"]
    assert [int(hit["id"]) for hit in hits] == [twins[1], twins[0]]
    rank = held[twins[1]]
    assert hits[0]["score"] / hits[1]["score"] == pytest.approx(1 + rank / (rank + 16), rel=0.05)


async def test_a_killed_publication_leaves_searches_as_they_were(
    indexed: Settings,
    index: Index,
    tmp_path: Path,
    processes: list[subprocess.Popen[bytes]],
) -> None:
    before = await rank_publication.state(index.services)
    assert before.live is not None
    await execute(indexed, "DELETE FROM follows")
    edition = (await ask(indexed, "run"))["edition"]
    # Without a worker it waits for its documents.
    process = start(indexed, "publish", edition, "--override", "a test")
    processes.append(process)

    async def has_begun() -> bool:
        return index.services.ranks.store.slots().slot_of(edition) is not None

    await until(has_begun, within=30, what="the slot is recorded")
    process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(process.wait)
    after = await rank_publication.state(index.services)
    assert (after.live, after.live_edition) == (before.live, before.live_edition)
    assert await live(index) == {before.live}
    async with worker_process.working(indexed, tmp_path):
        await ask(indexed, "publish", edition, "--override", "a test")
    assert (await rank_publication.state(index.services)).live_edition == edition
    assert (await index.verify(patience=0)).kinds() == set()


async def test_a_failed_gate_and_a_damaged_edition_leave_the_live_one(
    indexed: Settings, index: Index
) -> None:
    before = await rank_publication.state(index.services)
    await execute(indexed, "DELETE FROM plays")
    await execute(indexed, "DELETE FROM set_sounds")
    await execute(indexed, "DELETE FROM likes")
    edition = (await ask(indexed, "run"))["edition"]
    refused = await ask(indexed, "publish", edition, code=1)
    assert "differs too much from the live one" in refused["error"]
    file = Path(indexed.rank_store) / edition / "user.ranks.npy"
    file.write_bytes(file.read_bytes()[:-1])
    refused = await ask(indexed, "publish", edition, "--override", "a test", code=2)
    assert "user.ranks.npy is damaged or was altered" in refused["error"]
    assert await rank_publication.state(index.services) == before
    rows = await execute(
        indexed, "SELECT outcome FROM disco.operations WHERE subject = $1 ORDER BY id", edition
    )
    assert [row["outcome"] for row in rows] == ["refused"]


async def test_a_killed_run_leaves_no_edition(
    indexed: Settings, processes: list[subprocess.Popen[bytes]]
) -> None:
    store = RankStore(Path(indexed.rank_store))
    before = list(store.names())
    connection = await asyncpg.connect(indexed.database_url)
    async with closing(connection), connection.transaction():
        # Held up in the middle of its signals. It reads the primary: a replica would not wait.
        await connection.execute("LOCK TABLE group_sounds IN ACCESS EXCLUSIVE MODE")
        primary = dataclasses.replace(indexed, replica_url=None)
        process = start(primary, "run")
        processes.append(process)

        async def waits() -> bool:
            # Asked from outside: a transaction sees the activity of its beginning.
            [[count]] = await execute(
                indexed,
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                "AND application_name = 'disco rank' AND datname = current_database()",
            )
            return bool(count)

        await until(waits, within=30, what="the run waits for the lock")
        busy = await ask(indexed, "run", code=1)
        assert "another run writes to" in busy["error"]
        process.kill()
        await asyncio.to_thread(process.wait)
    assert list(store.names()) == before
    report = await ask(indexed, "run")
    assert store.names()[0] == report["edition"]
    assert not list(store.folder.glob(".partial*"))


async def test_a_database_that_is_away_or_refuses_is_told(
    indexed: Settings, tmp_path: Path
) -> None:
    away = dataclasses.replace(
        indexed, database_url="postgresql://postgres@127.0.0.1:1/none", replica_url=None
    )
    told = await ask(away, "run", code=3)
    assert "PostgreSQL does not answer" in told["error"]
    (tmp_path / "like.sql").write_text("SELECT user_id FROM nothing")
    (tmp_path / "signals.json").write_text('{"signals": [{"name": "like", "weight": 1}]}')
    told = await ask(indexed, "run", "--signals", str(tmp_path), code=2)
    assert "PostgreSQL refuses like.sql" in told["error"]
    assert "nothing" in told["error"]
    (tmp_path / "like.sql").write_text(
        "SELECT 'user' AS source_type, 1 AS source_id, 'song' AS target_type, 2 AS target_id, "
        "1 AS count, now() AS last_at"
    )
    told = await ask(indexed, "run", "--signals", str(tmp_path), code=2)
    assert "'song' is no entity type" in told["error"]
    (tmp_path / "like.sql").write_text(
        "SELECT 'user' AS source_type, 1 AS source_id, 'sound' AS target_type, 2 AS target_id, "
        "'NaN'::float8 AS count, now() AS last_at"
    )
    told = await ask(indexed, "run", "--signals", str(tmp_path), code=2)
    assert "row 1: the count is nan" in told["error"]
