"""Gates stop bad definitions, and let good ones pass."""

from collections.abc import Iterable
from pathlib import Path

from core.settings import Settings
from indexer import operations
from tests.integration.gates.conftest import built, open_gates
from tests.integration.gates.planted import BAD, HARMLESS, Planted

ENOUGH = 19  # of twenty


async def _reasons(catalogue: Settings, planted: Planted, folder: Path) -> list[str]:
    """Which gates a changed definition does not pass, with what they say."""
    async with open_gates(catalogue, planted.plant(folder)) as services:
        generation = await built(services, planted.entity)
        try:
            examination = await operations.examine(services, generation.index)
        finally:
            await services.generations.delete(generation)
    return [f"{one.gate}: {one.detail}" for one in examination.failed]


async def _all(catalogue: Settings, some: Iterable[Planted], folder: Path) -> dict[str, list[str]]:
    return {one.name: await _reasons(catalogue, one, folder) for one in some}


async def test_bad_definitions_are_blocked(catalogue: Settings, tmp_path: Path) -> None:
    found = await _all(catalogue, BAD, tmp_path)
    passed = [name for name, reasons in found.items() if not reasons]
    assert len(found) == 20
    assert len(found) - len(passed) >= ENOUGH, passed


async def test_harmless_definitions_pass(catalogue: Settings, tmp_path: Path) -> None:
    found = await _all(catalogue, HARMLESS, tmp_path)
    blocked = {name: reasons for name, reasons in found.items() if reasons}
    assert len(found) == 20
    assert len(found) - len(blocked) >= ENOUGH, blocked
