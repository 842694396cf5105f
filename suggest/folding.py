"""Folding: what is typed and what is written become the same characters.

Case, accents, width, ligatures and punctuation vanish; words are parted by one space. The one
function `fold` serves the build of a snapshot and the query. It grows with what is typed: the fold
of a beginning is a beginning of the fold, so that a completion does not flicker at a full stop.
"""

import unicodedata
from typing import Final, NamedTuple

from anyascii import anyascii

#: Part of every snapshot: keys that were folded by other rules must not be searched by these.
VERSION: Final = 1

# Full stop, apostrophes of all kinds and what is written for them, the Arabic stretching bar, and
# what stands for undecodable bytes: "R.E.M." is "rem", "don't" is "dont".
_DROPPED: Final = frozenset(
    ".'`\u00b4\u2018\u2019\u201b\u2032\u02b9\u02bb\u02bc\u02bd\u02c8\u0640\ufffd"
)
# Marks that people leave out when they type. Those of Indic and Thai scripts are vowels, and stay.
_MARKS: Final = (
    *((0x0300, 0x036F), (0x0591, 0x05C7), (0x064B, 0x065F), (0x0670, 0x0670), (0x06D6, 0x06ED)),
    *((0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F)),
    (0xE0100, 0xE01EF),
)
_LATIN_BLOCKS: Final = ((0x80, 0x24F), (0x1E00, 0x1EFF), (0xA720, 0xA7FF))
_KEPT_SYMBOLS: Final = frozenset({"So", "Sc"})  # emoji are words, "A$AP" is spelt so


def fold(text: str) -> str:
    """The folded form. It ends in a space if `text` ends in something that parts words.

    Text of nothing but punctuation keeps it ("!!!" is a name). Empty if nothing is left.
    """
    if text.isascii():
        return _fold_ascii(text).decode()
    folded = _composed(text).translate(_TABLE)
    if "  " in folded or folded[:1] == " ":
        words = folded.split()
        folded = " ".join(words) + (" " if words and folded[-1] == " " else "")
    return _composed(folded) or _bare(text)


def fold_utf8(text: str) -> bytes:
    """The folded form in UTF-8, a little quicker."""
    return _fold_ascii(text) if text.isascii() else fold(text).encode()


def transliterate(folded: str) -> str | None:
    """The folded form in Latin letters ("кино" is also "kino"); None if it is in them already."""
    if folded.isascii():
        return None
    words = folded.translate(_LATIN).split()
    return " ".join(words) + (" " if folded[-1] == " " else "") if words else None


def is_aligned(text: str, folded: str) -> bool:
    """Whether each character of `folded` certainly stands where it stood in `text`."""
    return len(text) == len(folded) and (text.isascii() or text.lower() == folded)


def shapes(character: str) -> tuple["Shape", "Shape"]:
    """How much a character of a shown text takes in its folded and in its transliterated form."""
    piece = _TABLE[ord(character)]
    is_mark = unicodedata.category(character)[0] == "M"
    return _shape(piece, is_mark), _shape(piece.translate(_LATIN), is_mark)


class Shape(NamedTuple):
    """What a character of a shown text becomes, as far as its length goes."""

    parts: bool  # it parts words, or begins with what does
    length: int  # code points
    parts_behind: bool  # it ends with what parts words
    is_mark: bool  # it belongs to the character before it


class _Table(dict[int, str]):
    """What each code point becomes; filled as they occur."""

    def __missing__(self, code_point: int) -> str:
        folded = self[code_point] = _fold_character(chr(code_point))
        return folded


def _fold_character(character: str) -> str:
    if character in _DROPPED:
        return ""
    plain = unicodedata.normalize("NFKC", character).casefold()
    apart = unicodedata.normalize("NFKD", plain)
    return unicodedata.normalize("NFC", "".join(map(_kept, apart)))


def _kept(character: str) -> str:
    """What stays of a character without accents and case."""
    code_point = ord(character)
    category = unicodedata.category(character)
    if character in _DROPPED or _is_in(code_point, _MARKS) or category in {"Cf", "Sk"}:
        return ""
    if category[0] in "LNM":
        if _is_in(code_point, _LATIN_BLOCKS):  # "ø" is "o"; letters of other scripts stay
            return anyascii(character).lower() or character
        return character
    return character if category in _KEPT_SYMBOLS else " "


class _LatinTable(dict[int, str]):
    """What each folded character becomes in Latin letters; filled as they occur."""

    def __missing__(self, code_point: int) -> str:
        character = chr(code_point)
        latin = self[code_point] = anyascii(character).translate(_TABLE)
        return latin


def _shape(piece: str, is_mark: bool) -> Shape:
    core = piece.strip(" ")
    return Shape(
        parts=piece.startswith(" "),
        length=len(core),
        parts_behind=bool(core) and piece.endswith(" "),
        is_mark=is_mark,
    )


def _is_in(code_point: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code_point <= high for low, high in ranges)


def _fold_ascii(text: str) -> bytes:
    """As `fold`, for ASCII."""
    plain = text.encode().translate(_ASCII, _ASCII_DROPPED)
    if b"  " in plain or plain[:1] == b" ":
        words = plain.split()
        plain = b" ".join(words) + (b" " if words and plain[-1:] == b" " else b"")
    return plain or _bare(text).encode()


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _bare(text: str) -> str:
    """What names are called that consist of punctuation."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in plain if unicodedata.category(c)[0] not in "CZ" and c != "\ufffd")


_TABLE: Final = _Table()
_LATIN: Final = _LatinTable()
_ASCII: Final = bytes(ord(_TABLE[code_point] or " ") for code_point in range(128)) + bytes(128)
_ASCII_DROPPED: Final = bytes(code_point for code_point in range(128) if not _TABLE[code_point])
