"""Rank editions from a real database into real searches: published, rolled back, killed."""

import asyncio
import dataclasses
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from core.rank_editions import RankStore, Slot
from core.settings import Settings
from indexer import rank_publication
from tests.integration.indexer import worker_process
from tests.integration.indexer.oracle import Index, open_index
from tests.integration.indexer.waiting import until
from tests.integration.ranker.ranked import (
    ask,
    build_index,
    closing,
    execute,
    live,
    load,
    publish_new,
    ranks_in,
    start,
    versions_of,
    wanted,
)


@pytest.fixture(scope="module")
def catalogue(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A catalogue without an index."""
    return asyncio.run(load(settings, tmp_path_factory.mktemp("ranks")))


@pytest.fixture
def indexed(fresh_settings: Settings, tmp_path: Path) -> Settings:
    """An indexed catalogue for one test alone: these change it for good."""

    async def load_and_index() -> Settings:
        own = await load(fresh_settings, tmp_path / "ranks")
        await build_index(own)
        return own

    return asyncio.run(load_and_index())


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


async def test_a_private_entity_is_no_node_and_what_it_does_does_not_count(
    catalogue: Settings,
) -> None:
    [[user]] = await execute(
        catalogue,
        "SELECT follower_id FROM follows JOIN users ON id = follower_id "
        "WHERE visibility = 'public' AND deleted_at IS NULL LIMIT 1",
    )
    before = (await ask(catalogue, "run", "--dry-run"))["manifest"]
    await execute(catalogue, "UPDATE users SET visibility = 'private' WHERE id = $1", user)
    after = (await ask(catalogue, "run", "--dry-run"))["manifest"]
    await execute(catalogue, "UPDATE users SET visibility = 'public' WHERE id = $1", user)
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


async def test_a_killed_publication_leaves_searches_as_they_were(
    indexed: Settings,
    index: Index,
    tmp_path: Path,
    processes: list[subprocess.Popen[bytes]],
) -> None:
    async with worker_process.working(indexed, tmp_path):
        await publish_new(indexed)
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
    indexed: Settings, index: Index, tmp_path: Path
) -> None:
    async with worker_process.working(indexed, tmp_path):
        await publish_new(indexed)
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
    catalogue: Settings, processes: list[subprocess.Popen[bytes]]
) -> None:
    store = RankStore(Path(catalogue.rank_store))
    before = list(store.names())
    connection = await asyncpg.connect(catalogue.database_url)
    async with closing(connection), connection.transaction():
        # Held up in the middle of its signals. It reads the primary: a replica would not wait.
        await connection.execute("LOCK TABLE group_sounds IN ACCESS EXCLUSIVE MODE")
        primary = dataclasses.replace(catalogue, replica_url=None)
        process = start(primary, "run")
        processes.append(process)

        async def waits() -> bool:
            # Asked from outside: a transaction sees the activity of its beginning.
            [[count]] = await execute(
                catalogue,
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                "AND application_name = 'disco rank' AND datname = current_database()",
            )
            return bool(count)

        await until(waits, within=30, what="the run waits for the lock")
        busy = await ask(catalogue, "run", code=1)
        assert "another run writes to" in busy["error"]
        process.kill()
        await asyncio.to_thread(process.wait)
    assert list(store.names()) == before
    report = await ask(catalogue, "run")
    assert store.names()[0] == report["edition"]
    assert not list(store.folder.glob(".partial*"))


async def test_a_database_that_is_away_or_refuses_is_told(
    catalogue: Settings, tmp_path: Path
) -> None:
    away = dataclasses.replace(
        catalogue, database_url="postgresql://postgres@127.0.0.1:1/none", replica_url=None
    )
    told = await ask(away, "run", code=3)
    assert "PostgreSQL does not answer" in told["error"]
    (tmp_path / "like.sql").write_text("SELECT user_id FROM nothing")
    (tmp_path / "signals.json").write_text('{"signals": [{"name": "like", "weight": 1}]}')
    told = await ask(catalogue, "run", "--signals", str(tmp_path), code=2)
    assert "PostgreSQL refuses like.sql" in told["error"]
    assert "nothing" in told["error"]
    (tmp_path / "like.sql").write_text(
        "SELECT 'user' AS source_type, 1 AS source_id, 'song' AS target_type, 2 AS target_id, "
        "1 AS count, now() AS last_at"
    )
    told = await ask(catalogue, "run", "--signals", str(tmp_path), code=2)
    assert "'song' is no entity type" in told["error"]
    (tmp_path / "like.sql").write_text(
        "SELECT 'user' AS source_type, 1 AS source_id, 'sound' AS target_type, 2 AS target_id, "
        "'NaN'::float8 AS count, now() AS last_at"
    )
    told = await ask(catalogue, "run", "--signals", str(tmp_path), code=2)
    assert "row 1: the count is nan" in told["error"]
