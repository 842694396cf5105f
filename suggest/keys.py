"""Keys: what a phrase can be found by, as bytes of a snapshot's text.

A phrase has one record, or two if it is not written in Latin letters. A record is the folded form
in UTF-8 and a space, so that "john " finds "John" and "John Travolta", not "Johnny". Its beginning
is a key, and so is each further word. A name of two words goes round in a circle: behind "john
travolta " stands "john " again, and the key "travolta john " costs nothing.

Before a record stands a byte below a space, its flags. It ends the record before, and a key finds
the beginning of its record by it. Flags say how the record is related to the text that is shown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from suggest.folding import Shape, fold, is_aligned, shapes, transliterate

LONGEST: Final = 120  # code points of a record that are searched; a circle has up to twice as many
WORDS: Final = 16  # words of a record that are keys
END: Final = " "  # a byte below ends a record
# Flags
UNALIGNED: Final = 1  # characters do not simply stand where they stand in the shown text
CIRCLE: Final = 2  # two words, and the first again
LATIN: Final = 4  # transliterated
_ASCII: Final = 128
_LENGTH_BITS: Final = 0x0FFF
_PARTS: Final = 1 << 12
_PARTS_BEHIND: Final = 1 << 13
_MARK: Final = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys of many phrases, in the order of their records."""

    text: NDArray[np.uint8]  # all records, and a zero byte behind them
    starts: NDArray[np.int64]  # where each key begins in it
    phrases: NDArray[np.int64]  # which phrase it is a key of
    inner: NDArray[np.int64]  # 0 for the beginning of a record, 1 for a further word


def records(text: str, *, word_starts: bool = True) -> Iterator[str]:
    """The records of a phrase that is shown as `text`, each behind its flags.

    None if nothing of it can be typed. Only where words are keys, there are circles.
    """
    folded = fold(text).rstrip(" ")[:LONGEST]
    if not folded:
        return
    make = _circle if word_starts else _line
    yield make(folded, 0 if is_aligned(text, folded) else UNALIGNED)
    if not folded.isascii() and (latin := transliterate(folded)):
        yield make(latin.rstrip(" ")[:LONGEST], LATIN | UNALIGNED)


def key_texts(text: str, *, word_starts: bool = True) -> list[str]:
    """The keys of a phrase as text."""
    keys = collect([text], word_starts=word_starts)
    content = keys.text.tobytes()
    ends = [next(i for i in range(at, len(content)) if content[i] < ord(END)) for at in keys.starts]
    return [content[at:end].decode() for at, end in zip(keys.starts, ends, strict=True)]


def collect(texts: Iterable[str], *, word_starts: bool, padding: int = 0) -> Keys:
    """The keys of phrases that are shown as `texts`, with zero bytes behind all records."""
    pieces: list[str] = []
    counts = []
    for text in texts:
        before = len(pieces)
        pieces += records(text, word_starts=word_starts)
        counts.append(len(pieces) - before)
    pieces.append("\0" * (padding + 1))
    content = np.frombuffer("".join(pieces).encode(), dtype=np.uint8)
    starts, record, inner = _key_starts(
        content, len(content) - padding - 1, word_starts=word_starts
    )
    owners = np.repeat(np.arange(len(counts)), counts)
    return Keys(text=content, starts=starts, phrases=owners[record], inner=inner)


def fold_table(texts: Iterable[str]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """What the characters of the shown texts become, for highlights.

    Returns:
        The characters beyond ASCII that occur, ascending; and for each character of ASCII, then for
        each of those, the shapes of its folded form (low 16 bits) and of its transliterated one.
    """
    used: set[str] = set()
    used.update(*texts)
    points = sorted(ord(character) for character in used if ord(character) >= _ASCII)
    packed = [
        _packed(folded) | _packed(latin) << 16
        for folded, latin in (shapes(chr(point)) for point in [*range(_ASCII), *points])
    ]
    return np.array(points, dtype=np.uint32), np.array(packed, dtype=np.uint32)


def _line(folded: str, flags: int) -> str:
    return f"{chr(flags)}{folded} "


def _circle(folded: str, flags: int) -> str:
    """A circle of two words, or else a line."""
    first, _, second = folded.partition(" ")
    if second and " " not in second:
        return f"{chr(flags | CIRCLE)}{folded} {first} "
    return _line(folded, flags)


def _key_starts(
    content: NDArray[np.uint8], end: int, *, word_starts: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Where keys begin before `end`, the number of the record, and whether it is a further word."""
    before, here = content[: max(end - 1, 0)], content[1 : max(end, 1)]
    if len(here) == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing
    begins = (before < ord(END)) & (here >= ord(END))
    words = begins | ((before == ord(" ")) & (here > ord(" "))) if word_starts else begins
    starts = np.flatnonzero(words) + 1
    record = np.cumsum(begins)[starts - 1] - 1
    first = np.flatnonzero(begins[starts - 1])
    ordinal = np.arange(len(starts)) - first[record]
    flags = before[begins]
    most = np.where(flags & CIRCLE, 2, WORDS)[record]
    chosen = ordinal < most
    return starts[chosen], record[chosen], (ordinal[chosen] > 0).astype(np.int64)


def _packed(shape: Shape) -> int:
    return (
        min(shape.length, _LENGTH_BITS)
        | (_PARTS if shape.parts else 0)
        | (_PARTS_BEHIND if shape.parts_behind else 0)
        | (_MARK if shape.is_mark else 0)
    )
