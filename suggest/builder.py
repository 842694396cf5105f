"""The builder: phrases become the sections of a snapshot.

Phrases are numbered by weight, the heaviest first, and by their order where weights are equal. A
*place* is a phrase found in one of two ways: by its beginning, or by a further word, which counts
as if it weighed less. Places are in the order in which completions are shown, so that the best of
any range of keys is its least place.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from suggest import keys, range_minima, snapshot, sorting, trie
from suggest.errors import PhraseError
from suggest.kernel.memory import PLACE_FINE, PLACE_TYPE, TYPE_BITS
from suggest.phrases import Phrase
from suggest.snapshot import Section

#: Weights are compared as logarithms, in steps of this part of a factor of two.
STEPS_PER_BIT: Final = 64
#: A further word of a name counts as if the name weighed this many times less.
WORD_HANDICAP: Final = 8.0
MOST_TYPES: Final = (1 << TYPE_BITS) - 1
_HEAVIEST: Final = 1_000
_LARGEST_TEXT: Final = 2**32 - 1  # bytes
_DEAREST: Final = 2**16 - 1
_HALF_STEP: Final = 511  # of the parts in which is told what a cost was rounded by
_PADDING: Final = 16  # bytes, so that a little can be read beyond the last key

Words = NDArray[np.uint32]


@dataclass(frozen=True, kw_only=True)
class Built:
    """A snapshot that is not written yet."""

    sections: dict[str, Section]
    facts: dict[str, Any]  # counts: phrases, entities, keys, types; and what a reader must know
    heaviest: Sequence[Phrase]  # some of the phrases, the heaviest first

    @property
    def pieces(self) -> list[bytes]:
        """The file."""
        return snapshot.encode(self.sections, self.facts)


def build(
    phrases: Iterable[Phrase], *, word_starts: bool = True, top: float | None = None
) -> Built:
    """The snapshot of these phrases.

    Args:
        phrases: In any number; of equal texts of one entity the heaviest counts.
        word_starts: Whether each word is a key, or the beginning alone.
        top: The fact of that name of a snapshot whose answers those of this one are merged with.

    Raises:
        PhraseError: There are more entity types, or there is more text, than a snapshot can hold.
    """
    chosen = _by_weight(phrases)
    types = _types(chosen)
    texts = [phrase.text for phrase in chosen]
    found = keys.collect(texts, word_starts=word_starts, padding=_PADDING)
    _check_size(len(found.text))
    order, bits, place_of = _places(chosen, found)
    scale = _scale(bits, top)
    costs, fine = _costs(bits, scale)
    place_of_key = place_of[found.phrases * 2 + found.inner]
    sequence = sorting.key_order(found.text, found.starts, place_of_key)
    starts = found.starts[sequence].astype(np.uint32)
    key_places = place_of_key[sequence].astype(np.uint32)
    kinds = np.array([types[phrase.type] for phrase in chosen], dtype=np.uint32)
    cards, card_starts = _cards(chosen)
    records = _records(order, costs | fine, _entities(chosen), card_starts, kinds)
    upper = trie.build(found.text, starts, key_places, records[key_places, 0], costs)
    fold_points, fold_shapes = keys.fold_table(texts)
    sections: dict[str, Section] = {
        "text": found.text,
        "starts": starts,
        "key_places": key_places,
        "minima": range_minima.table(key_places),
        "places": records.ravel(),
        "cards": cards,
        "nodes": upper.nodes,
        "labels": upper.labels,
        "masks": upper.masks,
        "tops": upper.tops,
        **_type_names(types),
        **_views(key_places, kinds[order >> 1][key_places], len(types)),
        "fold_points": fold_points,
        "fold_shapes": fold_shapes,
    }
    facts = _facts(chosen, types, records, card_starts)
    return Built(
        sections=sections,
        facts=facts | {"keys": len(starts)} | scale,
        heaviest=chosen[:_HEAVIEST],
    )


def _by_weight(phrases: Iterable[Phrase]) -> list[Phrase]:
    heaviest: dict[tuple[str | None, ...], Phrase] = {}
    for phrase in phrases:
        identity = (phrase.text, phrase.type, phrase.target)
        known = heaviest.setdefault(identity, phrase)
        if phrase.weight > known.weight:
            heaviest[identity] = phrase
    chosen = list(heaviest.values())
    weights = np.array([phrase.weight for phrase in chosen])
    return [chosen[number] for number in np.argsort(-weights, kind="stable").tolist()]


def _types(phrases: Sequence[Phrase]) -> dict[str | None, int]:
    names = sorted({phrase.type or "" for phrase in phrases})
    if len(names) > MOST_TYPES:
        raise PhraseError(
            f"{len(names)} entity types, such as {names[0]!r}; a snapshot holds {MOST_TYPES}"
        )
    return {name or None: number for number, name in enumerate(names)}


def _check_size(size: int) -> None:
    if size > _LARGEST_TEXT:
        raise PhraseError(
            f"{size:,} bytes of text; a snapshot holds {_LARGEST_TEXT:,}: build one for each type"
        )


def _places(
    phrases: Sequence[Phrase], found: keys.Keys
) -> tuple[Words, NDArray[np.float64], NDArray[np.int64]]:
    """The places in order.

    Returns:
        For each place twice its phrase, plus one for a further word; for each place its weight as
        a logarithm to base two; and the place of each pair of the first array.
    """
    weights = np.array([phrase.weight for phrase in phrases], dtype=np.float64)
    pairs = np.unique(found.phrases * 2 + found.inner)
    bits = _bits(weights)[pairs >> 1] - np.log2(WORD_HANDICAP) * (pairs & 1)
    order = pairs[np.lexsort((pairs, -bits))]
    place_of = np.zeros(2 * len(phrases), dtype=np.int64)
    place_of[order] = np.arange(len(order))
    return order.astype(np.uint32), np.sort(bits)[::-1], place_of


def _scale(bits: NDArray[np.float64], top: float | None) -> dict[str, float]:
    """What costs are counted from: `lead` steps above the weight `top`, of which this is the log.

    Where `top` is another snapshot's, costs of both can be compared: they differ by the lead.
    """
    own = float(bits.max()) if len(bits) else 0.0
    if top is None:
        return {"top": own, "lead": 0}
    return {"top": top, "lead": max(0, math.ceil((own - top) * STEPS_PER_BIT))}


def _costs(bits: NDArray[np.float64], scale: Mapping[str, float]) -> tuple[Words, Words]:
    """Of each place the cost in steps, and what it was rounded by, as it stands above the type."""
    behind = (scale["top"] - bits) * STEPS_PER_BIT + scale["lead"]
    rounded = np.clip(np.round(behind), 0, _DEAREST)
    fine = np.clip(np.round((behind - rounded) * 2 * _HALF_STEP), -_HALF_STEP, _HALF_STEP)
    above = (fine + _HALF_STEP).astype(np.uint32) << np.uint32(PLACE_FINE)
    return rounded.astype(np.uint32), above


def _bits(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights as logarithms to base two; a weight of 0 is one below the least."""
    positive = weights > 0
    if not positive.any():
        return np.zeros(len(weights))
    bits = np.zeros(len(weights))
    bits[positive] = np.log2(weights[positive])
    bits[~positive] = bits[positive].min() - 1
    return bits


def _cards(phrases: Sequence[Phrase]) -> tuple[NDArray[np.uint8], Words]:
    """What is shown of each phrase, and where each begins."""
    pieces = [
        _card(
            b"" if phrase.target is None else orjson.dumps(phrase.target),
            orjson.dumps(phrase.text),
            b"" if phrase.permalink is None else orjson.dumps(phrase.permalink),
        )
        for phrase in phrases
    ]
    ends = list(accumulate(map(len, pieces), initial=0))
    _check_size(ends[-1])
    return np.frombuffer(b"".join(pieces), dtype=np.uint8), np.array(ends, dtype=np.uint32)


def _card(target: bytes, text: bytes, permalink: bytes) -> bytes:
    """The parts of a card as JSON, behind their lengths; nothing stands for null."""
    return _length(target) + _length(text) + _length(permalink) + target + text + permalink


def _length(part: bytes) -> bytes:
    """A length in one byte or, from 128 on, in two."""
    size = len(part)
    return bytes((size,)) if size < 128 else bytes((size & 127 | 128, size >> 7))


def _entities(phrases: Sequence[Phrase]) -> Words:
    """The number of each phrase's entity."""
    if all(phrase.target is None for phrase in phrases):  # then each is one of its own
        return np.arange(len(phrases), dtype=np.uint32)
    numbers: dict[object, int] = {}
    entities = [numbers.setdefault(phrase.entity, len(numbers)) for phrase in phrases]
    return np.array(entities, dtype=np.uint32)


def _records(
    order: Words, costs: Words, entities: Words, card_starts: Words, kinds: Words
) -> Words:
    """Three numbers a place: its entity, where its card begins, its costs with the type between."""
    phrases = order >> 1
    return np.column_stack(
        (entities[phrases], card_starts[phrases], costs | kinds[phrases] << PLACE_TYPE)
    ).astype(np.uint32)


def _type_names(types: dict[str | None, int]) -> dict[str, Section]:
    # With what stands before the name in a completion.
    names = [b'{"type":%b' % orjson.dumps(name) for name in types]
    return {
        "type_names": np.frombuffer(b"".join(names), dtype=np.uint8),
        "type_starts": np.array([0, *accumulate(map(len, names))], dtype=np.uint32),
    }


def _views(places: Words, kinds: Words, types: int) -> dict[str, Section]:
    """For each type the keys that are of it, ascending, with range minima; nothing for one type."""
    views: list[Words] = []
    minima: list[Words] = []
    if types > 1:
        for number in range(types):
            positions = np.flatnonzero(kinds == number).astype(np.uint32)
            views.append(positions)
            minima.append(range_minima.table(places[positions]))
    nothing = [np.zeros(0, dtype=np.uint32)]
    ends = [list(accumulate(map(len, arrays), initial=0)) for arrays in (views, minima)]
    return {
        "view_keys": np.concatenate(views or nothing),
        "view_minima": np.concatenate(minima or nothing),
        "view_bounds": np.array(
            [end for pair in zip(*ends, strict=True) for end in pair], np.uint32
        ),
    }


def _facts(
    phrases: Sequence[Phrase], types: dict[str | None, int], records: Words, card_starts: Words
) -> dict[str, Any]:
    counts = Counter(phrase.type for phrase in phrases)
    return {
        "phrases": len(phrases),
        "entities": len(np.unique(records[:, 0])),
        "types": {name or "": counts[name] for name in types},
        "largest_card": int(np.diff(card_starts).max(initial=0)),
    }
