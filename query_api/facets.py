"""Facets: how many hits have which value, under all filters but the facet's own.

So a person sees what another choice would find beside the present one. All facets are counted by
the search that finds the hits: filters that a facet has to do without narrow the hits afterwards
(the engine's `post_filter`), and every other facet is told of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from query_api import filters
from query_api.filters import Clause, Condition
from query_api.problems import Code, QueryError
from query_api.profiles import Facet, Filter, Profiles
from query_api.wording import guess, quoted

TYPE: Final = "type"  # the facet of entity types, which needs no profile
_VALUES: Final = "values"  # what the engine counts
_CHOSEN: Final = "chosen"  # values that a filter names, which are told however rare they are
# Values that a shard tells of: counts are exact unless there are more, on several shards.
_SHARD_VALUES: Final = 1000

Counts = list[dict[str, Any]]


def known(profiles: Profiles) -> tuple[str, ...]:
    """The names of the facets that any of these types has."""
    names = [name for name, one in filters.known(profiles).items() if one.facet is not None]
    return (TYPE, *names)


def read(text: str, profiles: Profiles) -> tuple[str, ...]:
    """The facets that a client names, each once; raises `QueryError` for one that is none."""
    wanted = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    names = known(profiles)
    for name in wanted:
        if name not in names:
            raise QueryError(
                Code.INVALID_VALUE,
                f"There is no facet {quoted(name)} of {', '.join(profiles)}."
                f"{guess(name, names)} Facets are {', '.join(names)}.",
                parameter="facets",
                allowed=names,
            )
    return wanted


def counted(
    wanted: Sequence[str],
    profiles: Profiles,
    indices: Mapping[str, str],
    late: Mapping[str, Clause],
    chosen: Sequence[Condition],
) -> dict[str, Clause]:
    """The aggregations that count facets; `indices` has the searched index of each type.

    `late` are the clauses, by name of the facet that does without it, that only narrow the hits;
    `chosen` all conditions of the search.
    """
    known_filters, by_name = filters.known(profiles), {one.name: one for one in chosen}
    made: dict[str, Clause] = {}
    for name in wanted:
        if name == TYPE:
            parts = {_VALUES: {"terms": {"field": "type", "size": len(profiles)}}}
        elif name in known_filters:
            parts = _parts(known_filters[name], by_name.get(name))
        else:  # a variant may lack what others have
            continue
        others = [clause for other, clause in late.items() if other != name]
        having = [indices[one] for one in profiles if name in (TYPE, *profiles[one].filters)]
        if len(having) < len(profiles):  # another type may keep a field of that name to itself
            others.append({"terms": {"_index": having}})
        made[name] = {"filter": {"bool": {"filter": others}}, "aggs": parts}
    return made


def told(
    wanted: Sequence[str], profiles: Profiles, response: Mapping[str, Any]
) -> dict[str, Counts]:
    """What the engine counted, by facet, of the shape of `answers.FacetValue`."""
    known_filters, found = filters.known(profiles), response.get("aggregations", {})
    return {name: [*_told(found.get(name, {}), known_filters.get(name))] for name in wanted}


def _parts(filter_: Filter, condition: Condition | None) -> dict[str, Clause]:
    facet = filter_.facet or Facet()
    match filter_.kind:
        case "number":
            ranges = {value: filters.value_clause(value, filter_) for value in _ranges(facet.edges)}
            return {_VALUES: {"filters": {"filters": ranges}}}
        case "date":
            by_year = {"field": filter_.field, "calendar_interval": "year", "format": "yyyy"}
            return {_VALUES: {"date_histogram": by_year | {"min_doc_count": 1}}}
    most = {"size": facet.most, "shard_size": max(_SHARD_VALUES, facet.most)}
    parts: dict[str, Clause] = {_VALUES: {"terms": {"field": filter_.field, **most}}}
    if condition is not None and filter_.kind == "value":
        named = {value: filters.value_clause(value, filter_) for value in condition.values}
        parts[_CHOSEN] = {"filters": {"filters": named}}
    return parts


def _ranges(edges: Sequence[float]) -> Iterator[str]:
    """The ranges between edges, as a filter takes them."""
    texts = [f"{edge:g}" if edge != int(edge) else str(int(edge)) for edge in edges]
    for begin, end in zip(["", *texts], [*texts, ""], strict=True):
        yield f"{begin}..{end}"


def _told(found: Mapping[str, Any], filter_: Filter | None) -> Iterator[dict[str, Any]]:
    buckets = found.get(_VALUES, {}).get("buckets", [])
    if isinstance(buckets, Mapping):  # ranges, in their order
        buckets = [{"key": key, **bucket} for key, bucket in buckets.items()]
    if filter_ is not None and filter_.kind == "date":
        buckets = buckets[::-1]  # the newest year first
    told = [(str(one.get("key_as_string", one["key"])), one["doc_count"]) for one in buckets]
    rare = found.get(_CHOSEN, {}).get("buckets", {})
    there = {value.casefold() for value, _ in told}
    told += [
        (value, one["doc_count"]) for value, one in rare.items() if value.casefold() not in there
    ]
    yield from ({"value": value, "count": count} for value, count in told if count)
