"""Completions the slow way: every key of every phrase is compared with what is typed."""

import math
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from suggest.builder import STEPS_PER_BIT, WORD_HANDICAP
from suggest.folding import fold
from suggest.kernel.answer import ONE_EDIT, TWO_EDITS
from suggest.kernel.characters import EXCHANGED, EXTRA, LAST, MISSING, OTHER
from suggest.keys import key_texts, records
from suggest.phrases import Phrase


def expected(
    phrases: Sequence[Phrase],
    typed: str,
    *,
    limit: int = 10,
    types: Collection[str] = (),
    fuzzy: bool = True,
) -> list[tuple[str, str | None, bool]]:
    """Text, target and whether it is corrected, best first."""
    folded = fold(typed)
    if not folded:
        return []
    places = _places(tuple(phrases))
    length = len(folded)
    edits = [0, *([1] if fuzzy and length >= ONE_EDIT else [])]
    found: dict[object, tuple[int, int, Phrase, bool]] = {}
    for most in [*edits, *([2] if fuzzy and length >= TWO_EDITS else [])]:
        found = {}
        for number, (phrase, key, handicap) in enumerate(places):
            if types and phrase.type not in types:
                continue
            cost = cheapest(folded, key, most)
            if cost is None:
                continue
            order = (cost + handicap, number, phrase, cost > 0)
            if phrase.entity not in found or order[:2] < found[phrase.entity][:2]:
                found[phrase.entity] = order
        if most == edits[-1] and found:
            break
    best = sorted(found.values(), key=lambda order: order[:2])[:limit]
    return [(phrase.text, phrase.target, corrected) for _, _, phrase, corrected in best]


@lru_cache(maxsize=2)
def _places(phrases: Sequence[Phrase]) -> Sequence[tuple[Phrase, str, int]]:
    """Phrase, key and cost of its weight, in the order of places."""
    heaviest: dict[object, Phrase] = {}
    for phrase in phrases:
        identity = (phrase.text, phrase.type, phrase.target)
        if identity not in heaviest or heaviest[identity].weight < phrase.weight:
            heaviest[identity] = phrase
    ordered = sorted(heaviest.values(), key=lambda phrase: -phrase.weight)
    least = min((math.log2(p.weight) for p in ordered if p.weight), default=1.0)
    pairs = []
    for number, phrase in enumerate(ordered):
        bits = math.log2(phrase.weight) if phrase.weight else least - 1
        for inner, key in _keys(phrase.text):
            pairs.append((bits - inner * math.log2(WORD_HANDICAP), number, inner, phrase, key))
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2], pair[4]))
    top = max((bits for bits, *_ in pairs), default=0.0)
    return [(phrase, key, round((top - bits) * STEPS_PER_BIT)) for bits, _, _, phrase, key in pairs]


def _keys(text: str) -> Iterator[tuple[int, str]]:
    """The keys of a text, and whether each is a further word."""
    heads = {record[1:] for record in records(text)}  # behind the flags
    for key in key_texts(text):
        yield (0 if key in heads else 1), key


def cheapest(typed: str, key: str, edits: int) -> int | None:
    """What it costs to make `typed` a beginning of `key` by so many edits at most.

    Equal characters are followed; an edit is made where they differ.
    """
    if key.startswith(typed):
        return 0
    if edits == 0:
        return None
    found = _rest(typed, key, 0, 0, edits)
    return None if math.isinf(found) else int(found)


def _rest(typed: str, key: str, i: int, j: int, left: int) -> float:
    """What it costs from these places on."""
    while i < len(typed) and j < len(key) and typed[i] == key[j]:
        i, j = i + 1, j + 1
    if i == len(typed):
        return 0
    if left == 0:
        return math.inf
    last = i == len(typed) - 1
    ways = [LAST + _rest(typed, key, i + 1, j, left - 1)] if last else []
    if j < len(key):
        ways.append(MISSING + _rest(typed, key, i, j + 1, left - 1))
        if not last:
            ways.append(OTHER + _rest(typed, key, i + 1, j + 1, left - 1))
    if not last and typed[i + 1] != typed[i]:
        ways.append(EXTRA + _rest(typed, key, i + 1, j, left - 1))
        if key[j : j + 2] == typed[i + 1] + typed[i]:
            ways.append(EXCHANGED + _rest(typed, key, i + 2, j + 2, left - 1))
    return min(ways, default=math.inf)
