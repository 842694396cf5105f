"""Explanations: which signal gave a hit how much, in our words.

Each field's own part of the text's score is asked for beside the search, as a clause that finds and
scores nothing (the engine tells of clauses that have a name). The parts are what a field gives by
itself; together they give less than their sum, because a word counts once over all fields.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from query_api.profiles import Match, Profiles, Rank, SearchProfile

Clause = dict[str, Any]

_APART: Final = " "  # between the parts of a clause's name; no name of a field or type has it


def asked(text: str, chosen: Profiles, indices: Mapping[str, str]) -> dict[str, Any]:
    """What `told` needs of a search: its `post_filter`'s `should` clauses, and `docvalue_fields`.

    `indices` has the searched index of each type.
    """
    clauses = [
        _named(entity, kind, field, query, indices[entity])
        for entity, profile in chosen.items()
        for kind, field, query in _parts(profile.match, text)
    ]
    ranks = sorted({one.rank.field for one in chosen.values() if one.rank is not None})
    return {"should": clauses, "docvalue_fields": ranks}


def told(hit: Mapping[str, Any], profile: SearchProfile) -> list[dict[str, Any]]:
    """The signals of one engine hit, of the shape of `answers.Signal`, text first."""
    found = []
    for name, score in hit.get("matched_queries", {}).items():
        _, kind, field = name.split(_APART)
        found.append({"signal": "text", "match": kind, "field": field, "value": score})
    found.sort(key=lambda one: -float(one["value"]))
    if profile.rank is not None:
        ranks = hit.get("fields", {}).get(profile.rank.field, [0])
        found.append({"signal": "rank", "value": rank_factor(ranks[0], profile.rank)})
    return [*found, {"signal": "type", "value": profile.weight}]


def rank_factor(value: float, rank: Rank) -> float:
    """What the planner's script multiplies a score by."""
    return 1 + rank.weight * value / (value + rank.pivot)


def _parts(match: Match, text: str) -> Iterator[tuple[str, str, Clause]]:
    for field, weight in match.words.items():
        yield "words", field, {"match": {field: {"query": text, "boost": weight}}}
    for field, weight in match.phrase.items():
        yield "phrase", field, {"match_phrase": {field: {"query": text, "boost": weight}}}
    for field, weight in match.prefix.items():
        yield "prefix", field, {"match": {field: {"query": text, "boost": weight}}}
    for field, weight in match.exact.items():
        same = {"match": {field: {"query": text}}}
        yield "exact", field, {"constant_score": {"filter": same, "boost": weight}}


def _named(entity: str, kind: str, field: str, query: Clause, index: str) -> Clause:
    name = _APART.join((entity, kind, field))
    return {"bool": {"must": [query], "filter": [{"term": {"_index": index}}], "_name": name}}
