"""Range minima: which key of any range comes first, from a table of blocks.

For blocks of 64 keys, and for 2, 4, 8 … blocks in a row, the table has the position of the least
value. Any range is two overlapping runs of blocks, and what is left of a block at either end.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

BLOCK: Final = 64

Words = NDArray[np.uint32]


def levels(count: int) -> int:
    """How many rows the table has for so many keys."""
    return (-(-count // BLOCK)).bit_length()


def table(values: Words) -> Words:
    """The table, row after row, each as long as there are blocks.

    Row j has at i the position of the least of the values of the blocks i to i + 2^j - 1 (as far as
    there are any), the leftmost of equal ones.
    """
    count = len(values)
    blocks = -(-count // BLOCK)
    padded = np.full(blocks * BLOCK, np.iinfo(np.uint32).max, dtype=np.uint32)
    padded[:count] = values
    first = padded.reshape(blocks, BLOCK).argmin(axis=1) + np.arange(blocks) * BLOCK
    rows = [first.astype(np.uint32)]
    for row in range(1, levels(count)):
        left = rows[-1]
        right = np.append(left[1 << (row - 1) :], np.repeat(left[-1:], 1 << (row - 1)))[:blocks]
        rows.append(np.where(padded[right] < padded[left], right, left))
    return np.concatenate(rows) if rows else np.zeros(0, dtype=np.uint32)
