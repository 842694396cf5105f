"""Respelling: which candidates of words go together, by what documents say. Pure.

Each word of a text may be itself or one of its candidates. The engine looks for the document that
has the most of them, and tells of it which alternatives it has: these are the words to look for.
So nothing is ever offered that no document has which can be found.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from query_api.grammar import Typed
from query_api.planner import Clause, as_it_is, weighted
from query_api.profiles import Profiles, SearchProfile
from query_api.spelling import Candidate, Word

# What an alternative of a word is worth, at most: as it was typed, in a name or elsewhere; or a
# candidate, which is worth less the less likely it is.
_AS_TYPED: Final = 1.0
_ELSEWHERE: Final = 0.9
_CANDIDATE: Final = 0.9
_PLACE: Final = 0.01
_PHRASE: Final = 0.5
_PHRASES: Final = "phrase"  # begins the names of their clauses; those of words begin with a number
_APART: Final = "."

Parts = Callable[[SearchProfile], dict[str, Any]]  # of a bool query


@dataclass(frozen=True, kw_only=True)
class Respelled:
    """What a document has of a text."""

    text: str  # with the words that it has as it spells them, and the others as they were typed
    is_changed: bool  # whether any word is spelled differently
    phrases: tuple[str, ...]  # those that it has
    lacking: int  # words that it does not have


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A search for the document that has the most of some words, each in one way or another."""

    words: Sequence[Word]
    typed: Typed
    chosen: Profiles  # of the types that are searched
    indices: Mapping[str, str]  # that are searched, by type
    narrowed: Sequence[Clause]  # what a document must meet

    def every_word(self) -> dict[str, Any]:
        """The body that finds the document that has all of them."""
        return self._body(lambda profile: {"must": self._each(_either, profile)})

    def better_names(self) -> dict[str, Any]:
        """The body that finds the document whose name has all of them, but not as typed."""

        def parts(profile: SearchProfile) -> dict[str, Any]:
            same = [_as_typed(one, profile) for one in self.words]
            return {
                "must": self._each(_either_in_names, profile),
                "must_not": [{"bool": {"must": same}}],
            }

        return self._body(parts)

    def most_words(self) -> dict[str, Any]:
        """The body that finds the document that has at least half of them, rare ones before all."""
        least = math.ceil(len(self.words) / 2)
        return self._body(
            lambda profile: {
                "should": self._each(_weighed, profile),
                "minimum_should_match": least,
            }
        )

    def read(self, response: Mapping[str, Any]) -> Respelled | None:
        """What the document that a body of these found has of the text; None: there is none."""
        hits = response.get("hits", {}).get("hits", ())
        if not hits:
            return None
        found: dict[str, list[int]] = {}
        for name in hits[0].get("matched_queries", ()):
            what, _, which = name.partition(_APART)
            found.setdefault(what, []).append(int(which))
        chosen = [min(found.get(str(at), ()), default=None) for at in range(len(self.words))]
        text = _respelled(self.typed.text, self.words, chosen)
        return Respelled(
            text=text,
            is_changed=text != self.typed.text,
            phrases=tuple(self.typed.phrases[at] for at in sorted(found.get(_PHRASES, ()))),
            lacking=sum(one is None for one in chosen),
        )

    def _each(
        self, clause: Callable[[int, Word, SearchProfile], Clause], profile: SearchProfile
    ) -> list[Clause]:
        return [clause(at, word, profile) for at, word in enumerate(self.words)]

    def _body(self, parts: Parts) -> dict[str, Any]:
        queries = [
            self._of_entity(self.indices[entity], profile, parts(profile))
            for entity, profile in self.chosen.items()
        ]
        ranks = sorted({one.rank.field for one in self.chosen.values() if one.rank is not None})
        known = {"order": "desc", "missing": "_last", "unmapped_type": "long"}
        return {
            "query": queries[0] if len(queries) == 1 else {"dis_max": {"queries": queries}},
            "sort": ["_score", *({field: known} for field in ranks)],
            "size": 1,
            "_source": False,
            "track_total_hits": False,
        }

    def _of_entity(self, index: str, profile: SearchProfile, parts: dict[str, Any]) -> Clause:
        fields = [*profile.match.words]
        unwanted = [as_it_is(one, fields) for one in self.typed.without]
        phrases = [
            {
                "constant_score": {
                    "filter": as_it_is(one, fields),
                    "boost": _PHRASE,
                    "_name": _named(_PHRASES, at),
                }
            }
            for at, one in enumerate(self.typed.phrases)
        ]
        found: Clause = {"bool": parts}
        return {
            "bool": {
                "filter": [{"term": {"_index": index}}, *self.narrowed],
                "must": [found],
                "should": phrases,
                "must_not": unwanted,
            }
        }


def name_fields(profile: SearchProfile) -> tuple[str, ...]:
    """The fields that name things, which candidates come from: every hit shows them."""
    return tuple(dict.fromkeys((profile.title, profile.subtitle)))


def _either(at: int, word: Word, profile: SearchProfile) -> Clause:
    """The word as it was typed anywhere, or a candidate in a name."""
    anywhere = [_constant(_as_typed(word, profile), _ELSEWHERE)]
    return _alternatives(at, word, profile, anywhere)


def _either_in_names(at: int, word: Word, profile: SearchProfile) -> Clause:
    return _alternatives(at, word, profile, [])


def _alternatives(
    at: int, word: Word, profile: SearchProfile, as_typed: Sequence[Clause]
) -> Clause:
    itself = [_constant(_in(word.text, name_fields(profile)), _AS_TYPED), *as_typed]
    others = [
        _constant(_in(one.text, name_fields(profile)), _worth(one, place), _named(at, place))
        for place, one in enumerate(word.candidates, start=1)
    ]
    named = {"dis_max": {"queries": itself, "_name": _named(at, 0)}}
    return {"dis_max": {"queries": [named, *others]}}


def _weighed(at: int, word: Word, profile: SearchProfile) -> Clause:
    """As `_either`, but what is rare is worth more than what is common."""
    weights = profile.match.words
    itself = {
        "dis_max": {
            "queries": [_in(word.text, weighted(weights)), _beginning(word, profile, 0.25)],
            "_name": _named(at, 0),
        }
    }
    names = weighted({name: weights.get(name, 1.0) for name in name_fields(profile)})
    others = [
        {
            "multi_match": {
                **_in(one.text, names)["multi_match"],
                "boost": _worth(one, place),
                "_name": _named(at, place),
            }
        }
        for place, one in enumerate(word.candidates, start=1)
    ]
    return {"dis_max": {"queries": [itself, *others]}}


def _as_typed(word: Word, profile: SearchProfile) -> Clause:
    """The word in any field, or as the beginning of one, as searches find it."""
    found = [_in(word.text, [*profile.match.words]), _beginning(word, profile, 1.0)]
    return {"bool": {"should": found}}


def _beginning(word: Word, profile: SearchProfile, boost: float) -> Clause:
    fields = [*profile.match.prefix] or [*profile.match.words]
    return _constant(_in(word.text, fields), boost)


def _in(text: str, fields: Sequence[str]) -> Clause:
    return {"multi_match": {"query": text, "fields": [*fields], "operator": "and"}}


def _constant(clause: Clause, boost: float, name: str | None = None) -> Clause:
    named = {"_name": name} if name else {}
    return {"constant_score": {"filter": clause, "boost": boost} | named}


def _worth(candidate: Candidate, place: int) -> float:
    return max(_CANDIDATE * candidate.likeness - _PLACE * place, _PLACE)


def _named(what: object, which: int) -> str:
    return f"{what}{_APART}{which}"


def _respelled(text: str, words: Sequence[Word], chosen: Sequence[int | None]) -> str:
    parts: list[str] = []
    end = 0
    for word, which in zip(words, chosen, strict=True):
        # Where scripts are written without blanks, words overlap: those stay as they are.
        if which and word.start >= end:
            parts += [text[end : word.start], word.candidates[which - 1].text]
            end = word.end
    return "".join((*parts, text[end:]))
