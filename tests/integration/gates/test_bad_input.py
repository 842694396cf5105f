"""Whatever is wrong with a definition or with the engine is told, and what is live is untouched."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from elasticsearch import AsyncElasticsearch

from core.settings import Settings
from indexer import operations
from indexer.generation import Generation, State
from tests.integration.gates.conftest import built, open_gates
from tests.integration.gates.planted import Edit, Planted, changed, sql
from tests.integration.indexer.command_line import disco


def _broken_json(folder: Path) -> None:
    (folder / "sound.mapping.json").write_text('{"properties": ')


class Bad(NamedTuple):
    """A definition that no index can be built from."""

    name: str
    edit: Edit
    code: int  # that the command ends with
    words: str  # of what it says


BAD = (
    Bad("it does not parse", _broken_json, 2, "sound.mapping.json: line 1: not valid JSON"),
    Bad(
        "the engine refuses the mapping",
        changed("sound.mapping", "properties", "genre", to={"type": "txt"}),
        1,
        "txt",
    ),
    Bad(
        "the engine refuses the analysis",
        changed("shared.analysis", "analyzer", "text", "tokenizer", to="standart"),
        1,
        "standart",
    ),
    Bad("no id", sql("sound", "SELECT\n    s.id,\n", "SELECT\n    s.id AS number,\n"), 1, "id"),
    Bad("no version", sql("sound", "    s.updated_at,\n", ""), 1, "updated_at"),
    Bad("SQL that fails", sql("sound", "s.license,", "s.licence,"), 1, "licence"),
    Bad(
        "documents that the engine refuses",
        sql("sound", "s.duration_ms,", "'long' AS duration_ms,"),
        1,
        "duration_ms",
    ),
)


async def _generations(settings: Settings) -> dict[str, State]:
    found = await operations.list_generations(settings)
    return {one.index: one.state for one in found if one.name.entity == "sound"}


@pytest.mark.parametrize("bad", BAD, ids=[one.name for one in BAD])
async def test_a_definition_that_cannot_be_built_changes_nothing(
    catalogue: Settings, tmp_path: Path, bad: Bad
) -> None:
    before = await _generations(catalogue)
    folder = Planted(name=bad.name, entity="sound", edits=(bad.edit,)).plant(tmp_path)
    settings = dataclasses.replace(catalogue, definitions=str(folder))
    done = await disco(settings, "index", "reindex", "sound")
    assert bad.words in done.err
    assert "Traceback" not in done.err
    assert await _generations(catalogue) == before
    assert done.code == bad.code, done.err


async def test_a_full_disk_stops_neither_promotion_nor_rollback(catalogue: Settings) -> None:
    async with open_gates(catalogue) as services:
        live = await services.generations.live("sound")
        other = await built(services, "sound")
        await operations.examine(services, other.index)
        await _flood(services.engine, [live, other], blocked=True)
        try:
            await operations.promote(services, other.index)
            assert (await services.generations.live("sound")).index == other.index
            assert (await services.engine.count(index=other.index))["count"] > 0
            await operations.rollback(services, "sound")
            assert (await services.generations.live("sound")).index == live.index
        finally:
            await _flood(services.engine, [live, other], blocked=None)
            await services.generations.delete(other)


async def _flood(
    engine: AsyncElasticsearch, some: Sequence[Generation], *, blocked: bool | None
) -> None:
    """Have the engine refuse writes to indices, as it does when its disk is all but full."""
    settings = {"index.blocks.read_only_allow_delete": blocked}
    await engine.indices.put_settings(index=",".join(one.index for one in some), settings=settings)
