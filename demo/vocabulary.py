"""The words and names that catalogues are generated from, as TOML files in `vocabulary/`.

A culture's file has word lists, templates over them, and places; `music.toml` has genres, tags and
the forms of titles. A template is text with `{field}`s.
"""

import random
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from anyascii import anyascii

from demo.randomness import Floats

FOLDER = Path(__file__).with_name("vocabulary")
SLUG_LENGTH = 80

_FIELD = re.compile(r"\{(\w+)\}")
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")
_TEMPLATES = ("person", "alias", "phrase", "sentences", "comments")


class Template:
    """Text with fields, taken apart once so that filling it is quick."""

    __slots__ = ("fields", "parts")

    def __init__(self, text: str) -> None:
        pieces = _FIELD.split(text)
        self.fields = tuple(pieces[1::2])
        self.parts = tuple(pieces[0::2])

    def fill(self, value: Callable[[str], str]) -> str:
        """The text with `value(field)` for each field."""
        text = self.parts[0]
        for field, part in zip(self.fields, self.parts[1:], strict=True):
            text += value(field) + part
        return text


@dataclass(frozen=True, kw_only=True)
class Place:
    """A town, as people of the culture write it."""

    city: str
    country_code: str


@dataclass(frozen=True, kw_only=True)
class Culture:
    """How some of the site's people write."""

    name: str
    weight: float  # share of the users, in relation to the other cultures
    words: Mapping[str, tuple[str, ...]]  # field -> words, from common to rare
    person: tuple[Template, ...]
    alias: tuple[Template, ...]
    phrase: tuple[Template, ...]
    sentences: tuple[Template, ...]
    comments: tuple[Template, ...]
    places: tuple[Place, ...]

    def word(self, field: str, draw: random.Random) -> str:
        """A word for a template's field, common ones more often than rare ones."""
        match name := field.rstrip("2"):
            case "plural":
                return plural(self.word("noun", draw))
            case "place":
                return draw.choice(self.places).city
            case "number":
                return str(int(2 + 98 * draw.random() ** 2))
            case "bpm":
                return str(draw.randrange(60, 181))
            case "year":
                return str(draw.randrange(1999, 2026))
        words = self.words[name]
        return words[int(len(words) * draw.random() ** 1.5)]

    def make_phrase(self, draw: random.Random) -> str:
        """A title such as people of this culture give."""
        return draw.choice(self.phrase).fill(lambda field: self.word(field, draw))

    def make_name(self, draw: random.Random, *, alias: bool) -> str:
        """The name of a person, or that of an act."""
        template = draw.choice(self.alias if alias else self.person)
        return template.fill(lambda field: self.word(field, draw))


@dataclass(frozen=True, kw_only=True)
class Genre:
    """A genre, with the tags that its sounds mostly have."""

    name: str
    weight: float
    tags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Music:
    """What music needs in any language."""

    genres: tuple[Genre, ...]
    general_tags: tuple[str, ...]
    ambiguous_tags: frozenset[str]  # tags that do not tell a genre
    titles: Mapping[str, tuple[Template, ...]]  # form of a sound's title -> templates
    suffixes: tuple[str, ...]
    emoji: tuple[str, ...]
    notices: tuple[str, ...]
    set_titles: Mapping[str, tuple[Template, ...]]  # kind of set -> templates
    group_names: tuple[Template, ...]
    group_sentences: tuple[Template, ...]


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """All of it."""

    cultures: tuple[Culture, ...]
    music: Music

    @property
    def culture_weights(self) -> Floats:
        """The cultures' shares, in their order."""
        return np.array([culture.weight for culture in self.cultures])

    @property
    def genre_weights(self) -> Floats:
        """The genres' shares, in their order."""
        return np.array([genre.weight for genre in self.music.genres])


@cache
def load() -> Vocabulary:
    """Read the files; the cultures come in the order of their names."""
    files = sorted(FOLDER.glob("*.toml"))
    return Vocabulary(
        cultures=tuple(_culture(path.stem, _read(path)) for path in files if path.stem != "music"),
        music=_music(_read(FOLDER / "music.toml")),
    )


def slug(text: str, *, fallback: str = "untitled") -> str:
    """The text as part of an address: lower-case ASCII letters, digits and single hyphens."""
    return _NOT_IN_SLUG.sub("-", anyascii(text).lower())[:SLUG_LENGTH].strip("-") or fallback


def plural(noun: str) -> str:
    """The plural of an English noun, by the rules that cover the word list."""
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _culture(name: str, content: dict[str, Any]) -> Culture:
    return Culture(
        name=name,
        weight=content["weight"],
        words={
            field: _from_common_to_rare(words)
            for field, words in content.items()
            if isinstance(words, str)
        },
        places=tuple(
            Place(city=city, country_code=code)
            for city, _, code in (place.rpartition(" ") for place in content["places"])
        ),
        **{key: _templates(content[key]) for key in _TEMPLATES},
    )


def _from_common_to_rare(words: str) -> tuple[str, ...]:
    # The files list words by the alphabet; which are common is arbitrary, but must not be "A …".
    shuffled = [word.replace("_", " ") for word in words.split()]
    random.Random(len(words)).shuffle(shuffled)
    return tuple(shuffled)


def _music(content: dict[str, Any]) -> Music:
    titles = content["titles"]
    plain_lists = {key: tuple(titles.pop(key)) for key in ("suffixes", "emoji", "notices")}
    return Music(
        genres=tuple(
            Genre(name=genre["name"], weight=genre["weight"], tags=_list(genre["tags"]))
            for genre in content["genre"]
        ),
        general_tags=_list(content["tags"]["general"]),
        ambiguous_tags=frozenset(_list(content["tags"]["ambiguous"])),
        titles={form: _templates(texts) for form, texts in titles.items()},
        set_titles={kind: _templates(texts) for kind, texts in content["sets"].items()},
        group_names=_templates(content["groups"]["name"]),
        group_sentences=_templates(content["groups"]["sentences"]),
        **plain_lists,
    )


def _templates(texts: list[str]) -> tuple[Template, ...]:
    return tuple(map(Template, texts))


def _list(text: str) -> tuple[str, ...]:
    return tuple(" ".join(item.split()) for item in text.split(","))
