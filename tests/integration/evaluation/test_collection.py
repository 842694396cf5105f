"""A judged collection on the real engine: searched, measured, and nothing of it left behind."""

import asyncio
from pathlib import Path

import orjson
import pytest

from cli import output
from core import definitions
from core.engine import create_engine
from core.settings import Settings
from evaluation import collection_operations
from query_api.operations import temporary_index
from query_api.temporary_index import TemporaryIndexError
from tests.integration.evaluation.conftest import Disco

# The engine's defaults take the best field alone and know no stems; ours adds fields up.
DOCUMENTS = """.I 1
.T
melting snow
.A
ana lovelace
.W
how the rivers rise in spring
.I 2
.T
rivers
.W
a list of names
.I 3
.T
flooded valleys
.W
a river that floods a valley, and what the flooding leaves
.I 4
.T
what is in a name
.W
what is what, and what is not
"""
QUERIES = """.I 1
.W
what is known of "flooding" in the valley -by rivers
.I 2
.W
what is the melt of snow
.I 3
.W
what is a listing of names
"""
JUDGMENTS = "1 3 1\n1 4 5\n2 1 1\n3 2 2\n"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "tiny.all").write_text(DOCUMENTS)
    (folder / "tiny.qry").write_text(QUERIES)
    (folder / "tinyqrel").write_text(JUDGMENTS)
    return folder


def test_a_collection_is_searched_measured_and_gone(
    disco: Disco, settings: Settings, tiny: Path
) -> None:
    told = disco("eval", "collection", str(tiny), "--format", "cranfield", "--json")
    assert told.code == output.OK, told.err
    found = orjson.loads(told.out)
    whole = found["parts"]["all"]
    assert (found["documents"], whole["queries"], found["ours"]) == (4, 3, "ours")
    assert whole["systems"]["ours"]["RR"] == 1.0
    assert whole["systems"]["defaults"]["RR"] < 1.0
    assert whole["differences"]["defaults"]["RR"]["difference"] > 0
    assert _indices(settings) == []

    prose = disco("eval", "collection", str(tiny))
    assert (prose.code, "nDCG@10" in prose.out, "ours - defaults" in prose.out) == (
        *(output.OK, True, True),
    ), prose.err


def test_a_folder_without_a_collection_is_refused(disco: Disco, tmp_path: Path) -> None:
    told = disco("eval", "collection", str(tmp_path))
    assert (told.code, "has no file of judgments" in told.err) == (output.BAD_USAGE, True)


def test_the_index_goes_after_an_error_and_when_its_user_is_interrupted(
    settings: Settings,
) -> None:
    known = definitions.load(settings.definitions_path)
    definition = collection_operations.definition(next(iter(known.values())).analysis)

    async def refused() -> None:
        async with temporary_index(settings, definition, {}) as index:
            await index.fill([{"id": "1", "unknown": "field"}])

    async def interrupted() -> None:
        is_there = asyncio.Event()

        async def use() -> None:
            async with temporary_index(settings, definition, {}):
                is_there.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(use())
        async with asyncio.timeout(60):
            await is_there.wait()
            assert len(await _named(settings)) == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with pytest.raises(TemporaryIndexError, match="refuses document '1'"):
        asyncio.run(refused())
    assert _indices(settings) == []
    asyncio.run(interrupted())
    assert _indices(settings) == []


def _indices(settings: Settings) -> list[str]:
    return asyncio.run(_named(settings))


async def _named(settings: Settings) -> list[str]:
    async with create_engine(settings) as engine:
        found = await engine.indices.get(index=f"{settings.index_prefix}-temporary_*")
    return sorted(found)
