"""The entity index: where the entities of a snapshot are, by type and id.

Entities that can change are those whose target is a whole number, as the ids of events are. The
index is made of the snapshot's cards when a service wants it, and is no part of the file: who only
reads needs none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from suggest.kernel.memory import PLACE, PLACE_CARD, PLACE_ENTITY, PLACE_TYPE, TYPE_BITS
from suggest.snapshot import Snapshot

Numbers = NDArray[np.int64]

_MOST_DIGITS: Final = 19
_LARGEST: Final = 2**63 - 1
_QUOTE: Final = ord('"')
_ZERO: Final = ord("0")
_TWO_BYTES: Final = 128  # a length from here on takes two bytes, see suggest/builder.py

#: A phrase as it is shown, and the permalink.
Shown = tuple[str, str | None]


@dataclass(frozen=True, kw_only=True)
class Located:
    """An entity of a snapshot."""

    number: int
    shown: Sequence[Shown]


class EntityIndex:
    """Finds the entities of one snapshot."""

    def __init__(self, source: Snapshot) -> None:
        self._source = source
        low, _ = source.places["cards"]
        self._cards = low
        kinds, ids, numbers, cards = _entries(source)
        order = np.lexsort((ids, kinds))
        self._ids, self._numbers, self._at = ids[order], numbers[order], cards[order]
        bounds = np.searchsorted(kinds[order], np.arange(len(source.facts["types"]) + 1))
        self._bounds = {
            name: (int(bounds[number]), int(bounds[number + 1]))
            for number, name in enumerate(source.facts["types"])
        }

    def find(self, kind: str, entity_id: int) -> Located | None:
        """The entity of a type and id; None if the snapshot has none of its phrases."""
        first, last = self._range(kind, entity_id)
        if first == last:
            return None
        shown = [self._shown(int(at)) for at in self._at[first:last]]
        return Located(number=int(self._numbers[first]), shown=shown)

    def number(self, kind: str, entity_id: int) -> int | None:
        """The number of the entity alone, which is found sooner."""
        first, last = self._range(kind, entity_id)
        return None if first == last else int(self._numbers[first])

    def _range(self, kind: str, entity_id: int) -> tuple[int, int]:
        low, high = self._bounds.get(kind, (0, 0))
        ids = self._ids[low:high]
        first = low + int(np.searchsorted(ids, entity_id))
        last = first
        while last < high and self._ids[last] == entity_id:
            last += 1
        return first, last

    def _shown(self, card: int) -> Shown:
        content, at = self._source.content, self._cards + card
        lengths = []
        for _ in range(3):
            length, at = content[at], at + 1
            if length >= _TWO_BYTES:
                length, at = length - _TWO_BYTES | content[at] << 7, at + 1
            lengths.append(length)
        at += lengths[0]
        text, link = content[at : at + lengths[1]], content[at + lengths[1] : at + sum(lengths[1:])]
        return orjson.loads(text), orjson.loads(link) if link else None


def _entries(source: Snapshot) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Type, id, number and card of each phrase whose target is a whole number."""
    low, high = source.places["places"]
    raw = np.frombuffer(source.content, np.uint32, (high - low) // 4, low)
    cards, first = np.unique(raw[PLACE_CARD::PLACE].astype(np.int64), return_index=True)
    places = raw.reshape(-1, PLACE)[first]
    low, high = source.places["cards"]
    # So that a little can be read beyond the last card.
    padded = np.append(
        np.frombuffer(source.content, np.uint8, high - low, low), np.zeros(32, np.uint8)
    )
    ids = _ids(padded, cards)
    whole = ids >= 0
    kinds = (places[:, 2] >> PLACE_TYPE & ((1 << TYPE_BITS) - 1)).astype(np.int64)
    numbers = places[:, PLACE_ENTITY].astype(np.int64)
    return kinds[whole], ids[whole], numbers[whole], cards[whole]


def _ids(cards: NDArray[np.uint8], starts: Numbers) -> Numbers:
    """The whole number that the target of each card is; -1 for one that is none."""
    size = cards[starts].astype(np.int64)
    at = starts + 1
    for _ in range(2):
        at += 1 + (cards[np.minimum(at, len(cards) - 1)] >= _TWO_BYTES)
    digits = size - 2  # without the quotes
    good = (size < _TWO_BYTES) & (digits >= 1) & (digits <= _MOST_DIGITS)
    at = np.where(good, at, 0)
    good &= cards[at] == _QUOTE
    good &= (cards[at + 1] != _ZERO) | (digits == 1)  # as ids are written
    value = np.zeros(len(starts), dtype=np.uint64)
    for place in range(_MOST_DIGITS):
        within = good & (place < digits)
        digit = cards[at + 1 + place] - np.uint8(_ZERO)
        good &= ~within | (digit <= 9)
        value = np.where(within, value * np.uint64(10) + digit, value)
    good &= value <= np.uint64(_LARGEST)
    return np.where(good, value, 0).astype(np.int64) - (~good).astype(np.int64)
