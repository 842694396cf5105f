"""Spelling: the words of a text, and how names in the index spell what looks like them. Pure.

The engine's term suggester looks up words in the vocabulary of the fields that name things, so no
dictionary is needed, and new names can be spelled as soon as they can be found. It may also know
words of documents that are gone: what it offers are candidates, and only one that a document has
which can be found is ever told (see `respelling`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from query_api.planner import PREFIX_ANALYZER

LONGEST: Final = 128  # characters of a text whose words are looked up; names are shorter
MOST_WORDS: Final = 12  # that are looked up; each costs the engine a search of its vocabulary
MOST_CANDIDATES: Final = 6  # of a word
_SHORTEST: Final = 3  # characters of a word that is looked up: two are soon another word
_EDITS: Final = 2
_SHORT: Final = 5  # characters of a word in which one letter may differ


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A word of the index that looks like one that was typed."""

    text: str  # as the index has it: small letters without accents
    likeness: float  # 0 to 1, less for each letter that differs


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word of a text."""

    start: int  # its place in the text, in characters
    end: int
    text: str  # as it was typed
    candidates: tuple[Candidate, ...] = ()  # the likeliest first


def can_be_looked_up(text: str) -> bool:
    """Whether the words of a text are worth, and few enough, to be looked up."""
    return bool(text) and len(text) <= LONGEST


def question(text: str, fields: Sequence[str]) -> dict[str, Any]:
    """The body of the engine's _search that looks up the words of a text in the fields."""
    asked = {
        "analyzer": PREFIX_ANALYZER,
        "suggest_mode": "always",  # what is spelled wrong may be another word
        "max_edits": _EDITS,
        "prefix_length": 1,  # people seldom get the first letter wrong
        "min_word_length": _SHORTEST,
        "size": MOST_CANDIDATES,
        "max_inspections": 10,
    }
    return {
        "size": 0,
        "suggest": {
            "text": text,
            **{field: {"term": asked | {"field": field}} for field in fields},
        },
    }


def words(text: str, suggest: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Word]:
    """The words of a text with their candidates, of what the engine suggests by field.

    Empty when there are too many. Words of the text that the analysis makes several of count as
    those; what it makes none of, such as signs, is in none.
    """
    found: dict[tuple[int, int], dict[str, tuple[float, int]]] = {}
    for entries in suggest.values():
        for entry in entries:
            start = entry["offset"]
            options = found.setdefault((start, start + entry["length"]), {})
            for option in entry["options"]:
                if not _is_near(entry["text"], option["text"], option["score"]):
                    continue
                likeness, frequency = options.get(option["text"], (0.0, 0))
                likeness = max(likeness, option["score"])
                options[option["text"]] = (likeness, frequency + option["freq"])
    if len(found) > MOST_WORDS:
        return []
    # The engine counts in the units of UTF-16.
    units = text.encode("utf-16-le", "surrogatepass")
    return [_word(units, place, options) for place, options in sorted(found.items())]


def _is_near(typed: str, option: str, likeness: float) -> bool:
    """Whether as many letters differ as somebody gets wrong: in a short word, one."""
    # The engine's likeness is 1 - letters that differ / letters of the shorter one.
    differing = (1 - likeness) * min(len(typed), len(option))
    return len(typed) > _SHORT or differing < 1.5


def _word(units: bytes, place: tuple[int, int], options: Mapping[str, tuple[float, int]]) -> Word:
    before, typed = (
        units[2 * at : 2 * to].decode("utf-16-le", "surrogatepass")
        for at, to in ((0, place[0]), place)
    )
    ordered = sorted(options.items(), key=lambda one: (*(-part for part in one[1]), one[0]))
    candidates = (Candidate(text=name, likeness=found[0]) for name, found in ordered)
    return Word(
        start=len(before),
        end=len(before) + len(typed),
        text=typed,
        candidates=tuple(candidates)[:MOST_CANDIDATES],
    )
