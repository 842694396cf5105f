"""The population of a storm: who exists, and the few that everybody changes just now."""

import random
from collections.abc import Iterable

_USERS, _SOUNDS, _SETS, _GROUPS = 300, 3_000, 400, 100  # as in storm_catalogue.sql
_HOT_USERS = 3
_HOT_OWNED = 4  # of each hot user and type
_HOT_FOR = 40  # choices until the heat moves on


class Population:
    """Ids of rows that should be there; a row that is gone meanwhile only voids a transaction.

    Most changes meet in a small hot set: a few users with some of their sounds and sets. The heat
    moves on all the time, so that many entities are left behind in the state that the last race
    gave them.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._ids: dict[str, list[int]] = {
            "user": list(range(1, _USERS + 1)),
            "sound": list(range(1, _SOUNDS + 1)),
            "set": list(range(1, _SETS + 1)),
            "group": list(range(1, _GROUPS + 1)),
        }
        self._owned: dict[int, dict[str, list[int]]] = {}
        for entity in ("sound", "set", "group"):
            for one in self._ids[entity]:
                self._own((one - 1) % _USERS + 1, entity, one)
        self._hot: dict[str, list[int]] = {}
        self._choices = 0
        self._turns: dict[str, list[int]] = {}  # by entity type, the next one last

    def choose(self, entity: str, *, hot: float = 0.7) -> int:
        """Somebody of that type; with the probability `hot` one of the hot set."""
        self._choices += 1
        if not self._hot or self._choices % _HOT_FOR == 0:
            self._move_heat()
        if self._hot[entity] and self._chance.random() < hot:
            return self._chance.choice(self._hot[entity])
        return self._chance.choice(self._ids[entity])

    def turn(self, entity: str) -> int:
        """Everybody of that type in turn, in random order."""
        if not self._turns.get(entity):
            self._turns[entity] = self._chance.sample(self._ids[entity], len(self._ids[entity]))
        return self._turns[entity].pop()

    def owned(self, user: int, entity: str, most: int) -> list[int]:
        """What is a user's and should be there, `most` at most."""
        ids = self._owned.get(user, {}).get(entity, [])
        return [one for one in ids if one in self._ids[entity]][:most]

    def add(self, owner: int, entity: str, one: int) -> None:
        """Somebody new; `owner` is the user whose it is."""
        self._ids[entity].append(one)
        if entity != "user":
            self._own(owner, entity, one)

    def remove(self, keys: Iterable[tuple[str, int]]) -> None:
        """Somebody is gone for good."""
        for entity, one in keys:
            for ids in (self._ids[entity], self._hot.get(entity, [])):
                if one in ids:
                    ids.remove(one)

    def _own(self, owner: int, entity: str, one: int) -> None:
        self._owned.setdefault(owner, {}).setdefault(entity, []).append(one)

    def _move_heat(self) -> None:
        """One hot user cools down, another one warms up, with what is theirs."""
        users = [*self._hot.get("user", [])[1:]]
        while len(users) < _HOT_USERS:
            users.append(self._chance.choice(self._ids["user"]))
        hot: dict[str, list[int]] = {"user": users, "sound": [], "set": [], "group": []}
        for user in users:
            for entity in self._owned.get(user, {}):
                hot[entity] += self.owned(user, entity, _HOT_OWNED)
        self._hot = hot
