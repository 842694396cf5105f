"""What the producers of a storm write: random changes, of every kind there is."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from core.events import Action, Event
from demo import writes
from demo.writes import Write
from tests.integration.indexer.population import Population

_WORDS = ("rain", "snow", "hail", "fog", "thunder", "drizzle", "sleet", "breeze", "gale", "sun")
# How often each kind of change is made, and of which entity type.
_MIX: Sequence[tuple[float, str, Sequence[str]]] = (
    (34, "rename", ("sound", "sound", "sound", "set", "group")),
    (14, "rename", ("user",)),
    (10, "edit", ("sound", "user", "set", "group")),
    (8, "tag", ("sound",)),
    (9, "arrange", ("set",)),
    (6, "hide", ("sound", "sound", "user", "set", "group")),
    (10, "publish", ("sound", "sound", "user", "set", "group")),
    (4, "delete", ("sound", "sound", "user", "set", "group")),
    (7, "restore", ("sound", "sound", "user", "set", "group")),
    (3, "destroy", ("sound", "sound", "set", "group")),
    (0.4, "destroy", ("user",)),
    (9, "create", ("sound", "sound", "sound", "set", "group", "user")),
)
_ORDER = {"user": 0, "sound": 1, "set": 2, "group": 3}


class Writer:
    """Makes random writes."""

    def __init__(self, chance: random.Random, population: Population) -> None:
        self._chance = chance
        self._population = population
        self._weights = [weight for weight, _, _ in _MIX]

    def transaction(self) -> list[Write]:
        """The writes of one transaction: mostly one, sometimes up to eight.

        They touch rows in one order of types, so that few transactions deadlock.
        """
        longest = self._chance.choices((1, 4, 8), (60, 35, 5))[0]
        made = [self._one() for _ in range(self._chance.randint(1, longest))]
        return [write for _, write in sorted(made, key=lambda pair: pair[0])]

    def _one(self) -> tuple[tuple[int, int], Write]:
        _, kind, entities = self._chance.choices(_MIX, self._weights)[0]
        entity = self._chance.choice(entities)
        one = self._population.choose(entity)
        make: Callable[[str, int], Write] = getattr(self, kind)
        return (_ORDER[entity], one), make(entity, one)

    def _title(self) -> str:
        return f"{' '.join(self._chance.choices(_WORDS, k=2))} {self._chance.randrange(10**9)}"

    def rename(self, entity: str, one: int) -> Write:
        """Another title."""
        return writes.rename(entity, one, self._title())

    def edit(self, entity: str, one: int) -> Write:
        """Another description."""
        return writes.edit(entity, one, description=self._title())

    def tag(self, entity: str, one: int) -> Write:
        """One tag more or less."""
        del entity
        change = self._chance.choice((writes.tag_sound, writes.untag_sound))
        return change(one, f"tag {self._chance.randint(1, 40)}")

    def arrange(self, entity: str, one: int) -> Write:
        """One sound more or less in a set."""
        del entity
        change = self._chance.choice((writes.add_to_set, writes.remove_from_set))
        return change(one, self._population.choose("sound"))

    def hide(self, entity: str, one: int) -> Write:
        """Private."""
        return writes.make_private(entity, one)

    def publish(self, entity: str, one: int) -> Write:
        """Public (again)."""
        return writes.publish(entity, one)

    def delete(self, entity: str, one: int) -> Write:
        """Deleted, but still in its table."""
        return writes.delete(entity, one)

    def restore(self, entity: str, one: int) -> Write:
        """No longer deleted."""
        return writes.restore(entity, one)

    def destroy(self, entity: str, one: int) -> Write:
        """The row goes, with all that is nothing without it."""
        destroy = writes.destroy(entity, one)

        async def write(connection: Any) -> tuple[Event, ...]:
            events = await destroy(connection)
            gone = [event for event in events if event.action is Action.DESTROY]
            self._population.remove((event.entity, event.id) for event in gone)
            return events

        return write

    def create(self, entity: str, one: int) -> Write:
        """A new one; `one` does not matter."""
        del one
        owner = self._population.choose("user")
        create = self._creation(entity, owner)

        async def write(connection: Any) -> tuple[Event, ...]:
            events = await create(connection)
            self._population.add(owner, entity, events[0].id)
            return events

        return write

    def _creation(self, entity: str, owner: int) -> Write:
        match entity:
            case "user":
                return writes.create_user(self._title())
            case "sound":
                return writes.create_sound(owner, self._title())
            case "set":
                return writes.create_set(owner, self._title())
            case _:
                return writes.create_group(owner, self._title())
