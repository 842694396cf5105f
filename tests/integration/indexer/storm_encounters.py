"""Encounters: what a producer does at a time, as transactions with moments of their own.

A storm of everything makes every race, but each of them seldom, and most are made up for by some
later change. The other encounters make one kind of race, again and again, each time of entities
that nobody touches for long afterwards: whatever goes wrong is still there at the end.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from demo import writes
from demo.writes import Write
from tests.integration.indexer.population import Population
from tests.integration.indexer.storm_writes import Writer
from tests.integration.indexer.weather import Weather

_FAMILY = 6  # sounds that take part, at most


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """Writes that are committed together; their events follow."""

    after: float = 0.0  # seconds from the beginning of the encounter to that of the transaction
    idle: float = 0.0  # seconds between its begin and the first write
    writes: Sequence[Write]
    held: float = 0.0  # seconds between the last stamp and the commit


class Encounters:
    """Makes encounters of the kinds that the weather has."""

    def __init__(
        self, weather: Weather, chance: random.Random, population: Population, writer: Writer
    ) -> None:
        self._weather = weather
        self._chance = chance
        self._population = population
        self._writer = writer
        self._kinds = {
            "anything": self._anything,
            "rivalry": self._rivalry,
            "belated": self._belated,
            "crossing": self._crossing,
            "hiding": self._hiding,
            "vanishing": self._vanishing,
        }

    def next(self) -> Sequence[Transaction]:
        """One encounter."""
        kinds = self._weather.encounters
        (kind,) = self._chance.choices(list(kinds), list(kinds.values()))
        return self._kinds[kind]()

    def _anything(self) -> Sequence[Transaction]:
        """One transaction, of whatever kind."""
        held = 0.0
        if self._chance.random() < self._weather.held:
            held = self._chance.uniform(0, self._weather.longest_hold)
        return [Transaction(writes=self._writer.transaction(), held=held)]

    def _rivalry(self) -> Sequence[Transaction]:
        """Two changes of one row: the earlier one may be written later."""
        one = self._population.turn("sound")
        return [
            Transaction(writes=[self._writer.rename("sound", one)]),
            Transaction(after=self._between(0.02, 0.8), writes=[self._writer.rename("sound", one)]),
        ]

    def _belated(self) -> Sequence[Transaction]:
        """Two changes of one row: the later one is made in the older transaction."""
        one = self._population.turn("sound")
        return [
            Transaction(idle=self._between(0.1, 0.5), writes=[self._writer.rename("sound", one)]),
            Transaction(
                after=self._between(0.03, 0.08), writes=[self._writer.rename("sound", one)]
            ),
        ]

    def _crossing(self) -> Sequence[Transaction]:
        """Rows are stamped before, and committed after, a change of the user that they join."""
        user = self._population.turn("user")
        return [
            Transaction(after=self._between(0.1, 0.2), writes=[self._writer.rename("user", user)]),
            *(
                Transaction(
                    after=self._between(0, 0.1),
                    writes=[self._writer.rename("sound", one)],
                    held=self._between(0.1, 0.6),
                )
                for one in self._population.owned(user, "sound", _FAMILY)
            ),
        ]

    def _hiding(self) -> Sequence[Transaction]:
        """Rows change while their user is hidden, which is stamped before and committed after."""
        user = self._population.turn("user")
        return [
            Transaction(writes=[writes.make_private("user", user)], held=self._between(0.3, 0.5)),
            *(
                Transaction(after=self._between(0, 0.3), writes=[self._writer.rename("sound", one)])
                for one in self._population.owned(user, "sound", _FAMILY)
            ),
        ]

    def _vanishing(self) -> Sequence[Transaction]:
        """A row changes, and is gone soon after."""
        one = self._population.turn("sound")
        return [
            Transaction(writes=[self._writer.rename("sound", one)]),
            Transaction(after=self._between(0.1, 0.8), writes=[self._writer.destroy("sound", one)]),
        ]

    def _between(self, least: float, most: float) -> float:
        return self._chance.uniform(least, most)
