"""Wording: a client's text, and guesses at what it should have been, in messages."""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_LIKENESS: Final = 0.5  # 0 to 1; below it a guess at what a value should be would only confuse
# Control and format characters mean nothing in a text; joiners (ZWJ, ZWNJ) and variation
# selectors hold emoji and several scripts together, so they stay.
_BLANK: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]"
)


def clean(text: str) -> str:
    """A text composed, without characters that mean nothing, with single spaces."""
    return " ".join(_BLANK.sub(" ", unicodedata.normalize("NFC", text)).split())


def plain(text: str) -> str:
    """A text as it is typed: no capitals, accents, or signs."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    kept = "".join(one for one in decomposed if unicodedata.category(one) != "Mn")
    words = "".join(one if one.isalnum() else " " for one in kept)
    return unicodedata.normalize("NFC", " ".join(words.split()))


def quoted(text: str) -> str:
    """The start of a client's text, safe to repeat in a message."""
    shown = clean(text)
    return f"'{shown[:40]}…'" if len(shown) > 40 else f"'{shown}'"


def guess(name: str, known: Sequence[str], *, cutoff: float = _LIKENESS, before: str = "") -> str:
    """A sentence that asks for the known name nearest to `name`, after a space; or nothing.

    `before` is what stands before the names in a request.
    """
    asked = name[:100].lower()
    begun = [one for one in known if asked.startswith(one) or one.startswith(asked)]
    near = begun or difflib.get_close_matches(asked, known, n=1, cutoff=cutoff)
    return f" Did you mean {quoted(before + near[0])}?" if near else ""
