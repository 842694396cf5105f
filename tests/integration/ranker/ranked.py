"""A catalogue that is indexed and has ranks of its own, and what can be asked of it."""

import dataclasses
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from core.rank_editions import RankStore, Slot
from core.settings import Settings
from demo import operations as demo
from indexer import rank_alias
from indexer.names import generation_pattern
from stack.programs import _environment
from tests.integration.indexer.command_line import disco
from tests.integration.indexer.oracle import Index, open_index
from tests.integration.indexer.waiting import until
from tests.integration.indexer.worker_process import DISCO

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)


async def load(settings: Settings, store: Path) -> Settings:
    """Generate a catalogue; settings that have that store of ranks."""
    await demo.load_generated(settings, 600, until=UNTIL)
    return dataclasses.replace(settings, rank_store=str(store))


async def build_index(settings: Settings) -> None:
    """Index all of it."""
    async with open_index(settings) as index:
        await index.build()
        assert (await index.verify(patience=0)).kinds() == set()


async def agrees(index: Index) -> None:
    """Wait until index and database agree, dependents and ranks and all."""

    async def does() -> bool:
        return not (await index.verify(patience=0)).kinds()

    await until(does, within=30, what="index and database agree")


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


async def publish_new(settings: Settings) -> str:
    """Make an edition and publish it, with whoever works; its name."""
    edition: str = (await ask(settings, "run"))["edition"]
    await ask(settings, "publish", edition, "--override", "small catalogue")
    return edition
