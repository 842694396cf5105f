"""Characters: how a key begins with what is typed, and with how many edits."""

from typing import Final

from suggest.kernel.compilation import compiled, signed
from suggest.kernel.memory import FORK, FORKS, LENGTH, TYPED, Memory, Numbers

END: Final = 0x20  # a byte below ends a key
#: What edits cost, in the steps of `builder.STEPS_PER_BIT`: a corrected completion counts as if it
#: weighed so many times less. A character that is missing, and two that are exchanged, happen in
#: one way; a character too many, or another, could have been any, so each of those is less likely.
MISSING: Final = 5 * 64
EXCHANGED: Final = 5 * 64
EXTRA: Final = 7 * 64
OTHER: Final = 7 * 64
LEAST: Final = min(MISSING, EXCHANGED, EXTRA, OTHER)
#: An edit of the last character says next to nothing, for everything below the characters before it
#: would do.
LAST: Final = 11 * 64


@compiled
def decode(data: Numbers, byte: int) -> tuple[int, int]:
    """The character of UTF-8 at a byte, and its width; character 0 where a key ends."""
    lead = signed(data[byte])
    if lead < 0x80:
        return (lead if lead >= END else 0), 1
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | signed(data[byte + 1]) & 0x3F, 2
    middle = (signed(data[byte + 1]) & 0x3F) << 6 | signed(data[byte + 2]) & 0x3F
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | middle, 3
    return (lead & 0x07) << 18 | middle << 6 | signed(data[byte + 3]) & 0x3F, 4


@compiled
def width_of(character: int) -> int:
    """Bytes of a character in UTF-8."""
    if character < 0x80:
        return 1
    if character < 0x800:
        return 2
    return 3 if character < 0x10000 else 4


@compiled
def begins(data: Numbers, work: Memory, byte: int, i: int) -> int:
    """How many characters of a key, from a byte on, are typed from i on; -1 if they differ."""
    length = work[LENGTH]
    first = i
    while i < length:
        character, width = decode(data, byte)
        if character != work[TYPED + i]:
            return -1
        byte += width
        i += 1
    return i - first


@compiled
def near(data: Numbers, work: Memory, byte: int, i: int, left: int) -> int:
    """How a key, from a byte on, begins with what is typed from i on, with `left` edits at most.

    Returns:
        The cost of the edits, then eight bits for how many characters of the key that takes: the
        least such number. -1 if it does not.
    """
    length = work[LENGTH]
    best = -1
    top = fork(work, 0, byte, i, left, 0)
    while top > 0:
        top -= 1
        base = FORKS + top * FORK
        byte, i, left, info = work[base], work[base + 1], work[base + 2], work[base + 3]
        character, width = decode(data, byte)
        while i < length and character == work[TYPED + i]:
            byte, i, info = byte + width, i + 1, info + 1
            character, width = decode(data, byte)
        if i < length:
            if left == 0:
                continue
            if character:
                top = fork(work, top, byte + width, i, left - 1, info + (MISSING << 8) + 1)
            if i < length - 1:
                top = differ(data, work, top, byte, i, left - 1, info)
                continue
            info += LAST << 8
        best = info if best < 0 else min(best, info)
    return best


@compiled
def differ(data: Numbers, work: Memory, top: int, byte: int, i: int, left: int, info: int) -> int:
    """Note how a key may go on where it differs: a character too many, another, two exchanged."""
    typed, following = work[TYPED + i], work[TYPED + i + 1]
    character, width = decode(data, byte)
    if character:
        top = fork(work, top, byte + width, i + 1, left, info + (OTHER << 8) + 1)
    if following != typed:  # of equal ones, the last is the one too many
        top = fork(work, top, byte, i + 1, left, info + (EXTRA << 8))
        if character == following:
            after, more = decode(data, byte + width)
            if after == typed:
                info += (EXCHANGED << 8) + 2
                top = fork(work, top, byte + width + more, i + 2, left, info)
    return top


@compiled
def fork(work: Memory, top: int, byte: int, i: int, left: int, info: int) -> int:
    """Note a way on; returns how many are noted."""
    base = FORKS + top * FORK
    work[base] = byte
    work[base + 1] = i
    work[base + 2] = left
    work[base + 3] = info
    return top + 1
