"""Answers: from the engine's response to the JSON that a client gets.

The models are the published schema (and what tests hold answers against); answers themselves are
plain dictionaries, because building models for every hit would cost more than the engine's network.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from query_api import explanations
from query_api.cursors import Cursor
from query_api.engine_search import is_partial
from query_api.profiles import Profiles, SearchProfile, Window
from query_api.widening import Step

_MARK: Final = "<em>"
_NOTHING_MARKED: Final = "<em></em>"  # what the engine makes of a sign that stands for a word: &
_SEPARATOR: Final = " … "  # between the parts of a long field that are shown


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, title=None)


class Total(_Answer):
    """How many hits there are on all pages."""

    value: Annotated[int, Field(ge=0, description="Number of hits.")]
    relation: Annotated[
        Literal["eq", "gte"],
        Field(description="`eq`: exactly `value`. `gte`: `value` or more; nobody counted further."),
    ]


class Signal(_Answer):
    """Something that a hit owes its place to."""

    signal: Annotated[
        Literal["text", "rank", "type"],
        Field(
            description="`text`: a field matches. `rank`: how well known it is. `type`: the weight "
            "of its type among others."
        ),
    ]
    match: Annotated[
        Literal["words", "phrase", "prefix", "exact"] | None,
        Field(description="How the text matches, of the signal `text`."),
    ] = None
    field: Annotated[str | None, Field(description="Where the text matches.")] = None
    value: Annotated[
        float,
        Field(
            description="Of `text`, the points that the field gives by itself; otherwise the "
            "factor that they are multiplied by."
        ),
    ]


class Hit(_Answer):
    """One entity that was found."""

    type: Annotated[str, Field(description="Entity type.", examples=["sound"])]
    id: Annotated[str, Field(description="Id within its type.", examples=["42"])]
    title: Annotated[str, Field(description="Its name, as plain text.")]
    subtitle: Annotated[
        str | None, Field(description="What tells it from others of that name, as plain text.")
    ]
    permalink: Annotated[str, Field(description="Path of its page.", examples=["/ana/rain"])]
    score: Annotated[
        float, Field(description="Only comparable within one search; 0 where nothing is ranked.")
    ]
    highlight: Annotated[
        dict[str, str],
        Field(
            description="Fields in which words were found, as HTML: the text is escaped, what was "
            "found stands in `<em>`. A field that is not here has no match."
        ),
    ]
    fields: Annotated[
        dict[str, Any],
        Field(description="More about it; the names depend on the type, absent values are null."),
    ]
    explanation: Annotated[
        list[Signal] | None,
        Field(description="With `explain` alone: the signals. Empty where nothing is ranked."),
    ] = None


class FacetValue(_Answer):
    """A value by which the hits can be narrowed."""

    value: Annotated[str, Field(description="As text: a range such as `10..20`, a year, `true`.")]
    count: Annotated[int, Field(ge=0, description="Hits that have this value.")]


class SearchAnswer(_Answer):
    """One page of what was found."""

    query_id: Annotated[
        str, Field(description="Names this search, the same on all its pages. Say it in feedback.")
    ]
    total: Total
    took_ms: Annotated[int, Field(ge=0, description="Time the engine took, in milliseconds.")]
    hits: Annotated[list[Hit], Field(description="In the order of `sort`.")]
    partial: Annotated[
        bool,
        Field(
            description="Whether a part of the catalogue had no say, because the search ran out of "
            "time: there may be better hits, and counts are too low."
        ),
    ]
    facets: Annotated[
        dict[str, list[FacetValue]],
        Field(
            description="By name, those that were asked for: how many hits there are of each "
            "value under all filters but the facet's own. Values are as `filter.<name>` takes them."
        ),
    ]
    suggestion: Annotated[
        str | None,
        Field(
            description="A text to search for instead: of a widened search the one that the hits "
            "are of, otherwise one that names have. Null: there is none."
        ),
    ]
    relaxed: Annotated[
        Step | None,
        Field(
            description="How the search was widened, because nothing has what was typed: phrases "
            "need not stand as they are (`unquoted`), words are spelled as names spell them "
            "(`respelled`), some of the words are enough (`fewer_words`), any is, and it may be "
            "spelled a little differently (`fuzzy`), or none has to be there: the best known "
            "(`popular`). Null: it was not. What was left out, filters and types hold in any case."
        ),
    ]
    next: Annotated[
        str | None, Field(description="`cursor` of the next page; null on the last one.")
    ]
    variant: Annotated[
        str, Field(description="What answered; `live` unless an experiment or `variant` chose.")
    ]
    experiment: Annotated[
        str | None, Field(description="The experiment that chose the variant; null: none did.")
    ]
    generations: Annotated[
        dict[str, str],
        Field(description="The index that answered, by entity type; the same on all pages."),
    ]


class ExploreAnswer(_Answer):
    """One page of what is busy."""

    query_id: Annotated[str, Field(description="Names this list, the same on all its pages.")]
    total: Total
    took_ms: Annotated[int, Field(ge=0, description="Time the engine took, in milliseconds.")]
    hits: Annotated[
        list[Hit],
        Field(description="Busiest first; `score` is 1 for the first, a share of it for others."),
    ]
    genres: Annotated[
        list[FacetValue], Field(description="Genres of all that is busy, the commonest first.")
    ]
    window: Annotated[Window, Field(description="How far back counted.")]
    next: Annotated[
        str | None, Field(description="`cursor` of the next page; null on the last one.")
    ]
    generations: Annotated[
        dict[str, str],
        Field(description="The index that answered, by entity type; the same on all pages."),
    ]


class RelatedAnswer(_Answer):
    """What is related to a sound."""

    took_ms: Annotated[int, Field(ge=0, description="Time the engine took, in milliseconds.")]
    hits: Annotated[list[Hit], Field(description="The most related first.")]


def search_answer(
    response: Mapping[str, Any],
    profiles: Profiles,
    *,
    made_by: Cursor,
    suggestion: str | None = None,
    explain: bool = False,
    next_cursor: str | None,
    counted: Mapping[str, list[dict[str, Any]]],
) -> dict[str, Any]:
    """The answer to a search, of the shape of `SearchAnswer`.

    `made_by` is where its page begins, and what made it; `suggestion` what to search for instead;
    `counted` are its facets; with `explain`, hits say which signals they owe their place to.
    """
    found, partial = response["hits"], is_partial(response)
    hits = [hit_answer(hit, profiles) for hit in found.get("hits", ())]
    if explain:
        for hit, told in zip(found.get("hits", ()), hits, strict=True):
            is_ranked = bool(hit.get("_score"))
            profile = profiles[told["type"]]
            told["explanation"] = explanations.told(hit, profile) if is_ranked else []
    return {
        "query_id": made_by.query_id,
        "total": found["total"] | ({"relation": "gte"} if partial else {}),
        "took_ms": response["took"],
        "hits": hits,
        "partial": partial,
        "facets": counted,
        "suggestion": suggestion,
        "relaxed": made_by.widening.step if made_by.widening else None,
        "next": next_cursor,
        "variant": made_by.variant,
        "experiment": made_by.experiment,
        "generations": dict(made_by.indices),
    }


def hit_answer(hit: Mapping[str, Any], profiles: Profiles) -> dict[str, Any]:
    """One engine hit, of the shape of `Hit`. Only fields that the profile returns are in it."""
    source = hit["_source"]
    profile = profiles[source["type"]]
    return {
        "type": source["type"],
        "id": hit["_id"],
        "title": source.get(profile.title) or "",
        "subtitle": source.get(profile.subtitle),
        "permalink": source["permalink"],
        "score": hit.get("_score") or 0.0,
        "highlight": _marked(hit.get("highlight"), profile),
        "fields": {name: source.get(name) for name in profile.fields},
    }


def _marked(
    highlight: Mapping[str, Sequence[str]] | None, profile: SearchProfile
) -> dict[str, str]:
    if not highlight:
        return {}
    marked = {
        _public_name(name, profile): _SEPARATOR.join(highlight[name]).replace(_NOTHING_MARKED, "")
        for name in profile.highlight
        if name in highlight
    }
    return {name: html for name, html in marked.items() if _MARK in html}


def _public_name(field: str, profile: SearchProfile) -> str:
    """The name that a hit gives a field: its title and subtitle are called so in every type."""
    return {profile.title: "title", profile.subtitle: "subtitle"}.get(field, field)
