"""Nodes of the trie: which characters go on from one, and to which child.

A mask has a bit for each of the characters that most keys are made of: the space, digits and
letters a to z; these tell for certain, and in the order of the children. The others share the rest.
"""

from typing import Final

from suggest.kernel.compilation import compiled, ones, signed
from suggest.kernel.memory import (
    LABELS,
    MASKS,
    NODE,
    NODE_FIRST,
    NODE_LAST,
    NODES,
    Memory,
    Numbers,
)

# Bits of a mask, also in suggest/trie.py. 0: space, 1 and 12: what stands between in ASCII.
DIGITS: Final = 2
BETWEEN: Final = 1 << 1 | 1 << 12
LETTERS: Final = 13
OTHERS: Final = 39
_OTHERS: Final = 24


@compiled
def bit_of(character: int) -> int:
    """The bit that stands for a character."""
    if 0x61 <= character <= 0x7A:
        return character - 0x61 + LETTERS
    if character == 0x20:
        return 0
    if character > 0x7A:
        return OTHERS + character % _OTHERS
    if character < 0x30:
        return 1
    return character - 0x30 + DIGITS if character <= 0x39 else 12


@compiled
def mask_of(words: Numbers, work: Memory, node: int) -> int:
    """The bits of the characters that go on from a node."""
    at = work[MASKS] + 2 * node
    return signed(words[at]) | signed(words[at + 1]) << 32


@compiled
def node_at(work: Memory, node: int) -> int:
    """Where the numbers of a node stand in `words`."""
    return work[NODES] + NODE * node


@compiled
def child_of(words: Numbers, work: Memory, node: int, character: int, bit: int) -> int:
    """The child that a character leads to; -1 if there is none. `bit` is that of the character."""
    mask = mask_of(words, work, node)
    if mask >> bit & 1 == 0:
        return -1
    at = work[NODES] + NODE * node
    first, last = signed(words[at + NODE_FIRST]), signed(words[at + NODE_LAST])
    below = mask & ((1 << bit) - 1)
    if bit < OTHERS and below & BETWEEN == 0 and 1 << bit & BETWEEN == 0:
        return first + ones(below)
    return find(words, work, first, last, character)


@compiled
def find(words: Numbers, work: Memory, first: int, last: int, character: int) -> int:
    """The node of that label among first to last; -1 if there is none."""
    labels, end = work[LABELS], last
    while first < last:
        middle = (first + last) >> 1
        if signed(words[labels + middle]) < character:
            first = middle + 1
        else:
            last = middle
    return first if first < end and signed(words[labels + first]) == character else -1
