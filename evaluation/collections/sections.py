"""Sections: text files of entries, as the SMART system wrote them.

An entry begins with a line `.I <id>`; then come sections, each after a line with a dot and a
capital: `.T` title, `.A` authors, `.B` source, `.W` text. A section that comes twice goes on.
"""

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evaluation import lines
from evaluation.collections.collection import CollectionError
from evaluation.lines import Refusal, shown

_ENTRY: Final = re.compile(rb"\.I(?:\s+(\S+))?\s*")
_SECTION: Final = re.compile(rb"\.([A-Z])\s*")
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A document or a query."""

    line: int  # that it begins in
    id: str
    sections: Mapping[str, str]  # by letter; words are separated by single blanks


def content(path: Path) -> list[bytes]:
    """The lines of a file, which may be gzipped; raises `CollectionError`."""
    with lines.opened(str(path), CollectionError) as file:
        raw = file.read()
    try:
        return (gzip.decompress(raw) if raw.startswith(_GZIP) else raw).splitlines()
    except (OSError, EOFError, zlib.error) as error:
        raise CollectionError(str(path), f"is no whole gzip file ({error}); get it anew") from error


def entries(path: Path) -> list[Entry]:
    """The entries of a file, in its order; raises `CollectionError`."""
    refusal = Refusal(str(path), CollectionError)
    found = list(_entries(path, refusal))
    if not found:
        refusal.whole("holds no entry; one begins with a line `.I <id>`")
    return found


def _entries(path: Path, refusal: Refusal) -> Iterator[Entry]:
    begun: tuple[int, str] | None = None
    texts: dict[str, list[str]] = {}
    letter: str | None = None
    for at, line in lines.numbered(content(path)):
        if entry := _ENTRY.fullmatch(line):
            if entry[1] is None:
                refusal.at(at, "an entry has no id; write `.I <id>`")
            if begun:
                yield _entry(begun, texts)
            begun, texts, letter = (at, refusal.text(at, entry[1])), {}, None
        elif begun is None:
            refusal.at(at, f"{shown(line)} stands before the first entry; begin with `.I <id>`")
        elif section := _SECTION.fullmatch(line):
            letter = section[1].decode()
        elif letter is None:
            refusal.at(at, f"{shown(line)} belongs to no section; begin one, such as `.W`, before")
        else:
            texts.setdefault(letter, []).append(refusal.text(at, line))
    if begun:
        yield _entry(begun, texts)


def _entry(begun: tuple[int, str], texts: Mapping[str, list[str]]) -> Entry:
    sections = {letter: " ".join(" ".join(text).split()) for letter, text in texts.items()}
    return Entry(line=begun[0], id=begun[1], sections=sections)
