"""Answers: the best completions of what is typed, as JSON of pieces that are encoded already."""

from itertools import accumulate
from typing import Final

from suggest.kernel.characters import decode
from suggest.kernel.compilation import compiled, signed
from suggest.kernel.highlight import write_highlight
from suggest.kernel.memory import (
    CARDS,
    FOUND,
    HEAPED,
    LENGTH,
    LIMIT,
    LONGEST,
    LOOKED,
    MET,
    NEVER,
    PLACE,
    PLACE_CARD,
    PLACE_COST,
    PLACE_TYPE,
    PLACES,
    RESULT,
    RESULTS,
    TEXT,
    TYPE_BITS,
    TYPE_NAMES,
    TYPE_STARTS,
    TYPED,
    TYPES,
    USED,
    WORST,
    Memory,
    Numbers,
)
from suggest.kernel.search import corrected, exact

#: From so many characters on, one edit and two are made up for.
ONE_EDIT: Final = 3
TWO_EDITS: Final = 6
#: Bytes of a completion besides its card and the name of its type.
AROUND: Final = 200
_LINE_FEED: Final = 10
_COMMA: Final = 0x2C
_TWO_BYTES: Final = 0x80

_PIECES: Final = (
    b'{"completions":[',
    b',"id":',
    b',"text":',
    b',"highlight":[',
    b'],"permalink":',
    b',"corrected":true}',
    b',"corrected":false}',
    b"null",
)
_STARTS: Final = (0, *accumulate(map(len, _PIECES)))
_OPENING, _ID, _TEXT, _HIGHLIGHT, _PERMALINK, _CORRECTED, _EXACT, _NULL, _CLOSING = _STARTS
#: Room for what stands between the parts of an answer, at the beginning of what is written to.
FRAME: Final = 256
#: Where the length of what ends an answer stands.
_CLOSING_LENGTH: Final = FRAME - 1


def frame(closing: bytes) -> bytes:
    """What `out` has to begin with, so that answers end in `closing`."""
    pieces = b"".join((*_PIECES, closing))
    return pieces.ljust(_CLOSING_LENGTH, b"\0") + bytes([len(closing)])


@compiled
def answer(
    data: Numbers,
    words: Numbers,
    work: Memory,
    typed: bytes,
    limit: int,
    types: int,
    fuzzy: bool,
    out: Memory,
) -> int:
    """Write the answer to one folded beginning to `out`, behind its frame.

    Args:
        data: See `memory`, as for the next two.
        words: The same.
        work: The same.
        typed: In UTF-8.
        limit: Most completions.
        types: The wanted types as bits, -1 for all.
        fuzzy: Whether edits are made up for.
        out: Bytes, with a `frame` at the beginning.

    Returns:
        Where the answer ends.
    """
    work[LIMIT], work[TYPES] = limit, types
    search(data, words, work, typed, 0, len(typed), fuzzy)
    return write_all(data, words, work, out, FRAME)


@compiled
def answer_lines(
    data: Numbers,
    words: Numbers,
    work: Memory,
    lines: bytes,
    begin: int,
    limit: int,
    types: int,
    fuzzy: bool,
    out: Memory,
    room: int,
) -> tuple[int, int]:
    """Write a line of answer for each line of folded beginnings, as long as there is room.

    Args:
        data: As for `answer`, as all that are not told of here.
        words: The same.
        work: The same.
        lines: In UTF-8; each ends in a line feed.
        begin: Where the first line begins.
        limit: The same.
        types: The same.
        fuzzy: The same.
        out: The same.
        room: What one line may take.

    Returns:
        Where the next line begins, and where the answers end.
    """
    work[LIMIT], work[TYPES] = limit, types
    at = FRAME
    while begin < len(lines) and at + room <= len(out):
        end = begin
        while lines[end] != _LINE_FEED:
            end += 1
        search(data, words, work, lines, begin, end, fuzzy)
        at = write_all(data, words, work, out, at)
        out[at] = _LINE_FEED
        at += 1
        begin = end + 1
    return begin, at


@compiled
def search(
    data: Numbers, words: Numbers, work: Memory, typed: bytes, begin: int, end: int, fuzzy: bool
) -> None:
    """Find the completions of what stands in `typed`, best first."""
    find(data, words, work, typed, begin, end, fuzzy)
    if fuzzy:
        find_further(data, words, work)


@compiled
def find(
    data: Numbers, words: Numbers, work: Memory, typed: bytes, begin: int, end: int, fuzzy: bool
) -> None:
    """As `search`, without what takes two edits."""
    length = 0
    while begin < end and length < LONGEST:
        work[TYPED + length], width = decode(typed, begin)
        begin += width
        length += 1
    work[LENGTH], work[WORST] = length, NEVER
    work[FOUND] = work[LOOKED] = work[HEAPED] = work[USED] = work[MET] = 0
    if length == 0:
        return
    exact(data, words, work)
    if fuzzy and length >= ONE_EDIT:
        corrected(data, words, work, 1)


@compiled
def find_further(data: Numbers, words: Numbers, work: Memory) -> None:
    """After `find`: what takes two edits, if nothing was found."""
    if work[LENGTH] >= TWO_EDITS and work[FOUND] == 0:
        corrected(data, words, work, 2)


@compiled
def write_all(data: Numbers, words: Numbers, work: Memory, out: Memory, at: int) -> int:
    """Write the results as one answer."""
    at = copy(out, _OPENING, _ID - _OPENING, out, at)
    for number in range(work[FOUND]):
        if number:
            out[at] = _COMMA
            at += 1
        at = write(data, words, work, RESULTS + number * RESULT, out, at)
    return copy(out, _CLOSING, signed(out[_CLOSING_LENGTH]), out, at)


@compiled
def write(data: Numbers, words: Numbers, work: Memory, result: int, out: Memory, at: int) -> int:
    """Write one completion."""
    start, info = work[TEXT] + work[result + 1], work[result + 3]
    place = work[PLACES] + PLACE * work[result + 4]
    card = work[CARDS] + signed(words[place + PLACE_CARD])
    id_length, card = length_at(data, card)
    text_length, card = length_at(data, card)
    link_length, card = length_at(data, card)
    text = card + id_length
    kind = signed(words[place + PLACE_COST]) >> PLACE_TYPE & ((1 << TYPE_BITS) - 1)
    row = work[TYPE_STARTS] + kind
    name, end = signed(words[row]), signed(words[row + 1])
    at = copy(data, work[TYPE_NAMES] + name, end - name, out, at)
    at = copy(out, _ID, _TEXT - _ID, out, at)
    at = write_part(data, card, id_length, out, at)
    at = copy(out, _TEXT, _HIGHLIGHT - _TEXT, out, at)
    at = copy(data, text, text_length, out, at)
    at = copy(out, _HIGHLIGHT, _PERMALINK - _HIGHLIGHT, out, at)
    at = write_highlight(data, words, work, start, info & 255, text, out, at)
    at = copy(out, _PERMALINK, _CORRECTED - _PERMALINK, out, at)
    at = write_part(data, text + text_length, link_length, out, at)
    if info >> 8:
        return copy(out, _CORRECTED, _EXACT - _CORRECTED, out, at)
    return copy(out, _EXACT, _NULL - _EXACT, out, at)


@compiled
def length_at(data: Numbers, at: int) -> tuple[int, int]:
    """A length in one byte or, from 128 on, in two; and where what follows begins."""
    low = signed(data[at])
    if low < _TWO_BYTES:
        return low, at + 1
    return (low - _TWO_BYTES) | signed(data[at + 1]) << 7, at + 2


@compiled
def write_part(data: Numbers, begin: int, length: int, out: Memory, at: int) -> int:
    """Write a part of a card that may be nothing, which is null."""
    if length == 0:
        return copy(out, _NULL, _CLOSING - _NULL, out, at)
    return copy(data, begin, length, out, at)


@compiled
def copy(source: Numbers, begin: int, length: int, out: Memory, at: int) -> int:
    """Copy bytes; returns where the next belong."""
    # As if one of these could be negative: then the compiler need not think of that, byte by byte.
    begin, at = max(begin, 0), max(at, 0)
    for number in range(length):
        out[at + number] = source[begin + number]
    return at + length
