"""What can be wrong with a search profile, found without asking a service.

The format is described in docs/definitions.md.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from core.definitions import RANK_FIELDS, Definition

Fields = Mapping[str, Mapping[str, Any]]  # full name of a field -> its mapping

# Those that hold every number that a client may compare with.
_NUMBERS = frozenset({"long", "integer", "double", "float"})
_DATES = frozenset({"date"})
# Kind of a filter -> types of fields that it works on.
FILTER_KINDS: Mapping[str, frozenset[str]] = {
    "value": frozenset({"keyword"}),
    "id": frozenset({"long", "integer", "short", "byte"}),
    "flag": frozenset({"boolean"}),
    "number": _NUMBERS,
    "date": frozenset({"date"}),
}
_KEYS = frozenset(
    {"title", "subtitle", "match", "operator", "highlight", "filters", "fields", "weight"}
)
_OPTIONAL = frozenset({"rank", "sorts", "explore", "related"})
_FILTER_OPTIONAL = frozenset({"unit", "facet"})
_ORDERS = ("ascending", "descending")
_EXPLORED = frozenset({"active", "heat", "newness", "rank"})
_RELATED = frozenset({"alike", "together", "owner", "most"})
_NARROWED = frozenset({"genre", "owner", "most"})
WINDOWS = ("24h", "7d", "30d")  # of Explore
_MATCHES = frozenset({"exact", "phrase", "words", "prefix"})
_OPERATORS = ("all", "any")
WORDS_ANALYZER = "text_search"
PREFIX_ANALYZER = "prefix"


class Finding(NamedTuple):
    """What is wrong, and what to write instead."""

    what: str
    remedy: str


def mapped_fields(mappings: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Every field and sub-field of a mapping by its full name, e.g. `title.exact`."""
    fields: dict[str, Mapping[str, Any]] = {}
    for name, body in _objects(mappings.get("properties")):
        fields[name] = body
        fields.update((f"{name}.{sub}", inner) for sub, inner in _objects(body.get("fields")))
    return fields


def check_profile(definition: Definition) -> Iterator[Finding]:
    """Everything in the profile that the query API would stumble over."""
    profile, fields = definition.profile, mapped_fields(definition.mappings)
    for key in sorted(_KEYS - profile.keys()):
        yield Finding(f"lacks {key!r}", "add it; docs/definitions.md says what it means")
    for key in sorted(profile.keys() - _KEYS - _OPTIONAL):
        yield Finding(f"has an unknown key {key!r}", _nearest(key, _KEYS | _OPTIONAL))
    yield from _shown(profile, fields)
    yield from _matches(profile.get("match", {}), fields)
    yield from _filters(profile, fields)
    yield from _sorts(profile, fields)
    if profile.get("operator", "all") not in _OPERATORS:
        yield Finding(f"operator is {profile['operator']!r}", "write 'all' or 'any'")
    if not _is_positive(profile.get("weight", 1)):
        yield Finding(f"weight is {profile['weight']!r}", "write a positive number")
    yield from _rank(profile.get("rank"), fields)
    if "explore" in profile:
        yield from _explore(profile["explore"], fields)
    if "related" in profile:
        yield from _related(profile["related"], fields)


def _rank(rank: Any, fields: Fields) -> Iterator[Finding]:
    if rank is None:
        return
    if not isinstance(rank, dict) or set(rank) - {"field"} != {"weight", "pivot"}:
        yield Finding("rank is unclear", 'write {"weight": …, "pivot": …}')
        return
    for name in ("weight", "pivot"):
        if not _is_positive(rank[name]):
            yield Finding(f"rank.{name} is {rank[name]!r}", "write a positive number")
    if rank.get("field", "rank") not in RANK_FIELDS:
        remedy = f"write one of {', '.join(sorted(RANK_FIELDS))}"
        yield Finding(f"rank.field is {rank['field']!r}", remedy)
    if missing := sorted(RANK_FIELDS - fields.keys()):
        names = ", ".join(missing)
        yield Finding(f"rank needs the fields {names}", "add them to the mapping")


def _explore(explore: Any, fields: Fields) -> Iterator[Finding]:
    if not isinstance(explore, dict) or not explore.keys() >= _EXPLORED:
        remedy = f"write an object with {', '.join(sorted(_EXPLORED))}"
        yield Finding("explore is unclear", remedy)
        return
    for key in sorted(explore.keys() - _EXPLORED - _NARROWED):
        yield Finding(f"explore has an unknown key {key!r}", _nearest(key, _EXPLORED | _NARROWED))
    yield from _typed("explore.active", explore["active"], _DATES, fields)
    yield from _heat(explore["heat"], fields)
    yield from _newness(explore["newness"], fields)
    yield from _rank(explore["rank"], fields)
    for key, types in (("genre", frozenset({"keyword"})), ("owner", frozenset({"long"}))):
        if key in explore:
            yield from _typed(f"explore.{key}", explore[key], types, fields)
    if type(most := explore.get("most", 1)) is not int or most < 1:
        yield Finding(f"explore.most is {most!r}", "write a whole number from 1 on")


def _heat(heat: Any, fields: Fields) -> Iterator[Finding]:
    if not isinstance(heat, dict) or set(heat) != set(WINDOWS):
        yield Finding("explore.heat is unclear", f"name a field for each of {', '.join(WINDOWS)}")
        return
    for window, name in heat.items():
        yield from _typed(f"explore.heat.{window}", name, _NUMBERS, fields)


def _newness(newness: Any, fields: Fields) -> Iterator[Finding]:
    if not isinstance(newness, dict) or set(newness) != {"field", "half_life", "weight"}:
        remedy = 'write {"field": "…", "half_life": "30d", "weight": …}'
        yield Finding("explore.newness is unclear", remedy)
        return
    yield from _typed("explore.newness", newness["field"], _DATES, fields)
    if not re.fullmatch(r"[1-9]\d*[dh]", str(newness["half_life"])):
        remedy = "write days or hours, such as 30d or 6h"
        yield Finding(f"explore.newness.half_life is {newness['half_life']!r}", remedy)
    if not _is_positive(newness["weight"]):
        what = f"explore.newness.weight is {newness['weight']!r}"
        yield Finding(what, "write a positive number")


def _related(related: Any, fields: Fields) -> Iterator[Finding]:
    if not isinstance(related, dict) or set(related) != _RELATED:
        yield Finding("related is unclear", f"write an object with {', '.join(sorted(_RELATED))}")
        return
    alike, together = related["alike"], related["together"]
    if not isinstance(alike, dict) or not all(map(_is_positive, alike.values())):
        yield Finding("related.alike is unclear", 'write {"field": weight, …}, weights above 0')
        return
    for name in alike:
        yield from _known("related.alike", name, fields, whole=False)
    if not isinstance(together, dict) or set(together) != {"entity", "field", "weight"}:
        remedy = 'write {"entity": "…", "field": "…", "weight": …}'
        yield Finding("related.together is unclear", remedy)
    elif not _is_positive(together["weight"]):
        what = f"related.together.weight is {together['weight']!r}"
        yield Finding(what, "write a positive number")
    yield from _known("related.owner", related["owner"], fields, whole=True)
    if type(related["most"]) is not int or related["most"] < 1:
        yield Finding(f"related.most is {related['most']!r}", "write a whole number from 1 on")


def _typed(where: str, name: Any, types: frozenset[str], fields: Fields) -> Iterator[Finding]:
    yield from _known(where, name, fields, whole=False)
    found = fields.get(str(name), {}).get("type")
    if found is not None and found not in types:
        yield Finding(f"{where}: {name!r} is {found}", f"name a field of {' or '.join(types)}")


def _shown(profile: Mapping[str, Any], fields: Fields) -> Iterator[Finding]:
    """Fields that a hit shows are read from the document, so sub-fields do not serve."""
    for key in ("title", "subtitle"):
        if key in profile:
            yield from _known(key, profile[key], fields, whole=True)
    for key in ("highlight", "fields"):
        names = profile.get(key, [])
        if not isinstance(names, list):
            yield Finding(f"{key} is not a list", "write the names of fields in [ ]")
            continue
        for name in names:
            yield from _known(key, name, fields, whole=True)
            if key == "highlight" and fields.get(str(name), {}).get("type", "text") != "text":
                yield Finding(f"highlight names {name!r}, which is not text", "take it out")


def _matches(match: Any, fields: Fields) -> Iterator[Finding]:
    if not isinstance(match, dict):
        yield Finding("match is not an object", 'write {"words": {"title": 1}, …}')
        return
    if not match.get("words"):
        yield Finding("match.words names no field", "name the fields that words are looked for in")
    for kind, weights in match.items():
        if kind not in _MATCHES:
            yield Finding(f"match has an unknown kind {kind!r}", _nearest(kind, _MATCHES))
        elif not isinstance(weights, dict):
            yield Finding(f"match.{kind} is not an object", 'write {"field": weight, …}')
        else:
            for name, weight in weights.items():
                yield from _match(kind, name, weight, fields)


def _match(kind: str, name: str, weight: Any, fields: Fields) -> Iterator[Finding]:
    where = f"match.{kind}"
    yield from _known(where, name, fields, whole=False)
    if not _is_positive(weight):
        yield Finding(f"{where}: weight of {name!r} is {weight!r}", "write a positive number")
    elif kind == "words" and weight < 1:
        yield Finding(f"{where}: weight of {name!r} is {weight}", "the smallest weight here is 1")
    if name in fields and (finding := _unfit(kind, name, fields[name])):
        yield finding


def _unfit(kind: str, name: str, field: Mapping[str, Any]) -> Finding | None:
    """Whether a field is indexed in a way that this kind of match can use."""
    wanted = "keyword" if kind == "exact" else "text"
    if field.get("type") != wanted:
        remedy = f"name a {wanted} field, or add a {wanted} sub-field to the mapping"
        return Finding(f"match.{kind} names {name!r}, which is {field.get('type')}", remedy)
    searched = field.get("search_analyzer", field.get("analyzer"))
    if kind == "words" and searched != WORDS_ANALYZER:
        remedy = f'set "search_analyzer": "{WORDS_ANALYZER}", as in all other fields of its kind'
        return Finding(f"match.words names {name!r}, which is searched by {searched}", remedy)
    if kind == "prefix" and field.get("analyzer") != PREFIX_ANALYZER:
        remedy = f'name a sub-field with "analyzer": "{PREFIX_ANALYZER}"'
        return Finding(f"match.prefix names {name!r}, which has no beginnings of words", remedy)
    return None


def _filters(profile: Mapping[str, Any], fields: Fields) -> Iterator[Finding]:
    filters = profile.get("filters", {})
    if not isinstance(filters, dict):
        yield Finding("filters is not an object", 'write {"name": {"field": …, "kind": …}, …}')
        return
    for name, body in filters.items():
        if not isinstance(body, dict) or set(body) - _FILTER_OPTIONAL != {"field", "kind"}:
            yield Finding(f"filters.{name} is unclear", 'write {"field": "…", "kind": "…"}')
            continue
        yield from _filter(name, body["field"], body["kind"], fields)
        yield from _facet(name, body["kind"], body.get("facet"))
        yield from _told(f"filters.{name}", body["field"], profile, fields)


def _filter(name: str, field: str, kind: str, fields: Fields) -> Iterator[Finding]:
    yield from _known(f"filters.{name}", field, fields, whole=False)
    if kind not in FILTER_KINDS:
        remedy = _nearest(str(kind), FILTER_KINDS.keys())
        yield Finding(f"filters.{name} has an unknown kind {kind!r}", remedy)
        return
    mapping = fields.get(field, {})
    if mapping and mapping.get("type") not in FILTER_KINDS[kind]:
        remedy = f"a filter of kind {kind!r} needs {' or '.join(sorted(FILTER_KINDS[kind]))}"
        yield Finding(f"filters.{name}: {field!r} is {mapping.get('type')}", remedy)
    if mapping.get("index") is False:
        yield Finding(f"filters.{name}: {field!r} is not indexed", 'remove "index": false')


def _facet(name: str, kind: str, facet: Any) -> Iterator[Finding]:
    where = f"filters.{name}.facet"
    if facet is None:
        return
    if not isinstance(facet, dict) or facet.keys() - {"most", "edges"}:
        yield Finding(f"{where} is unclear", 'write {"most": …}, or {"edges": […]} for numbers')
    elif kind == "id":
        yield Finding(f"{where} counts ids, which say nothing to a person", "take it out")
    elif (kind == "number") != bool(facet.get("edges")):
        yield Finding(f"{where} has edges or lacks them", "a number needs them, nothing else")


def _sorts(profile: Mapping[str, Any], fields: Fields) -> Iterator[Finding]:
    sorts = profile.get("sorts", {})
    if not isinstance(sorts, dict):
        yield Finding("sorts is not an object", 'write {"name": {"field": …, "order": …}, …}')
        return
    for name, body in sorts.items():
        if not isinstance(body, dict) or set(body) != {"field", "order"}:
            yield Finding(f"sorts.{name} is unclear", 'write {"field": "…", "order": "…"}')
            continue
        where, field = f"sorts.{name}", body["field"]
        yield from _known(where, field, fields, whole=False)
        if body["order"] not in _ORDERS:
            yield Finding(f"{where}: order is {body['order']!r}", f"write {' or '.join(_ORDERS)}")
        if fields.get(field, {}).get("type") == "text":
            yield Finding(f"{where}: {field!r} is text", "name a sub-field that is a keyword")
        if field not in RANK_FIELDS:
            yield from _told(where, field, profile, fields)


def _told(where: str, field: str, profile: Mapping[str, Any], fields: Fields) -> Iterator[Finding]:
    """What answers can be narrowed or ordered by can be found out, so hits have to show it."""
    shown = profile.get("fields")
    if not isinstance(shown, list) or field not in fields or profile.get("title") not in fields:
        return  # which is found elsewhere
    if field.partition(".")[0] not in {profile.get("title"), profile.get("subtitle"), *shown}:
        yield Finding(f"{where}: no hit shows {field!r}", "add it to fields, or take this out")


def _known(where: str, name: Any, fields: Fields, *, whole: bool) -> Iterator[Finding]:
    names = {field for field in fields if not (whole and "." in field)}
    if not isinstance(name, str) or name not in names:
        yield Finding(f"{where} names the unknown field {name!r}", _nearest(str(name), names))


def _nearest(name: str, names: Any) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(names))}"


def _is_positive(weight: Any) -> bool:
    return isinstance(weight, int | float) and not isinstance(weight, bool) and weight > 0


def _objects(value: Any) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(value, dict):
        return []
    return [(name, body) for name, body in value.items() if isinstance(body, dict)]
