"""Misspellings that people make, from lists in the format of aspell and of Wikipedia.

A line with a `$` has a word as it should be; the lines after it have ways in which it is misspelt.
A `_` stands for a blank.
"""

from collections.abc import Mapping, Sequence

from evaluation import lines
from evaluation.errors import FileError
from evaluation.lines import Refusal, shown

Misspellings = Mapping[str, Sequence[str]]  # a word in lower case -> ways to misspell it


class MisspellingsError(FileError):
    """A list of misspellings is missing or malformed."""


def read(path: str) -> Misspellings:
    """The misspellings of a file, or of standard input (`-`); raises `MisspellingsError`."""
    refusal = Refusal(path, MisspellingsError)
    found: dict[str, list[str]] = {}
    right: str | None = None
    with lines.opened(path, MisspellingsError) as file:
        for at, line in lines.numbered(file):
            text = refusal.text(at, line).strip().replace("_", " ").lower()
            if text.startswith("$"):
                right = text[1:]
            elif right is None:
                refusal.at(at, f"{shown(line)} misspells nothing; write `$` and the word above it")
            elif text != right:
                found.setdefault(right, []).append(text)
    if not found:
        refusal.whole("holds no misspelling; `$word`, then its misspellings, a line each")
    return found
