"""The catalogue that the judged queries are asked of: generated, small, and the same every time.

Its ranks are calculated for the moment at which its time ends: by the clock, signals would fade
between two runs, each at its own pace, and hits that are alike would change places one day.
"""

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from core.events import to_microseconds
from core.rank_editions import RankStore, Slots
from core.settings import Settings
from demo import operations as demo
from ranker import calculation, editions, signals
from ranker.database_source import DatabaseSource, open_database
from ranker.edition_operations import recipes
from ranker.entities import Ids
from ranker.signals import Signal
from ranker.sources import Acts
from tests.integration.gates.conftest import built, open_gates

ENTITIES = 300
SEED = 1
UNTIL = datetime(2026, 3, 1, tzinfo=UTC)


class _AtItsEnd:
    """The catalogue's activity, as it is seen when the catalogue's time ends."""

    def __init__(self, source: DatabaseSource) -> None:
        self.name = source.name
        self._source = source

    def moment(self) -> int:
        return to_microseconds(UNTIL)

    def entities(self) -> Mapping[str, Ids]:
        return self._source.entities()

    def acts(self, signal: Signal) -> Iterator[Acts]:
        return self._source.acts(signal)


async def make(settings: Settings, store: Path) -> Settings:
    """A live index of every type, with ranks, by the definitions as they are; its settings."""
    await demo.load_generated(settings, ENTITIES, seed=SEED, until=UNTIL)
    settings = dataclasses.replace(settings, rank_store=str(store))
    _rank(settings)
    async with open_gates(settings) as services:
        found = await asyncio.gather(*(built(services, one) for one in services.definitions))
        for generation in found:
            await services.generations.promote(generation, before=None)
    return settings


def _rank(settings: Settings) -> None:
    """An edition of ranks in the slot that searches read first."""
    policy = signals.load(signals.FOLDER)
    with open_database(settings, recipes(settings)) as source:
        done = calculation.calculate(_AtItsEnd(source), policy, parent=None, deterministic=True)
    store = RankStore(Path(settings.rank_store))
    store.record(Slots(a=editions.write(store, done).name))
