"""The plan of Explore: what to ask the engine, as pure functions without I/O.

A document's heat is the logarithm of what happens to it, as of a fixed moment: it keeps its order
while time goes by (docs/definitions.md, “Heat”). What else counts multiplies, so here it is added:
the heat of the window, what is left of being new, and the rank.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from query_api.explore_parameters import ExploreRequest
from query_api.planner import Clause, Plan, milliseconds, returned_fields
from query_api.profiles import WINDOWS, Explore, Profiles

DEEPEST: Final = 500  # of what is busiest; who looks further wants to search
MOST_GENRES: Final = 40
_HOUR_MS: Final = 3_600_000
_GENRES: Final = "genres"  # begins the names of the aggregations


def explored(all_profiles: Profiles) -> dict[str, Explore]:
    """The types that Explore knows, with what their profiles say of it."""
    return {entity: one.explore for entity, one in all_profiles.items() if one.explore}


def plan_candidates(
    request: ExploreRequest,
    all_profiles: Profiles,
    *,
    indices: Mapping[str, str],
    as_of: int,
    deadline: float,
) -> Plan:
    """The search for the busiest, best first, and for the genres that there are.

    `as_of` is the moment to look back from, milliseconds since 1970. A hit has its score, type, id
    and owners as sort values, and no content: most of them are not shown.
    """
    chosen = _chosen(request, all_profiles, indices)
    clauses = [
        {
            "bool": {
                "filter": [{"term": {"_index": indices[entity]}}],
                "must": [_busy(request, explore, as_of)],
            }
        }
        for entity, explore in chosen.items()
    ]
    body: dict[str, Any] = {
        "query": {"dis_max": {"queries": clauses}},
        "sort": [
            {"_score": "desc"},
            {"type": "asc"},
            {"id": "desc"},
            *_owners(explored(all_profiles)),
        ],
        "size": DEEPEST,
        "_source": False,
        "timeout": milliseconds(deadline),
        "aggs": {
            f"{_GENRES}{number}": {"terms": {"field": field, "size": MOST_GENRES}}
            for number, field in enumerate(genre_fields(chosen))
        },
    }
    if request.genre is not None:
        # After the genres are counted, so that the others are offered still.
        body["post_filter"] = _of_genre(request.genre, genre_fields(chosen))
    return Plan(indices=tuple(indices[entity] for entity in chosen), body=body)


def plan_page(
    keys: Sequence[tuple[str, str]],
    all_profiles: Profiles,
    *,
    indices: Mapping[str, str],
    deadline: float,
) -> Plan:
    """The search for the content of hits, named by type and id; at least one of them."""
    by_entity: dict[str, list[str]] = {}
    for entity, entity_id in keys:
        by_entity.setdefault(entity, []).append(entity_id)
    clauses = [
        {"bool": {"filter": [{"term": {"_index": indices[entity]}}, {"ids": {"values": ids}}]}}
        for entity, ids in by_entity.items()
    ]
    body = {
        "query": {"bool": {"should": clauses}},
        "size": len(keys),
        "timeout": milliseconds(deadline),
        "_source": returned_fields({entity: all_profiles[entity] for entity in by_entity}),
    }
    return Plan(indices=tuple(indices[entity] for entity in by_entity), body=body)


def owner_of(values: Sequence[Any], all_profiles: Profiles) -> tuple[str, int] | None:
    """Type and owner by the sort values of a hit of `plan_candidates`; None if nobody owns it."""
    known = explored(all_profiles)
    field = known[values[1]].owner
    if field is None:
        return None
    return values[1], values[3 + _owner_fields(known).index(field)]


def genres_of(response: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The genres by count, of the shape of `answers.FacetValue`, the commonest first."""
    counts: dict[str, int] = {}
    for name, found in response.get("aggregations", {}).items():
        for bucket in found["buckets"] if name.startswith(_GENRES) else ():
            counts[bucket["key"]] = counts.get(bucket["key"], 0) + bucket["doc_count"]
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [{"value": value, "count": count} for value, count in ordered[:MOST_GENRES]]


def genre_fields(chosen: Mapping[str, Explore]) -> list[str]:
    """The fields that hold genres, each once."""
    return sorted({one.genre for one in chosen.values() if one.genre})


def fingerprint(request: ExploreRequest, all_profiles: Profiles) -> str:
    """Short text that is the same for two pages of one list, and differs for others."""
    types = (f"{entity}:{all_profiles[entity].digest}" for entity in request.entities)
    state = "\0".join(("explore", request.window, request.genre or "", *types))
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def _chosen(
    request: ExploreRequest, all_profiles: Profiles, indices: Mapping[str, str]
) -> dict[str, Explore]:
    known = explored(all_profiles)
    return {entity: known[entity] for entity in request.entities if entity in indices}


def _busy(request: ExploreRequest, explore: Explore, as_of: int) -> Clause:
    begin = as_of - WINDOWS[request.window] * _HOUR_MS
    newness, rank = explore.newness, explore.rank
    decay = {"origin": as_of, "scale": newness.half_life, "decay": 0.5}
    return {
        "function_score": {
            "query": {
                "bool": {
                    "filter": [
                        {"range": {explore.active: {"gte": begin, "format": "epoch_millis"}}}
                    ]
                }
            },
            "functions": [
                {"field_value_factor": {"field": explore.heat[request.window], "missing": 0}},
                {"exp": {newness.field: decay}, "weight": newness.weight},
                {
                    "field_value_factor": {
                        "field": rank.field,
                        "modifier": "log1p",
                        "factor": 1 / rank.pivot,
                        "missing": 0,
                    },
                    "weight": rank.weight,
                },
            ],
            "score_mode": "sum",
            "boost_mode": "replace",
        }
    }


def _of_genre(genre: str, fields: Sequence[str]) -> Clause:
    return {
        "bool": {
            "should": [
                {"term": {field: {"value": genre, "case_insensitive": True}}} for field in fields
            ],
            "minimum_should_match": 1,
        }
    }


def _owners(known: Mapping[str, Explore]) -> list[Clause]:
    """Sorting by owner brings it along; it decides nothing, for ids are before it."""
    return [{field: {"order": "asc", "unmapped_type": "long"}} for field in _owner_fields(known)]


def _owner_fields(known: Mapping[str, Explore]) -> list[str]:
    return sorted({one.owner for one in known.values() if one.owner})
