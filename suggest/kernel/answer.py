"""Answers: the best completions of what is typed, as JSON of pieces that are encoded already."""

from typing import Final

from suggest.kernel.characters import decode
from suggest.kernel.compilation import compiled, signed
from suggest.kernel.highlight import write_highlight
from suggest.kernel.memory import (
    CARD_STARTS,
    CARDS,
    COUNT,
    ENTITIES,
    FOUND,
    HEAPED,
    KINDS,
    LENGTH,
    LONGEST,
    LOOKED,
    NEVER,
    ORDER,
    PLACE_PHRASES,
    PLACES,
    RANGE,
    RANGES,
    RESULT,
    RESULTS,
    SLOTS,
    STARTS,
    TEXT,
    TYPE_NAMES,
    TYPE_STARTS,
    TYPED,
    TYPES,
    USED,
    VIEW_BOUNDS,
    VIEW_KEYS,
    WORST,
    Memory,
    Numbers,
)
from suggest.kernel.ranges import pop, wait
from suggest.kernel.search import corrected, exact

#: From so many characters on, one edit and two are made up for.
ONE_EDIT: Final = 3
TWO_EDITS: Final = 6
#: Bytes of a completion besides its card and the name of its type.
AROUND: Final = 200
_LINE_FEED: Final = 10

_TYPE: Final = b'{"type":'
_ID: Final = b',"id":'
_TEXT: Final = b',"text":'
_HIGHLIGHT: Final = b',"highlight":['
_PERMALINK: Final = b'],"permalink":'
_CORRECTED: Final = b',"corrected":true}'
_EXACT: Final = b',"corrected":false}'
_NULL: Final = b"null"
_COMMA: Final = 0x2C


@compiled
def answer(
    data: Numbers,
    words: Numbers,
    part: Numbers,
    work: Memory,
    lines: bytes,
    begin: int,
    limit: int,
    types: int,
    fuzzy: bool,
    opening: bytes,
    closing: bytes,
    out: Memory,
    room: int,
) -> tuple[int, int]:
    """Write the completions of each line of folded beginnings to `out`, as long as there is room.

    Args:
        data: See `memory`, as for the next three.
        words: The same.
        part: The same.
        work: The same.
        lines: In UTF-8; each ends in a line feed.
        begin: Where the first line begins.
        limit: Most completions of one.
        types: The wanted types as bits, -1 for all.
        fuzzy: Whether edits are made up for.
        opening: What is written before the completions of a line.
        closing: What is written behind them.
        out: Bytes.
        room: What one answer may take of them.

    Returns:
        Where the next line begins, and how many bytes were written.
    """
    at = 0
    while begin < len(lines) and at + room <= len(out):
        end = begin
        while lines[end] != _LINE_FEED:
            end += 1
        search(data, words, part, work, lines, begin, end, limit, types, fuzzy)
        at = copy(opening, 0, len(opening), out, at)
        at = write_all(data, words, part, work, out, at)
        at = copy(closing, 0, len(closing), out, at)
        begin = end + 1
    return begin, at


@compiled
def search(
    data: Numbers,
    words: Numbers,
    part: Numbers,
    work: Memory,
    typed: bytes,
    begin: int,
    end: int,
    limit: int,
    types: int,
    fuzzy: bool,
) -> None:
    """Find the completions of what stands in `typed`, best first."""
    length = 0
    while begin < end and length < LONGEST:
        work[TYPED + length], width = decode(typed, begin)
        begin += width
        length += 1
    work[LENGTH], work[TYPES], work[WORST] = length, types, NEVER
    work[FOUND] = work[LOOKED] = work[HEAPED] = work[USED] = 0
    if length == 0:
        return
    exact(data, words, part, work)
    drain(data, words, part, work, limit)
    if fuzzy and length >= ONE_EDIT:
        corrected(data, words, part, work, 1)
        drain(data, words, part, work, limit)
        if length >= TWO_EDITS and work[FOUND] == 0:
            corrected(data, words, part, work, 2)
            drain(data, words, part, work, limit)


@compiled
def drain(data: Numbers, words: Numbers, part: Numbers, work: Memory, limit: int) -> None:
    """Take completions from the heap until none can be among the best `limit`."""
    while work[HEAPED] > 0:
        order, slot = work[ORDER], work[SLOTS]
        if order >= work[WORST]:
            break
        pop(work)
        base = RANGES + slot * RANGE
        low, high, position = work[base], work[base + 1], work[base + 2]
        info, view = work[base + 3], work[base + 4]
        key = position
        if view >= 0:
            keys = part[VIEW_KEYS] + signed(words[part[VIEW_BOUNDS] + 2 * view])
            key = signed(words[keys + position])
        offer(words, part, work, limit, order, key, info)
        wait(data, words, part, work, slot, view, low, position, info)
        wait(data, words, part, work, -1, view, position + 1, high, info)
    work[HEAPED] = work[USED] = 0


@compiled
def phrase_of(words: Numbers, part: Numbers, key: int) -> int:
    """The phrase that a key belongs to."""
    place = signed(words[part[PLACES] + key])
    return signed(words[part[PLACE_PHRASES] + place]) >> 1


@compiled
def offer(
    words: Numbers, part: Numbers, work: Memory, limit: int, order: int, key: int, info: int
) -> None:
    """Put a key among the results, unless its entity is there already by a better one."""
    entity = phrase_of(words, part, key)
    if part[COUNT + ENTITIES]:
        entity = signed(words[part[ENTITIES] + entity])
    found = work[FOUND]
    at = found
    for other in range(found):
        base = RESULTS + other * RESULT
        if work[base + 2] == entity:
            if work[base] <= order:
                return
            at = other
            break
    if at == found:
        if found < limit:
            work[FOUND] = found + 1
        else:
            at -= 1
    while at > 0 and work[RESULTS + (at - 1) * RESULT] > order:
        base = RESULTS + at * RESULT
        for number in range(RESULT):
            work[base + number] = work[base + number - RESULT]
        at -= 1
    base = RESULTS + at * RESULT
    work[base], work[base + 1], work[base + 2], work[base + 3] = order, key, entity, info
    if work[FOUND] == limit:
        work[WORST] = work[RESULTS + (limit - 1) * RESULT]


@compiled
def write_all(
    data: Numbers, words: Numbers, part: Numbers, work: Memory, out: Memory, at: int
) -> int:
    """Write the results, separated by commas."""
    for number in range(work[FOUND]):
        if number:
            out[at] = _COMMA
            at += 1
        base = RESULTS + number * RESULT
        at = write(data, words, part, work[base + 1], work[base + 3], out, at)
    return at


@compiled
def write(
    data: Numbers, words: Numbers, part: Numbers, key: int, info: int, out: Memory, at: int
) -> int:
    """Write one completion."""
    phrase = phrase_of(words, part, key)
    at = copy(_TYPE, 0, len(_TYPE), out, at)
    row = part[TYPE_STARTS] + signed(data[part[KINDS] + phrase])
    names = part[TYPE_NAMES]
    at = copy(data, names + signed(words[row]), names + signed(words[row + 1]), out, at)
    at = copy(_ID, 0, len(_ID), out, at)
    card = part[CARDS] + signed(words[part[CARD_STARTS] + phrase])
    text, at = write_part(data, card, out, at)
    at = copy(_TEXT, 0, len(_TEXT), out, at)
    permalink, at = write_part(data, text, out, at)
    at = copy(_HIGHLIGHT, 0, len(_HIGHLIGHT), out, at)
    start = part[TEXT] + signed(words[part[STARTS] + key])
    at = write_highlight(data, words, part, start, info & 255, text, out, at)
    at = copy(_PERMALINK, 0, len(_PERMALINK), out, at)
    _, at = write_part(data, permalink, out, at)
    if info >> 8:
        return copy(_CORRECTED, 0, len(_CORRECTED), out, at)
    return copy(_EXACT, 0, len(_EXACT), out, at)


@compiled
def copy(source: Numbers, begin: int, end: int, out: Memory, at: int) -> int:
    """Copy bytes; returns where the next belong."""
    for byte in range(begin, end):
        out[at + byte - begin] = source[byte]
    return at + end - begin


@compiled
def write_part(data: Numbers, begin: int, out: Memory, at: int) -> tuple[int, int]:
    """Write a part of a card; returns where the next part begins, and where it belongs."""
    end = begin
    while data[end] != 0:
        end += 1
    if begin == end:
        return end + 1, copy(_NULL, 0, len(_NULL), out, at)
    return end + 1, copy(data, begin, end, out, at)
