"""A log of searches such as people and front ends make, of what a catalogue calls things."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

Parameters = Mapping[str, str]

# How many of a hundred searches; the rest is words of a title.
_BEGUN: Final = 15  # a title that is being typed
_ARTIST: Final = 20
_BOTH: Final = 15  # words of a title and of an artist
_NOTHING: Final = 5  # the newest, without a text
_ONE_TYPE: Final = 0.3  # share that asks for sounds alone
_NARROWED: Final = 0.15  # share that has a filter
_COUNTED: Final = 0.1  # share that asks for facets
_SORTED: Final = 0.05


def search_log(names: Sequence[tuple[str, str]], count: int, *, seed: int = 1) -> list[Parameters]:
    """`count` searches as parameters of `GET /v1/search`; `names` are titles with their artists."""
    draw = random.Random(seed)
    return [_search(draw, *draw.choice(names)) for _ in range(count)]


def _search(draw: random.Random, title: str, artist: str) -> Parameters:
    parameters = {"q": _text(draw, title, artist), "limit": "20"}
    if draw.random() < _ONE_TYPE:
        parameters["type"] = "sound"
    if draw.random() < _NARROWED:
        parameters |= draw.choice(
            (
                {"filter.created": "2020.."},
                {"filter.duration": "..300000"},
                {"filter.downloadable": "true"},
            )
        )
    if draw.random() < _COUNTED:
        parameters["facets"] = draw.choice(("type", "genre,license", "genre,tag,created"))
    if draw.random() < _SORTED:
        parameters["sort"] = draw.choice(("newest", "popular"))
    return parameters


def _text(draw: random.Random, title: str, artist: str) -> str:
    kind = draw.randrange(100)
    if kind < _NOTHING:
        return ""
    if kind < _NOTHING + _ARTIST:
        return artist
    if kind < _NOTHING + _ARTIST + _BOTH:
        return f"{_some_words(draw, artist)} {_some_words(draw, title)}"
    if kind < _NOTHING + _ARTIST + _BOTH + _BEGUN:
        return title[: draw.randint(2, max(2, len(title)))]
    return _some_words(draw, title)


def _some_words(draw: random.Random, text: str) -> str:
    """One to three words of a text, side by side."""
    words = text.split() or [text]
    begin = draw.randrange(len(words))
    return " ".join(words[begin : begin + draw.randint(1, 3)])
