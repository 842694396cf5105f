"""The plans of related sounds, as pure functions without I/O."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from query_api.planner import Clause, Plan, milliseconds, ranked, returned_fields
from query_api.profiles import Related, SearchProfile

MOST_SETS: Final = 1_000  # that are looked at, of those that hold a sound
MOST_NEIGHBOURS: Final = 100
SPARE: Final = 4  # hits that are asked for, for each that is answered: one owner has but a few


def plan_source(index: str, sound_id: str, related: Related, *, deadline: float) -> Plan:
    """The search for the sound itself, with what it says of itself."""
    body = {
        "query": {"ids": {"values": [sound_id]}},
        "size": 1,
        "timeout": milliseconds(deadline),
        "_source": sorted({_whole(field) for field in related.alike}),
    }
    return Plan(indices=(index,), body=body)


def plan_neighbours(index: str, sound_id: str, related: Related, *, deadline: float) -> Plan:
    """The search for what stands in the same sets."""
    field = related.together.field
    body = {
        "query": {"term": {field: int(sound_id)}},
        "size": 0,
        "timeout": milliseconds(deadline),
        "aggs": {
            "some": {
                "sampler": {"shard_size": MOST_SETS},
                # One more, for the sound itself is the first of them.
                "aggs": {"neighbours": {"terms": {"field": field, "size": MOST_NEIGHBOURS + 1}}},
            }
        },
    }
    return Plan(indices=(index,), body=body)


def neighbours_of(response: Mapping[str, Any], sound_id: str) -> dict[str, int]:
    """How many sets hold both, by id."""
    buckets = response["aggregations"]["some"]["neighbours"]["buckets"]
    counts = {str(bucket["key"]): int(bucket["doc_count"]) for bucket in buckets}
    return {one: count for one, count in counts.items() if one != sound_id}


def clauses_of(
    source: Mapping[str, Any], neighbours: Mapping[str, int], related: Related
) -> list[Clause]:
    """What makes a sound related to the one of that source; empty: nothing is."""
    return [*_alike(source, related), *_together(neighbours, related)]


def plan_related(
    index: str,
    sound_id: str,
    clauses: Sequence[Clause],
    profile: SearchProfile,
    *,
    limit: int,
    deadline: float,
) -> Plan:
    """The search for the sounds that some of the clauses find, but for the one itself."""
    query: Clause = {
        "bool": {
            "must_not": [{"ids": {"values": [sound_id]}}],
            "should": list(clauses),
            "minimum_should_match": 1,
        }
    }
    body = {
        "query": ranked(query, profile.rank) if profile.rank else query,
        "sort": [{"_score": "desc"}, {"id": "desc"}],
        "size": limit * SPARE,
        "timeout": milliseconds(deadline),
        "_source": returned_fields({"": profile}),
    }
    return Plan(indices=(index,), body=body)


def _alike(source: Mapping[str, Any], related: Related) -> Iterator[Clause]:
    """A clause for each field, and of a list for each value: a rare one tells more."""
    for field, weight in related.alike.items():
        values = source.get(_whole(field))
        for value in values if isinstance(values, list) else [values]:
            if value is not None:
                yield {"match": {field: {"query": value, "boost": weight}}}


def _together(neighbours: Mapping[str, int], related: Related) -> Iterator[Clause]:
    """A clause for each number of common sets; each doubling of it counts the same."""
    by_count: dict[int, list[str]] = {}
    for one, count in neighbours.items():
        by_count.setdefault(count, []).append(one)
    for count, ids in sorted(by_count.items()):
        boost = related.together.weight * math.log2(1 + count)
        yield {"constant_score": {"filter": {"ids": {"values": ids}}, "boost": boost}}


def _whole(field: str) -> str:
    """The field that a sub-field belongs to: the one that documents have."""
    return field.partition(".")[0]


def thinned(
    hits: Sequence[Mapping[str, Any]], related: Related, limit: int
) -> list[Mapping[str, Any]]:
    """The first hits, of one owner no more than his share."""
    shares: dict[Any, int] = {}
    kept: list[Mapping[str, Any]] = []
    for hit in hits:
        owner = hit["_source"].get(related.owner)
        shares[owner] = shares.get(owner, 0) + 1
        if shares[owner] <= related.most and len(kept) < limit:
            kept.append(hit)
    return kept
