"""Positions: where in the stream of changes a snapshot ends."""

from typing import NamedTuple


class Position(NamedTuple):
    """A place in the stream; as text `<offset>:<mark>`."""

    offset: int
    mark: str  # what stands there, if it is the stream it was

    def __str__(self) -> str:
        return f"{self.offset}:{self.mark}"

    @classmethod
    def parse(cls, text: str) -> "Position | None":
        """The position that was written as text; None if this is none."""
        offset, colon, mark = text.strip().partition(":")
        if not (colon and mark and offset.isascii() and offset.isdigit()):
            return None
        return cls(int(offset), mark)
