"""The trie: the upper part of the keys, down to where few are left.

A node is a range of keys that begin alike, and its label is the last character of that. It has
children as long as its range is longer than a bucket; below, the keys are looked at one by one.
Nodes stand in order of depth, so that the children of one are neighbours.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from suggest.kernel.memory import NODE, TOP, TOPS_EACH
from suggest.kernel.nodes import DIGITS, LETTERS, OTHERS

Words = NDArray[np.uint32]
Numbers = NDArray[np.int64]

BUCKET: Final = 32  # keys of a range that is not divided any further
NOTHING: Final = np.iinfo(np.uint32).max
_END: Final = 0x20  # a byte below ends a key
_OTHERS: Final = 24  # bits that the less common characters share


@dataclass(frozen=True, kw_only=True)
class Trie:
    """Arrays over the nodes; the root is node 0."""

    #: Seven numbers a node: its first key, the end of its keys, its first child, the end of its
    #: children (both 0 if it has none), its least place, the cost of that, and its row in `tops`
    #: (NOTHING without one).
    nodes: Words
    labels: Words  # code points
    masks: Words  # two a node: the bits of the characters that go on from it, see kernel/nodes.py
    #: Ten pairs a node that has children: its least places, of each entity the least, and where
    #: their keys begin; then NOTHING.
    tops: Words


def build(
    text: NDArray[np.uint8], starts: Words, places: Words, entities: Words, costs: Words
) -> Trie:
    """The trie over sorted keys.

    Args:
        text: The records of all keys.
        starts: Where each key begins in the text, in the order of the keys.
        places: The place of each key.
        entities: The entity of each key.
        costs: The cost of each place.
    """
    level = _Level(
        low=np.zeros(1, dtype=np.int64),
        high=np.full(1, len(starts), dtype=np.int64),
        depth=np.zeros(1, dtype=np.int64),
        label=np.zeros(1, dtype=np.int64),
    )
    levels: list[_Level] = []
    counts: list[Numbers] = []
    masks: list[Words] = []
    while len(level.low):
        following, count, mask = _children(text, starts, level)
        levels.append(level)
        counts.append(count)
        masks.append(mask)
        level = following
    tops = _tops(levels, counts, places, entities)
    listed = tops != NOTHING
    pairs = np.full((len(tops), TOP), NOTHING, dtype=np.uint32)
    pairs[listed] = np.column_stack((places[tops[listed]], starts[tops[listed]]))
    return Trie(
        nodes=_nodes(levels, np.concatenate(counts), places, costs),
        labels=np.concatenate([level.label for level in levels]).astype(np.uint32),
        masks=np.concatenate(masks),
        tops=pairs.ravel(),
    )


@dataclass(frozen=True, kw_only=True)
class _Level:
    """The nodes of one depth: their ranges of keys, and how many bytes the keys share."""

    low: Numbers
    high: Numbers
    depth: Numbers
    label: Numbers


def _children(
    text: NDArray[np.uint8], starts: Words, level: _Level
) -> tuple[_Level, Numbers, Words]:
    """The children of a level's nodes, how many each has, and which characters follow in each."""
    node, key = _keys_of(level.low, level.high)
    character, width = decode(text, starts[key].astype(np.int64) + level.depth[node])
    first = np.ones(len(node) + 1, dtype=bool)
    first[1:-1] = (node[1:] != node[:-1]) | (character[1:] != character[:-1])
    edges = np.flatnonzero(first)
    begins, ends = edges[:-1], edges[1:] - 1
    # A key that ends here has no character: it belongs to its node, and to no child.
    there = character[begins] > 0
    masks = _masks(node[begins[there]], character[begins[there]], len(level.low))
    chosen = there & (level.high - level.low > BUCKET)[node[begins]]
    begins, ends = begins[chosen], ends[chosen]
    parent = node[begins]
    following = _Level(
        low=key[begins],
        high=key[ends] + 1,
        depth=level.depth[parent] + width[begins],
        label=character[begins],
    )
    return following, np.bincount(parent, minlength=len(level.low)), masks


def _keys_of(low: Numbers, high: Numbers) -> tuple[Numbers, Numbers]:
    """For each key of many ranges the number of its range, and the key."""
    sizes = high - low
    owner = np.repeat(np.arange(len(sizes)), sizes)
    return owner, np.arange(len(owner)) + np.repeat(low - np.cumsum(sizes) + sizes, sizes)


def _masks(node: Numbers, character: Numbers, nodes: int) -> Words:
    """Which characters follow in each node, as 64 bits in two words."""
    masks = np.zeros(nodes, dtype=np.uint64)
    np.bitwise_or.at(masks, node, np.uint64(1) << bits_of(character).astype(np.uint64))
    return masks.view(np.uint32)


def bits_of(character: Numbers) -> Numbers:
    """The bit of each character, as `kernel.nodes.bit_of` says."""
    bits = np.full(len(character), 12, dtype=np.int64)
    bits[character < ord("0")] = 1
    bits[character == ord(" ")] = 0
    digit = (character >= ord("0")) & (character <= ord("9"))
    bits[digit] = character[digit] - ord("0") + DIGITS
    letter = (character >= ord("a")) & (character <= ord("z"))
    bits[letter] = character[letter] - ord("a") + LETTERS
    other = character > ord("z")
    bits[other] = OTHERS + character[other] % _OTHERS
    return bits


def _nodes(levels: list[_Level], counts: Numbers, places: Words, costs: Words) -> Words:
    has_children = counts > 0
    first = 1 + np.cumsum(counts) - counts
    nodes = np.zeros((len(counts), NODE), dtype=np.uint32)
    nodes[:, 0] = np.concatenate([level.low for level in levels])
    nodes[:, 1] = np.concatenate([level.high for level in levels])
    nodes[:, 2] = np.where(has_children, first, 0)
    nodes[:, 3] = np.where(has_children, first + counts, 0)
    nodes[:, 4] = np.concatenate([_least(places, level) for level in levels])
    nodes[:, 5] = costs[nodes[:, 4]] if len(costs) else 0
    nodes[:, 6] = np.where(has_children, np.cumsum(has_children) - 1, NOTHING)
    return nodes.ravel()


def _least(places: Words, level: _Level) -> Words:
    if not len(places):
        return np.full(len(level.low), NOTHING, dtype=np.uint32)
    # The ranges of a level are ascending, with gaps: every second slice is one of them.
    edges = np.column_stack((level.low, level.high)).ravel()
    padded = np.append(places, np.uint32(NOTHING))
    return np.minimum.reduceat(padded, edges)[::2]


def _tops(levels: list[_Level], counts: list[Numbers], places: Words, entities: Words) -> Words:
    """The best of each node that has children, made of the best of its children, from below."""
    lists: list[Words] = []
    owner = key = np.zeros(0, dtype=np.int64)  # the best of the level below, and their nodes
    below = np.zeros(0, dtype=np.int64)  # the first keys of its nodes
    for level, count in zip(reversed(levels), reversed(counts), strict=True):
        own_owner, own_key = _own_keys(level, count, below)
        owner = np.append(np.repeat(np.arange(len(count)), count)[owner], own_owner)
        key = np.append(key, own_key)
        owner, key = _best(owner, key, places, entities)
        table = np.full((len(count), TOPS_EACH), NOTHING, dtype=np.uint32)
        table[owner, _ranks(owner)] = key
        lists.append(table[count > 0].ravel())
        below = level.low
    return np.concatenate(lists[::-1])


def _own_keys(level: _Level, count: Numbers, below: Numbers) -> tuple[Numbers, Numbers]:
    """The keys of each node that are no child's: those that end there, or all if it has none."""
    high = level.high.copy()
    has_children = count > 0
    high[has_children] = below[(np.cumsum(count) - count)[has_children]]
    return _keys_of(level.low, high)


def _best(owner: Numbers, key: Numbers, places: Words, entities: Words) -> tuple[Numbers, Numbers]:
    """Of each owner the keys of the ten least places, of each entity the least; in order."""
    order = np.lexsort((key, places[key], owner))
    owner, key = owner[order], key[order]
    fresh = _first_of_each(owner, entities[key])
    owner, key = owner[fresh], key[fresh]
    chosen = _ranks(owner) < TOPS_EACH
    return owner[chosen], key[chosen]


def _first_of_each(owner: Numbers, entity: Words) -> NDArray[np.bool_]:
    """Which are the first of their owner and entity."""
    order = np.lexsort((entity, owner))  # stable
    fresh = np.ones(len(order), dtype=bool)
    same = (owner[order][1:] == owner[order][:-1]) & (entity[order][1:] == entity[order][:-1])
    fresh[order[1:]] = ~same
    return fresh


def _ranks(owner: Numbers) -> Numbers:
    """The number of each among those of its owner, who stand together."""
    begins = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    sizes = np.diff(np.append(begins, len(owner)))
    return np.arange(len(owner)) - np.repeat(begins, sizes)


def decode(text: NDArray[np.uint8], at: Numbers) -> tuple[Numbers, Numbers]:
    """The characters that stand at these bytes of UTF-8, and how many bytes each takes.

    A key's end is character 0.
    """
    lead = text[at].astype(np.int64)
    character = np.where(lead < _END, 0, lead)
    width = np.ones(len(at), dtype=np.int64)
    for length, least, mask in ((2, 0xC0, 0x1F), (3, 0xE0, 0x0F), (4, 0xF0, 0x07)):
        which = np.flatnonzero(lead >= least)
        value = lead[which] & mask
        for step in range(1, length):
            value = value << 6 | (text[at[which] + step] & 0x3F)
        character[which], width[which] = value, length
    return character, width
