"""Sorting: keys in the order of their bytes, without making a string of each.

Keys are positions in one long text. They are compared eight bytes at a time, as big-endian
numbers, and only those that are still level go into the next round.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]

_STEP: Final = 8  # bytes that are compared at once
_END: Final = 0x20  # a byte below ends a key


def key_order(text: Bytes, starts: Positions, ties: NDArray[np.int64]) -> Positions:
    """The order of the keys that begin at `starts`; equal ones by `ties`, ascending.

    Args:
        text: The records of all keys; must end in eight zero bytes or more.
        starts: Where each key begins.
        ties: One number a key.

    Returns:
        Indices into `starts`.
    """
    order = np.argsort(ties, kind="stable")
    group = np.zeros(len(starts), dtype=np.int64)  # of each place in `order`; its first place
    level = np.arange(len(starts))  # the places whose keys are still equal to a neighbour's
    depth = 0
    while len(level):
        keys = order[level]
        chunk, ended = _chunks(text, starts[keys] + depth)
        inner = np.lexsort((chunk, group[level]))  # stable: what is equal stays in order of ties
        order[level] = keys[inner]
        chunk, ended, groups = chunk[inner], ended[inner], group[level]
        fresh = np.empty(len(level), dtype=bool)
        fresh[0] = True
        fresh[1:] = (chunk[1:] != chunk[:-1]) | (groups[1:] != groups[:-1])
        group[level] = level[np.maximum.accumulate(np.where(fresh, np.arange(len(level)), 0))]
        alone = fresh & np.append(fresh[1:], True)
        level = level[~(alone | ended)]
        depth += _STEP
    return order


def _chunks(text: Bytes, starts: Positions) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """The next eight bytes of each key, zeros behind its end; and whether it ends in them."""
    chunk = np.zeros(len(starts), dtype=np.uint64)
    going = np.ones(len(starts), dtype=bool)
    for step in range(_STEP):
        # Behind a key's end any byte will do; near the end of the text there is none.
        byte = text[np.minimum(starts + step, len(text) - 1)]
        going &= byte >= _END
        chunk = (chunk << np.uint64(8)) | np.where(going, byte, 0).astype(np.uint64)
    return chunk, ~going
