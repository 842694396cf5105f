"""The trie: the upper part of the keys, down to where few are left.

A node is a range of keys that begin alike, and says so by its last character. It has children as
long as its range is longer than a bucket; below, the keys are looked at one by one. Nodes stand in
order of depth, so that the children of one are neighbours.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

BUCKET: Final = 16  # keys of a range that is not divided any further
_END: Final = 0x20  # a byte below ends a key
_LEAST: Final = np.iinfo(np.uint32).max


@dataclass(frozen=True, kw_only=True)
class Trie:
    """Arrays over the nodes; the root is node 0."""

    labels: Words  # the last character, a code point
    keys: Words  # the first key of the range; it ends where the next sibling's begins
    children: Words  # the first child; one more than nodes, so that i's end where i + 1's begin
    best: Words  # the least place in the range
    masks: Words  # bit (code point & 31) is set for each child, or each next character in a bucket


def build(text: NDArray[np.uint8], starts: Words, places: Words) -> Trie:
    """The trie over sorted keys.

    Args:
        text: The records of all keys.
        starts: Where each key begins in the text, in the order of the keys.
        places: The place of each key.
    """
    level = _Level(
        low=np.zeros(1, dtype=np.int64),
        high=np.full(1, len(starts), dtype=np.int64),
        depth=np.zeros(1, dtype=np.int64),
        label=np.zeros(1, dtype=np.int64),
    )
    levels = []
    while len(level.low):
        following, counts, masks = _children(text, starts, level)
        best = _least(places, level)
        levels.append((level, counts, masks, best))
        level = following
    count = np.concatenate([counts for _, counts, _, _ in levels])
    return Trie(
        labels=np.concatenate([one.label for one, *_ in levels]).astype(np.uint32),
        keys=np.concatenate([one.low for one, *_ in levels]).astype(np.uint32),
        children=np.concatenate(([1], 1 + np.cumsum(count))).astype(np.uint32),
        best=np.concatenate([best for *_, best in levels]),
        masks=np.concatenate([masks for _, _, masks, _ in levels]),
    )


@dataclass(frozen=True, kw_only=True)
class _Level:
    """The nodes of one depth: their ranges of keys, and how many bytes the keys share."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    depth: NDArray[np.int64]
    label: NDArray[np.int64]


def _children(
    text: NDArray[np.uint8], starts: Words, level: _Level
) -> tuple[_Level, NDArray[np.int64], Words]:
    """The children of a level's nodes, how many each has, and which characters follow in each."""
    sizes = level.high - level.low
    node = np.repeat(np.arange(len(sizes)), sizes)
    key = np.arange(len(node)) + np.repeat(level.low - np.cumsum(sizes) + sizes, sizes)
    character, width = decode(text, starts[key].astype(np.int64) + level.depth[node])
    first = np.ones(len(node) + 1, dtype=bool)
    first[1:-1] = (node[1:] != node[:-1]) | (character[1:] != character[:-1])
    edges = np.flatnonzero(first)
    begins, ends = edges[:-1], edges[1:] - 1
    # A key that ends here has no character: it belongs to its node, and to no child.
    there = character[begins] > 0
    masks = _masks(node[begins[there]], character[begins[there]], len(sizes))
    chosen = there & (sizes > BUCKET)[node[begins]]
    begins, ends = begins[chosen], ends[chosen]
    parent = node[begins]
    following = _Level(
        low=key[begins],
        high=key[ends] + 1,
        depth=level.depth[parent] + width[begins],
        label=character[begins],
    )
    return following, np.bincount(parent, minlength=len(sizes)), masks


def _masks(node: NDArray[np.int64], character: NDArray[np.int64], nodes: int) -> Words:
    """Which characters follow in each node, as bits."""
    masks = np.zeros(nodes, dtype=np.uint32)
    np.bitwise_or.at(masks, node, np.uint32(1) << (character & 31).astype(np.uint32))
    return masks


def _least(places: Words, level: _Level) -> Words:
    if not len(places):
        return np.full(len(level.low), _LEAST, dtype=np.uint32)
    # The ranges of a level are ascending, with gaps: every second slice is one of them.
    edges = np.column_stack((level.low, level.high)).ravel()
    padded = np.append(places, np.uint32(_LEAST))
    return np.minimum.reduceat(padded, edges)[::2]


def decode(
    text: NDArray[np.uint8], at: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The characters that stand at these bytes of UTF-8, and how many bytes each takes.

    A key's end is character 0.
    """
    lead = text[at].astype(np.int64)
    character = np.where(lead < _END, 0, lead)
    width = np.ones(len(at), dtype=np.int64)
    for length, mask in ((2, 0x1F), (3, 0x0F), (4, 0x07)):
        which = np.flatnonzero((lead >= (0xC0, 0xE0, 0xF0)[length - 2]) & (width == length - 1))
        which = which[lead[which] >= 0xC0]
        value = lead[which] & mask
        for step in range(1, length):
            value = value << 6 | (text[at[which] + step] & 0x3F)
        character[which], width[which] = value, length
    return character, width
