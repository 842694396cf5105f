"""Random live changes: no row gets a version that no event tells of."""

import time
from typing import Any

import pytest

from core.events import Action, Event, to_microseconds
from core.settings import Settings
from demo.errors import NoCatalogueError
from demo.player import WEIGHTS, Played, open_player
from demo.schema import ENTITY_TABLES
from tests.integration.demo.conftest import Published, drained

STEPS = 400


async def versions(database: Any) -> dict[tuple[str, int], int]:
    return {
        (entity, row["id"]): to_microseconds(row["updated_at"])
        for entity, table in ENTITY_TABLES.items()
        for row in await database.fetch(f"select id, updated_at from {table}")
    }


async def test_every_new_version_is_told_and_nothing_else(
    catalogue: Settings, database: Any, published: Published
) -> None:
    before = await versions(database)
    async with open_player(catalogue, seed=5) as player:
        await published()
        played = [await player.step() for _ in range(STEPS)]
    after = await versions(database)
    told = [event for one in played for event in one.events]
    assert await published() == told
    last: dict[tuple[str, int], Event] = {}
    for event in told:
        last[event.entity, event.id] = event
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    assert set(last) >= changed
    for key, event in last.items():
        if key in after and event.action is Action.REFRESH:
            assert event.occurred_at >= after[key], event
        elif key in after:
            assert event.occurred_at == after[key], event
        else:
            assert event.action is Action.DESTROY, event
            assert event.occurred_at > before.get(key, 0)
    assert len(changed) > STEPS / 3


async def test_it_keeps_the_rate(catalogue: Settings) -> None:
    async with open_player(catalogue, seed=6) as player:
        began = time.monotonic()
        played = [one async for one in player.run(rate=100, seconds=1)]
        seconds = time.monotonic() - began
    assert len(played) == 100
    assert seconds >= 0.98


async def test_it_stops_when_nobody_listens_any_more(catalogue: Settings) -> None:
    seen: list[Played] = []
    async with open_player(catalogue, seed=7) as player:
        steps = player.run(rate=200, seconds=None)
        async for played in steps:
            seen.append(played)
            if len(seen) == 20:
                break
        await steps.aclose()
    assert len(seen) == 20


async def test_it_does_all_kinds_of_things(catalogue: Settings) -> None:
    async with open_player(catalogue, seed=8) as player:
        played = [one async for one in player.run(rate=1_000, seconds=0.6)]
    assert len({" ".join(one.what.split()[-3:]) for one in played}) > len(WEIGHTS)
    assert sum(one.done for one in played) > 0.9 * len(played)
    await drained(catalogue)


async def test_without_a_catalogue_it_says_so(fresh_settings: Settings) -> None:
    with pytest.raises(NoCatalogueError, match="disco demo load"):
        async with open_player(fresh_settings):
            pass
