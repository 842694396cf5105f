"""The engine: answers beginnings from one snapshot."""

from array import array
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from suggest import snapshot
from suggest.errors import SuggestError
from suggest.folding import fold
from suggest.kernel.answer import AROUND, answer
from suggest.kernel.compilation import COMPILED
from suggest.kernel.memory import MOST_RESULTS, SCRATCH, SECTIONS
from suggest.snapshot import Snapshot

DEFAULT_LIMIT: Final = 10
#: What is typed is looked at so far; nobody types more, and no key is longer.
LONGEST_TYPED: Final = 120
_ALL_TYPES: Final = -1
_LINES: Final = 1 << 18  # bytes of output of one call of the kernel


class QueryError(SuggestError):
    """A query cannot be answered: its limit or type is not one that the snapshot knows."""

    exit_code = 2


class Engine:
    """Answers from one snapshot. It has memory to work in, so a thread needs one of its own."""

    def __init__(self, source: Snapshot) -> None:
        self.snapshot = source
        self.types: tuple[str, ...] = tuple(name for name in source.facts["types"] if name)
        self._bits = {name: 1 << number for number, name in enumerate(source.facts["types"])}
        part = _parts(source)
        longest = max(map(len, self._bits), default=0)
        self._room = int(source.facts["largest_card"]) + longest * 6 + AROUND
        size = MOST_RESULTS * self._room + _LINES
        # The data, the same as words, its parts, memory to work in, and what is written.
        self._memory: tuple[Any, Any, Any, Any]
        if COMPILED:
            data = np.frombuffer(source.content, dtype=np.uint8)
            numbers = (np.array(part, dtype=np.int64), np.zeros(SCRATCH, dtype=np.int64))
            self._memory = (data, data.view(np.uint32), *numbers)
            self._out: Any = np.zeros(size, dtype=np.uint8)
        else:
            view = memoryview(source.content)
            self._memory = (view, view.cast("I"), part, memoryview(array("q", bytes(8 * SCRATCH))))
            self._out = memoryview(bytearray(size))
        self._warm_up()

    @classmethod
    def open(cls, path: Path) -> "Engine":
        """An engine on a snapshot file; raises `SnapshotError`."""
        return cls(snapshot.load(path))

    @property
    def edition(self) -> str:
        """The edition of the snapshot."""
        return self.snapshot.edition

    def complete(
        self,
        typed: str,
        *,
        limit: int = DEFAULT_LIMIT,
        types: Collection[str] = (),
        fuzzy: bool = True,
    ) -> bytes:
        """The completions of a beginning as members of a JSON array, best first, without brackets.

        Args:
            typed: What somebody typed so far; the empty text has no completions.
            limit: Most completions, 1 to 100.
            types: Entity types that are wanted; none means all.
            fuzzy: Whether slips of the finger are made up for.

        Raises:
            QueryError: The limit is out of range.
        """
        self._check(limit)
        line = fold(typed[:LONGEST_TYPED]).encode() + b"\n"
        _, size = answer(
            *self._memory,
            line,
            0,
            limit,
            self._wanted(types),
            fuzzy,
            b"",
            b"",
            self._out,
            limit * self._room,
        )
        return bytes(self._out[:size])

    def answer(self, typed: str, **options: Any) -> bytes:
        """The whole answer as JSON: the completions, as `complete` finds them, and the edition."""
        return b"".join((self.opening, self.complete(typed, **options), self.closing))

    def completions(self, typed: str, **options: Any) -> list[dict[str, Any]]:
        """The completions as Python objects."""
        found: list[dict[str, Any]] = orjson.loads(b"[%b]" % self.complete(typed, **options))
        return found

    def answer_lines(
        self,
        lines: Iterable[str],
        *,
        limit: int = DEFAULT_LIMIT,
        types: Collection[str] = (),
        fuzzy: bool = True,
    ) -> Iterator[bytes]:
        """An answer and a line's end for each of many beginnings, in pieces of many lines.

        Raises:
            QueryError: The limit is out of range.
        """
        self._check(limit)
        folded = "".join([fold(line[:LONGEST_TYPED]) + "\n" for line in lines]).encode()
        wanted, closing, begin = self._wanted(types), self.closing + b"\n", 0
        room = limit * self._room + len(self.opening) + len(closing)
        while begin < len(folded):
            begin, size = answer(
                *self._memory,
                folded,
                begin,
                limit,
                wanted,
                fuzzy,
                self.opening,
                closing,
                self._out,
                room,
            )
            yield bytes(self._out[:size])

    @property
    def opening(self) -> bytes:
        """What stands before the completions in an answer."""
        return b'{"completions":['

    @property
    def closing(self) -> bytes:
        """What stands behind them."""
        return b'],"snapshot":"%b"}' % self.edition.encode()

    def _wanted(self, types: Collection[str]) -> int:
        """The types as bits; those that no phrase has count for nothing."""
        if not types:
            return _ALL_TYPES
        bits = 0
        for name in types:
            bits |= self._bits.get(name, 0)
        # Without views there is one type, which is all or nothing.
        return _ALL_TYPES if bits and len(self._bits) == 1 else bits

    @staticmethod
    def _check(limit: int) -> None:
        if not 1 <= limit <= MOST_RESULTS:
            raise QueryError(f"limit is {limit}; use 1 to {MOST_RESULTS}")

    def _warm_up(self) -> None:
        """Have the kernel compiled or loaded, and the hot pages read, before somebody waits."""
        for typed in ("a", "warm up"):
            self.complete(typed)
            self.complete(typed, types=self.types[:1])
        for _ in self.answer_lines(["warm up"]):
            pass


def _parts(source: Snapshot) -> list[int]:
    """Where each section begins, in bytes or in words, and how many numbers each has."""
    places = [source.places[name] for name in SECTIONS]
    sizes = [source.sizes[name] for name in SECTIONS]
    return [
        *(low // 4 if size == 4 else low for (low, _), size in zip(places, sizes, strict=True)),
        *((high - low) // size for (low, high), size in zip(places, sizes, strict=True)),
    ]
