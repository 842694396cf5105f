"""Gates stop bad definitions, and let good ones pass."""

from pathlib import Path

import pytest

from core.settings import Settings
from indexer import operations
from tests.integration.gates.conftest import built, open_gates
from tests.integration.gates.planted import BAD, HARMLESS, Planted


def named(planted: Planted) -> str:
    return planted.name


async def _reasons(catalogue: Settings, planted: Planted, folder: Path) -> list[str]:
    """Which gates a changed definition does not pass, with what they say."""
    async with open_gates(catalogue, planted.plant(folder)) as services:
        generation = await built(services, planted.entity)
        try:
            examination = await operations.examine(services, generation.index)
        finally:
            await services.generations.delete(generation)
    return [f"{one.gate}: {one.detail}" for one in examination.failed]


@pytest.mark.parametrize("planted", BAD, ids=named)
async def test_a_bad_definition_is_blocked(
    catalogue: Settings, tmp_path: Path, planted: Planted
) -> None:
    assert await _reasons(catalogue, planted, tmp_path)


@pytest.mark.parametrize("planted", HARMLESS, ids=named)
async def test_a_harmless_definition_passes(
    catalogue: Settings, tmp_path: Path, planted: Planted
) -> None:
    assert await _reasons(catalogue, planted, tmp_path) == []


def test_there_are_twenty_of_each() -> None:
    assert (len(BAD), len(HARMLESS)) == (20, 20)
