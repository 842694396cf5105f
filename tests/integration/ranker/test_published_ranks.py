"""What published ranks do to documents, to new generations and to searches."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
import pytest

from core.rank_editions import Slot
from core.settings import Settings
from indexer import rank_publication
from indexer.builds import Range, Tally
from indexer.bulk_lines import ranked_bulk_lines
from indexer.bulk_loader import Loader
from indexer.bulk_pace import Pace
from indexer.hydrator import documents_by_range
from indexer.parity import compare_range
from indexer.scan import scan_range
from indexer.splice import rows_of
from tests.integration.indexer import worker_process
from tests.integration.indexer.command_line import disco
from tests.integration.indexer.oracle import Index, open_index
from tests.integration.query_api.serving import served
from tests.integration.ranker.ranked import (
    agrees,
    ask,
    build_index,
    execute,
    live,
    load,
    publish_new,
    ranks_in,
    wanted,
)

SIGNALS = {
    "follow": "follows", "like": "likes", "repost": "reposts", "play": "plays",
    "add_to_set": "set_sounds", "join": "group_members", "post_to_group": "group_sounds",
}  # fmt: skip


@pytest.fixture(scope="module")
def published(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An indexed catalogue with an edition in either slot; each test leaves it in order."""

    async def publish_two() -> Settings:
        own = await load(settings, tmp_path_factory.mktemp("ranks"))
        await build_index(own)
        async with worker_process.working(own, tmp_path_factory.mktemp("worker")):
            await publish_new(own)
            await execute(own, "DELETE FROM follows WHERE follower_id % 3 = 0")
            await publish_new(own)
        return own

    return asyncio.run(publish_two())


@pytest.fixture
async def index(published: Settings) -> AsyncIterator[Index]:
    async with open_index(published) as made:
        yield made


async def test_a_run_takes_every_act_of_the_database_into_account(
    published: Settings, index: Index
) -> None:
    report = await ask(published, "run", "--cold")
    manifest = report["manifest"]
    found = {one["name"]: one for one in manifest["signals"]}
    for name, table in SIGNALS.items():
        [[rows]] = await execute(published, f"SELECT count(*) FROM {table}")
        assert found[name]["rows"] == rows > 0, name
    assert found["comment"]["rows"] > 0
    for one in found.values():
        left = sum(one[why] for why in ("unknown", "own", "capped", "unregarded"))
        assert one["used"] + left == one["rows"]
    for kind, count in manifest["entities"].items():
        assert len(await ranks_in(index, kind, Slot.A)) == count
    assert sum(manifest["mass"].values()) == pytest.approx(1.0)
    assert set(manifest["seconds"]) == {"entities", "signals", "graph", "prior", "solve"}


async def test_a_document_with_an_outdated_rank_is_found_and_mended(
    published: Settings, index: Index, tmp_path: Path
) -> None:
    edition = (await ask(published, "run"))["edition"]
    state = await rank_publication.state(index.services)
    assert state.live is not None
    before = await index.verify(patience=0)
    assert before.kinds() == set()
    index.services.ranks.store.record(state.slots.with_edition(state.live.other, edition))
    kinds = {kind for _, _, kind in (await index.verify(patience=0)).kinds()}
    former = state.live.other
    stale = {
        one
        for one, rank in wanted(published, edition, "user").items()
        if rank != (await ranks_in(index, "user", former)).get(one, 0)
    }
    assert stale
    assert kinds == {"stale"}
    async with worker_process.working(published, tmp_path):
        done = await disco(published, "verify", "--repair")
        assert done.code == 1

        await agrees(index)
    held = await ranks_in(index, "user", former)
    assert {one: held[one] for one in stale} == {
        one: wanted(published, edition, "user")[one] for one in stale
    }


async def test_a_live_change_keeps_its_rank_and_what_is_new_has_none(
    published: Settings, index: Index, tmp_path: Path
) -> None:
    state = await rank_publication.state(index.services)
    assert state.live is not None
    held = await ranks_in(index, "user", state.live)
    loved = max(held, key=lambda one: held[one])
    async with worker_process.working(published, tmp_path):
        await execute(published, "UPDATE users SET display_name = 'Renamed' WHERE id = $1", loved)
        await disco(published, "verify", "--repair")

        await agrees(index)
    document = await index.stored("user", loved)
    assert document is not None
    assert document["title"] == "Renamed"
    assert (await ranks_in(index, "user", state.live))[loved] == held[loved] > 0


async def test_a_new_generation_reads_the_live_slot(published: Settings, index: Index) -> None:
    [slot] = await live(index)
    await rank_publication.roll_back(index.services)
    made = await index.services.generations.create(index.services.definitions["set"])
    assert await live(index) == {slot.other}
    await rank_publication.roll_back(index.services)
    assert await live(index) == {slot}
    await index.services.generations.delete(made)


async def test_a_scan_writes_what_hydration_gives(published: Settings, index: Index) -> None:
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


async def test_a_new_index_needs_no_mending_for_its_ranks(
    published: Settings, index: Index
) -> None:
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
    published: Settings, index: Index, tmp_path: Path
) -> None:
    state = await rank_publication.state(index.services)
    assert state.live is not None
    held = await ranks_in(index, "user", state.live)
    other = await ranks_in(index, "user", state.live.other)
    by_rank = sorted(held, key=lambda one: (held[one], one))
    twins = [by_rank[0], by_rank[-1]]
    assert other[twins[0]] < other[twins[1]]
    async with worker_process.working(published, tmp_path):
        await execute(
            published,
            "UPDATE users SET display_name = 'Twin Quux', city = null, full_name = null, "
            "description = null, username = 'twin-' || id WHERE id = ANY($1::bigint[])",
            twins,
        )
        await disco(published, "verify", "--repair")

        await agrees(index)
        await index.services.engine.indices.refresh(index=f"{published.index_prefix}-user")
    with served(published) as address:
        async with httpx.AsyncClient(base_url=address, timeout=20) as client:
            answer = (await client.get("/v1/search?q=twin+quux&type=user")).json()
    hits = answer["hits"]
    assert [int(hit["id"]) for hit in hits] == [twins[1], twins[0]]
    rank = held[twins[1]]
    assert hits[0]["score"] / hits[1]["score"] == pytest.approx(1 + rank / (rank + 16), rel=0.05)
