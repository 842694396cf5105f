"""The engine: answers beginnings from one snapshot."""

from array import array
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from suggest import snapshot
from suggest.errors import SuggestError
from suggest.folding import fold_utf8
from suggest.kernel.answer import (
    AROUND,
    FRAME,
    answer,
    answer_lines,
    find,
    find_further,
    frame,
    write,
    write_all,
)
from suggest.kernel.compilation import COMPILED
from suggest.kernel.memory import (
    COUNT,
    DEFAULT_LIMIT,
    FOUND,
    HIDDEN,
    HIDDEN_BITS,
    HIDING,
    LIMIT,
    MOST_RESULTS,
    PLACE,
    PLACE_COST,
    PLACE_FINE,
    PLACE_TYPE,
    PLACES,
    RESULT,
    RESULTS,
    SCRATCH,
    SECTIONS,
    TYPES,
)
from suggest.snapshot import Snapshot

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
        longest = max(map(len, self._bits), default=0)
        self._room = int(source.facts["largest_card"]) + longest * 6 + AROUND
        head = frame(b'],"snapshot":"%b"}' % source.edition.encode())
        size = len(head) + (MOST_RESULTS + 1) * self._room + _LINES
        flags = int(source.facts["entities"]) // HIDDEN_BITS + 1
        work = array("q", bytes(8 * (SCRATCH + flags)))
        work[: 2 * COUNT] = array("q", _parts(source))
        # The data, the same as words, and memory to work in.
        self._memory: tuple[Any, Any, Any]
        self._lead = int(source.facts["lead"])
        self._out: Any  # what is written
        if COMPILED:
            data = np.frombuffer(source.content, dtype=np.uint8)
            self._memory = (data, data.view(np.uint32), np.frombuffer(work, dtype=np.int64))
            self._out = np.zeros(size, dtype=np.uint8)
            self._out[: len(head)] = np.frombuffer(head, dtype=np.uint8)
        else:
            view = memoryview(source.content)
            self._memory = (view, view.cast("I"), memoryview(work))
            self._out = memoryview(bytearray(head.ljust(size, b"\0")))
        self._shown = memoryview(self._out)
        if COMPILED:
            self._warm_up()

    @classmethod
    def open(cls, path: Path) -> "Engine":
        """An engine on a snapshot file; raises `SnapshotError`."""
        return cls(snapshot.load(path))

    @property
    def edition(self) -> str:
        """The edition of the snapshot."""
        return self.snapshot.edition

    def answer(
        self,
        typed: str,
        limit: int = DEFAULT_LIMIT,
        types: Collection[str] = (),
        fuzzy: bool = True,
    ) -> bytes:
        """The answer to a beginning as JSON: completions, best first, and the edition.

        Args:
            typed: What somebody typed so far; the empty text has no completions.
            limit: Most completions, 1 to 100.
            types: Entity types that are wanted; none means all.
            fuzzy: Whether slips of the finger are made up for.

        Raises:
            QueryError: The limit is out of range.
        """
        if not 1 <= limit <= MOST_RESULTS:
            raise QueryError(f"limit is {limit}; use 1 to {MOST_RESULTS}")
        folded = fold_utf8(typed[:LONGEST_TYPED])
        wanted = self._wanted(types) if types else _ALL_TYPES
        end = answer(*self._memory, folded, limit, wanted, fuzzy, self._out)
        written: bytes = self._shown[FRAME:end].tobytes()
        return written

    def hide(self, entity: int, *, hidden: bool = True) -> None:
        """Leave an entity, by its number, out of answers, or have it among them again."""
        work, at = self._memory[2], HIDDEN + entity // HIDDEN_BITS
        bit = 1 << entity % HIDDEN_BITS
        if bool(int(work[at]) & bit) != hidden:
            work[at] = int(work[at]) ^ bit
            work[HIDING] += 1 if hidden else -1

    def find(self, folded: bytes, limit: int, types: Collection[str], fuzzy: bool) -> int:
        """Look for completions of a folded beginning without two edits; how many there are.

        They can be told of, and written, until this looks for others.
        """
        work = self._memory[2]
        work[LIMIT], work[TYPES] = limit, self._wanted(types)
        find(*self._memory, folded, 0, len(folded), fuzzy)
        return int(work[FOUND])

    def find_further(self) -> int:
        """Where `find` found nothing, look for what takes two edits; how many there are."""
        find_further(*self._memory)
        return int(self._memory[2][FOUND])

    def found(self) -> Iterator[tuple[int, int, int]]:
        """What each completion that was found is ordered by, ascending.

        Numbers are comparable with those of other engines, one of whose snapshots was built for the
        other's `top`.
        """
        _, words, work = self._memory
        for at in range(RESULTS, RESULTS + int(work[FOUND]) * RESULT, RESULT):
            place = int(work[PLACES]) + PLACE * int(work[at + 4])
            costs = int(words[place + PLACE_COST])
            own = costs & ((1 << PLACE_TYPE) - 1)
            # With its edits; then as places are ordered: without, to the finest.
            yield (int(work[at]) >> 32) - self._lead, own - self._lead, costs >> PLACE_FINE

    def written(self) -> bytes:
        """The answer of all that was found."""
        end = write_all(*self._memory, self._out, FRAME)
        return bytes(self._shown[FRAME:end])

    def piece(self, number: int) -> bytes:
        """One of the completions that were found, as JSON."""
        end = write(*self._memory, RESULTS + number * RESULT, self._out, FRAME)
        return bytes(self._shown[FRAME:end])

    def completions(self, typed: str, **options: Any) -> list[dict[str, Any]]:
        """The completions as Python objects."""
        found: list[dict[str, Any]] = orjson.loads(self.answer(typed, **options))["completions"]
        return found

    def answer_lines(
        self,
        lines: Iterable[str],
        limit: int = DEFAULT_LIMIT,
        types: Collection[str] = (),
        fuzzy: bool = True,
    ) -> Iterator[bytes]:
        """An answer and a line's end for each of many beginnings, in pieces of many lines.

        Raises:
            QueryError: The limit is out of range.
        """
        if not 1 <= limit <= MOST_RESULTS:
            raise QueryError(f"limit is {limit}; use 1 to {MOST_RESULTS}")
        folded = b"".join([fold_utf8(line[:LONGEST_TYPED]) + b"\n" for line in lines])
        wanted, begin, room = self._wanted(types), 0, (limit + 1) * self._room
        while begin < len(folded):
            begin, end = answer_lines(
                *self._memory, folded, begin, limit, wanted, fuzzy, self._out, room
            )
            yield self._shown[FRAME:end].tobytes()

    def _wanted(self, types: Collection[str]) -> int:
        """The types as bits; those that no phrase has count for nothing."""
        if not types:
            return _ALL_TYPES
        bits = 0
        for name in types:
            bits |= self._bits.get(name, 0)
        # Without views there is one type, which is all or nothing.
        return _ALL_TYPES if bits and len(self._bits) == 1 else bits

    def _warm_up(self) -> None:
        """Have the kernel compiled or loaded, and the hot pages read, before somebody waits."""
        for typed in ("a", "warm up"):
            self.answer(typed)
            self.answer(typed, types=self.types[:1])
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
