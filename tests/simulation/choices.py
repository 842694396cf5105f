"""Choices: the bytes of a schedule, which decide all that chance decides."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """Reads a schedule byte by byte; after its end every choice is 0.

    0 is always the harmless choice: nothing happens, no fault. So a schedule that is shrunk towards
    zeros keeps only what matters.
    """

    def __init__(self, schedule: bytes) -> None:
        self._schedule = schedule
        self._next = 0

    @property
    def are_left(self) -> bool:
        """Whether the schedule has not ended."""
        return self._next < len(self._schedule)

    def take(self) -> int:
        """The next byte, 0 to 255."""
        at = self._next
        self._next = at + 1
        return self._schedule[at] if at < len(self._schedule) else 0

    def below(self, bound: int) -> int:
        """A number from 0 up to, but without, `bound`."""
        return self.take() % bound

    def pick(self, options: Sequence[T]) -> T:
        """One of some options."""
        return options[self.take() % len(options)]

    def happens(self, chance: int) -> bool:
        """Something that happens in `chance` of 256 cases."""
        return self.take() >= 256 - chance
