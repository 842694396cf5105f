"""Search profiles: how each entity type is searched, read from its definition.

A profile is data (`index_definitions/<entity>.search.json`, described in docs/definitions.md). It
is validated when it is read; the planner trusts it.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.definitions import RANK_FIELDS, Definition, DefinitionError

Window = Literal["24h", "7d", "30d"]
WINDOWS: Final[Mapping[Window, int]] = {"24h": 24, "7d": 7 * 24, "30d": 30 * 24}  # hours
Weights = dict[str, Annotated[float, Field(gt=0)]]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(_Part):
    """The fields that a query's words are looked for in, with weights, by kind of match."""

    exact: Weights = {}  # the whole query is the whole value
    phrase: Weights = {}  # the words stand side by side, in this order
    words: Annotated[Weights, Field(min_length=1)]  # the words, spread over these fields
    prefix: Weights = {}  # words begin with what was typed


class Facet(_Part):
    """How the values of a filter are counted over the hits."""

    most: Annotated[int, Field(ge=1, le=1000)] = 20  # values, those with the most hits
    edges: tuple[float, ...] = ()  # of a number: where one range ends and the next begins


class Filter(_Part):
    """A field that an answer can be narrowed by."""

    field: str
    kind: Literal["value", "id", "flag", "number", "date"]
    unit: str | None = None  # that a number is in, for people
    facet: Facet | None = None  # None: its values are not counted


class Sort(_Part):
    """An order of hits."""

    field: str
    order: Literal["ascending", "descending"]


class Rank(_Part):
    """How far an entity's rank lifts it above others that match as well."""

    weight: Annotated[float, Field(gt=0)]  # the best known score up to 1 + weight times as much
    pivot: Annotated[float, Field(gt=0)]  # the rank at which half of that is reached
    # The live slot, or for an experiment a certain one.
    field: Literal["rank", "rank_a", "rank_b"] = "rank"


class Newness(_Part):
    """How far what is new stands above what is old and as busy."""

    field: str  # the date that something is as old as
    half_life: Annotated[str, Field(pattern=r"^[1-9]\d*[dh]$")]  # e.g. 30d; half is left after it
    weight: Annotated[float, Field(gt=0)]  # what is brand-new counts 2 ** weight times as much


class Explore(_Part):
    """Where documents say how much happens to them, and what else counts in Explore."""

    active: str  # date of the last that happened
    heat: dict[Window, str]  # field of the logarithm to the base of 2, by window
    genre: str | None = None  # field of the value that Explore can be narrowed to
    owner: str | None = None  # field of the one it belongs to; None: there is none
    most: Annotated[int, Field(ge=1)] = 2  # of one owner
    newness: Newness
    rank: Rank

    @model_validator(mode="after")
    def _has_all_windows(self) -> Self:
        if missing := set(WINDOWS) - self.heat.keys():
            raise ValueError(f"heat lacks {', '.join(sorted(missing))}")
        return self


class Together(_Part):
    """Documents of another type that hold several of one."""

    entity: str  # their type, e.g. set
    field: str  # of theirs: the ids of what they hold
    weight: Annotated[float, Field(gt=0)]  # of each doubling of what holds both


class Related(_Part):
    """What makes two entities of one type related."""

    alike: Annotated[Weights, Field(min_length=1)]  # fields in which they agree
    together: Together
    owner: str = "user_id"  # field of the one it belongs to
    most: Annotated[int, Field(ge=1)] = 3  # of one owner


class SearchProfile(_Part):
    """How one entity type is searched, and what of it is returned."""

    title: str = "title"  # field that names a hit
    subtitle: str = "subtitle"  # field that says more about it
    match: Match
    operator: Literal["all", "any"] = "all"  # whether every word must be found
    highlight: tuple[str, ...] = ()  # fields in which matches are marked
    filters: Mapping[str, Filter] = {}  # by the name that a client uses
    sorts: Mapping[str, Sort] = {}  # by the name that a client uses; relevance needs none
    fields: tuple[str, ...] = ()  # returned with a hit; what is not here never leaves the index
    weight: Annotated[float, Field(gt=0)] = 1.0  # among hits of several types
    rank: Rank | None = None  # None: the rank does not count
    explore: Explore | None = None  # None: the type is not in Explore
    related: Related | None = None  # None: nothing is related

    @cached_property
    def digest(self) -> str:
        """Short text that changes whenever the profile does."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


Profiles = Mapping[str, SearchProfile]


def read(definitions: Mapping[str, Definition]) -> Profiles:
    """The profile of every entity type, the weightiest type first.

    Raises `DefinitionError` where a profile has an unknown key, lacks one, names a field that
    the mapping does not have, or lets answers be narrowed or ordered by what no hit shows; and
    where two types mean different fields by one name of a filter or a sort.
    """
    return together({entity: _read_one(definition) for entity, definition in definitions.items()})


def together(profiles: Profiles) -> Profiles:
    """Profiles of types that are searched at once, the weightiest first.

    Raises `DefinitionError` where two mean different fields by one name of a filter or a sort.
    """
    _check_meanings({entity: profile.filters for entity, profile in profiles.items()}, "filters")
    _check_meanings({entity: profile.sorts for entity, profile in profiles.items()}, "sorts")
    return dict(sorted(profiles.items(), key=lambda item: (-item[1].weight, item[0])))


def ranked_by(profiles: Profiles, field: Literal["rank", "rank_a", "rank_b"]) -> Profiles:
    """The profiles with ranks from that field; those that do not use ranks stay as they are."""
    return {
        entity: profile.model_copy(
            update={
                "rank": profile.rank.model_copy(update={"field": field}),
                "sorts": {name: _ranked(sort, field) for name, sort in profile.sorts.items()},
            }
        )
        if profile.rank
        else profile
        for entity, profile in profiles.items()
    }


def read_file(file: Path) -> Mapping[str, Any]:
    """The profile in a file, still to be checked by `read`; raises `DefinitionError`."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DefinitionError(f"{file}: not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise DefinitionError(f"{file}: is a JSON {type(content).__name__}; make it an object")
    return content


def _read_one(definition: Definition) -> SearchProfile:
    file = f"{definition.entity}.search.json"
    try:
        profile = SearchProfile.model_validate(definition.profile)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise DefinitionError(f"{file}: {where}: {first['msg']}") from None
    if unknown := sorted(_named_fields(profile) - _mapped_fields(definition.mappings)):
        raise DefinitionError(f"{file}: no such field in the mapping: {', '.join(unknown)}")
    _check_public(file, profile)
    return profile


def _check_public(file: str, profile: SearchProfile) -> None:
    """Whoever can narrow or order by a field can find out what it says, by asking often enough."""
    shown = {profile.title, profile.subtitle, *profile.fields}
    for name, one in profile.filters.items():
        if one.field.partition(".")[0] not in shown:
            raise DefinitionError(
                f"{file}: filters.{name}: no hit shows {one.field!r}; add it to fields, or take "
                "the filter out"
            )
        if problem := _facet_problem(one):
            raise DefinitionError(f"{file}: filters.{name}.facet: {problem}")
    for name, sort in profile.sorts.items():
        # Ranks are what relevance orders by as well; no more than their order is ever told.
        if sort.field not in RANK_FIELDS and sort.field.partition(".")[0] not in shown:
            raise DefinitionError(
                f"{file}: sorts.{name}: no hit shows {sort.field!r}; add it to fields, or take "
                "the sort out"
            )


def _facet_problem(one: Filter) -> str | None:
    if one.facet is None:
        return None
    if one.kind == "id":
        return "ids say nothing to a person; take it out"
    edges = one.facet.edges
    if (one.kind == "number") != bool(edges):
        return "edges are what a number needs, and nothing else has"
    return "edges have to rise" if list(edges) != sorted(set(edges)) else None


def _check_meanings(named: Mapping[str, Mapping[str, Filter | Sort]], where: str) -> None:
    """A search over several types is one search: a name means one field in all of them."""
    meanings: dict[str, tuple[str, object]] = {}
    for entity, ones in named.items():
        for name, one in ones.items():
            meaning = (one.field, one.kind if isinstance(one, Filter) else one.order)
            first, known = meanings.setdefault(name, (entity, meaning))
            if meaning != known:
                raise DefinitionError(
                    f"{entity}.search.json: {where}.{name} is another field or kind than in "
                    f"{first}.search.json; rename one of them"
                )


def _ranked(sort: Sort, field: str) -> Sort:
    return sort.model_copy(update={"field": field}) if sort.field in RANK_FIELDS else sort


def _named_fields(profile: SearchProfile) -> set[str]:
    match = profile.match
    return {
        *(profile.title, profile.subtitle, *profile.highlight, *profile.fields),
        *(*match.exact, *match.phrase, *match.words, *match.prefix),
        *(one.field for one in profile.filters.values()),
        *(one.field for one in profile.sorts.values()),
        *_explored_fields(profile.explore),
        *((*profile.related.alike, profile.related.owner) if profile.related else ()),
    }


def _explored_fields(explore: Explore | None) -> set[str]:
    if explore is None:
        return set()
    optional = {name for name in (explore.genre, explore.owner) if name}
    return {explore.active, explore.newness.field, *explore.heat.values(), *optional}


def _mapped_fields(mapping: Mapping[str, object], above: str = "") -> set[str]:
    """Full names of all fields of a mapping, sub-fields and fields of objects included."""
    names: set[str] = set()
    for kind in ("properties", "fields"):
        below = mapping.get(kind)
        for name, body in below.items() if isinstance(below, Mapping) else ():
            names |= {above + name, *_mapped_fields(body, f"{above}{name}.")}
    return names
