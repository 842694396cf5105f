"""Highlights: which part of the shown text a key stands for.

Where folding changed lengths, the shown text is followed character by character, with a table of
what each becomes.
"""

from typing import Final

from suggest.kernel.characters import END, decode
from suggest.kernel.compilation import compiled, signed
from suggest.kernel.memory import COUNT, FOLD_POINTS, FOLD_SHAPES, Memory, Numbers
from suggest.kernel.ranges import lower_bound

# Bits of the byte before a record, and of a shape, see suggest/keys.py
_UNALIGNED: Final = 1
_CIRCLE: Final = 2
_LATIN: Final = 4
_LENGTH: Final = 0x0FFF
_PARTS: Final = 1 << 12
_PARTS_BEHIND: Final = 1 << 13
_MARK: Final = 1 << 14

_ASCII: Final = 128
_SPACE: Final = 0x20
_COMMA: Final = 0x2C
_QUOTE: Final = 0x22
_BACKSLASH: Final = 0x5C
_U: Final = 0x75
_OPENING: Final = 0x5B
_CLOSING: Final = 0x5D


@compiled
def write_highlight(
    data: Numbers,
    words: Numbers,
    work: Memory,
    start: int,
    matched: int,
    card: int,
    out: Memory,
    at: int,
) -> int:
    """Write the code points of the shown text that the first `matched` of a key stand for.

    Args:
        data: See `memory`, as for the next two.
        words: The same.
        work: The same.
        start: First byte of the key.
        matched: Code points.
        card: First byte of the shown text, as JSON.
        out: Gets [start,end], or two of them, ascending.
        at: Where in it.
    """
    first = 0  # code points of the record before the key
    byte = start
    flags = signed(data[byte - 1])
    while flags >= END:
        byte -= 1
        first += 1 if flags & 0xC0 != 0x80 else 0
        flags = signed(data[byte - 1])
    until = first + matched
    if ends_in_space(data, start, matched):
        until -= 1
    if until <= first:
        return at
    if flags & _CIRCLE:
        whole = two_words(data, byte)
        if until > whole:
            if first > 0:  # the second word, then the first
                at = write_range(data, words, work, flags, 0, until - whole, card, out, at)
                out[at] = _COMMA
                at += 1
            until = whole - 1
    return write_range(data, words, work, flags, first, until, card, out, at)


@compiled
def ends_in_space(data: Numbers, byte: int, count: int) -> bool:
    """Whether the last of so many code points from a byte on is a space."""
    character = 0
    for _ in range(count):
        character, width = decode(data, byte)
        byte += width
    return character == _SPACE


@compiled
def two_words(data: Numbers, byte: int) -> int:
    """How many code points the first two words of a record have, with the spaces behind them."""
    position, spaces = 0, 0
    while spaces < 2:
        character, width = decode(data, byte)
        byte += width
        position += 1
        spaces += 1 if character == _SPACE else 0
    return position


@compiled
def write_range(
    data: Numbers,
    words: Numbers,
    work: Memory,
    flags: int,
    begin: int,
    end: int,
    card: int,
    out: Memory,
    at: int,
) -> int:
    """Write the code points begin to end of a record as [start,end] in the shown text."""
    if flags & _UNALIGNED:
        begin, end = trace(data, words, work, 16 if flags & _LATIN else 0, begin, end, card)
    out[at] = _OPENING
    at = write_number(begin, out, at + 1)
    out[at] = _COMMA
    at = write_number(end, out, at + 1)
    out[at] = _CLOSING
    return at + 1


@compiled
def trace(
    data: Numbers, words: Numbers, work: Memory, bits: int, begin: int, end: int, card: int
) -> tuple[int, int]:
    """Where the code points begin to end of a record stand in the shown text.

    `bits` is where the shape of a character begins: 0 for the folded form, 16 for the other.
    """
    position, shown = 0, 0  # code points of the record and of the shown text so far
    start, stop = 0, 0
    parted = False
    shapes = work[FOLD_SHAPES]
    byte = card + 1
    character = signed(data[byte])
    while character != _QUOTE:
        if character == _BACKSLASH:  # a quote, a backslash or a control character: all part words
            byte += 6 if data[byte + 1] == _U else 2
            shape = _PARTS
        elif character < _ASCII:
            byte += 1
            shape = signed(words[shapes + character]) >> bits & 0xFFFF
        else:
            character, width = decode(data, byte)
            byte += width
            shape = signed(words[row_of(words, work, character)]) >> bits & 0xFFFF
        length = shape & _LENGTH
        parted = parted or shape & _PARTS != 0
        if length:
            if parted and position:
                position += 1
            if position <= begin:
                start = shown
            if position < end:
                stop = shown + 1
            elif position >= end:
                break
            position += length
            parted = shape & _PARTS_BEHIND != 0
        elif shape & _MARK and stop == shown:
            stop = shown + 1
        shown += 1
        character = signed(data[byte])
    return start, max(start, stop)


@compiled
def row_of(words: Numbers, work: Memory, character: int) -> int:
    """Where the shapes of a character beyond ASCII stand."""
    points, count = work[FOLD_POINTS], work[COUNT + FOLD_POINTS]
    row = lower_bound(words, points, points + count, character) - points
    return work[FOLD_SHAPES] + _ASCII + row


@compiled
def write_number(number: int, out: Memory, at: int) -> int:
    """Write a number from 0 to 9999 in decimal."""
    if number >= 10:
        if number >= 100:
            if number >= 1000:
                out[at] = 0x30 + number // 1000
                at += 1
            out[at] = 0x30 + number // 100 % 10
            at += 1
        out[at] = 0x30 + number // 10 % 10
        at += 1
    out[at] = 0x30 + number % 10
    return at + 1
