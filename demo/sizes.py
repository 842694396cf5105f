"""How large a generated catalogue is: its named sizes, and how its entities divide up."""

from dataclasses import dataclass
from enum import Enum

from core.errors import UsageError

SMALLEST = 100  # entities; below it some kinds would have none


class Size(Enum):
    """The named sizes, in entities of all types together."""

    S = 20_000
    M = 300_000
    L = 3_000_000


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many entities of each type a catalogue has."""

    users: int
    sounds: int
    sets: int
    groups: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.users + self.sounds + self.sets + self.groups


def divide(entities: int) -> Counts:
    """25 % users, 65 % sounds, 8 % sets, 2 % groups; raises `UsageError` below the smallest."""
    if entities < SMALLEST:
        raise UsageError(
            f"a catalogue of {entities:,} entities is too small; use {SMALLEST} or more"
        )
    users, sets, groups = entities * 25 // 100, entities * 8 // 100, entities * 2 // 100
    return Counts(users=users, sounds=entities - users - sets - groups, sets=sets, groups=groups)
