"""A rank edition from a bucket into searches, by a worker that shares no folder with the run."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import orjson

from core.object_store import open_bucket
from core.rank_bucket import LOCK, open_rank_store
from core.rank_editions import Slot
from core.settings import Settings
from demo import operations as demo
from tests.integration.indexer import worker_process
from tests.integration.indexer.command_line import disco
from tests.integration.indexer.oracle import open_index
from tests.integration.indexer.waiting import until
from tests.object_store import SECRET

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)


async def test_an_edition_is_published_from_a_bucket_and_rolled_back(
    fresh_settings: Settings, in_bucket: Settings, tmp_path: Path
) -> None:
    shared = ("rank_store", "object_store_url", "object_store_access_key", "object_store_secret")
    stored = dataclasses.replace(
        fresh_settings, **{name: getattr(in_bucket, name) for name in shared}
    )
    here = dataclasses.replace(stored, rank_cache=str(tmp_path / "here"))
    there = dataclasses.replace(stored, rank_cache=str(tmp_path / "there"))
    seen: list[str] = []

    async def ask(*arguments: str) -> dict[str, object]:
        done = await disco(here, "rank", *arguments, "--json")
        seen.extend((done.out, done.err))
        assert done.code == 0, done.err
        answer: dict[str, object] = orjson.loads(done.out)
        return answer

    async with open_index(here) as index:
        generations = index.services.generations
        for definition in index.services.definitions.values():
            await generations.promote(await generations.create(definition), before=None)
        await demo.load_generated(here, 200, until=UNTIL)
        async with worker_process.working(there, tmp_path):
            await disco(here, "verify", "--repair")

            async def is_complete() -> bool:
                return not (await index.verify(patience=0)).kinds()

            await until(is_complete, within=60, what="all is indexed")
            first = str((await ask("run"))["edition"])
            await ask("publish", first, "--override", "small catalogue")
            second = str((await ask("run"))["edition"])
            await ask("publish", second, "--override", "small catalogue")
            assert (await ask("rollback"))["dry_run"] is False
        # Documents have what the worker read through its own copies.
        store = open_rank_store(there)
        assert store.slots().edition(Slot.B) == first
        assert (Path(there.rank_cache) / first / "user.ranks.npy").exists()
        assert not (Path(there.rank_cache) / first / "graph.sources.npy").exists()
        table = store.open(first).table("user")
        answer = await index.services.engine.search(
            index=f"{here.index_prefix}-user", size=1_000, source_includes=["id", Slot.B.field]
        )
        sources = [hit["_source"] for hit in answer["hits"]["hits"]]
        held = {one["id"]: one.get(Slot.B.field, 0) for one in sources}
        assert held == dict(zip(table.ids.tolist(), table.ranks.tolist(), strict=True))
        assert any(held.values())
        assert (await index.verify(patience=0)).kinds() == set()
    assert open_bucket(here, here.rank_store).read(LOCK) is None
    shown = await disco(here, "doctor", "--settings")
    assert "DISCO_OBJECT_STORE_SECRET" in shown.out
    assert SECRET not in "".join([*seen, shown.out, shown.err])
