"""Answers of the API as records. Fields that a later version of the service adds are ignored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Total:
    """How many hits there are on all pages."""

    value: int
    is_exact: bool  # False: there are `value` or more


@dataclass(frozen=True, kw_only=True)
class FacetValue:
    """How many hits have a value."""

    value: str  # as a filter takes it
    count: int


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Something that a hit owes its place to."""

    signal: str  # text, rank, type
    value: float  # points of a text, else a factor
    match: str | None = None  # how a text matches
    field: str | None = None  # where it does


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One entity that was found."""

    type: str
    id: str  # unique within its type
    title: str  # plain text
    subtitle: str | None
    permalink: str  # path of its page
    score: float
    highlight: Mapping[str, str] = field(default_factory=dict)  # HTML, by field
    fields: Mapping[str, Any] = field(default_factory=dict)
    explanation: tuple[Signal, ...] = ()  # where it was asked for

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """The hit that the service describes."""
        return cls(
            **{
                name: answer[name]
                for name in ("type", "id", "title", "subtitle", "permalink", "score")
            },
            highlight=answer["highlight"],
            fields=answer["fields"],
            explanation=tuple(
                Signal(
                    signal=one["signal"],
                    value=one["value"],
                    match=one.get("match"),
                    field=one.get("field"),
                )
                for one in answer.get("explanation") or ()
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a search."""

    query_id: str  # names the search: say it in feedback
    total: Total
    took_ms: int
    partial: bool  # whether a part of the catalogue had no say, because time ran out
    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[FacetValue, ...]]
    suggestion: str | None  # a text to search for instead
    relaxed: str | None  # how the search was widened, because nothing has what was typed
    next: str | None  # cursor of the page that follows
    variant: str
    request_id: str  # names the request in the service's logs

    @classmethod
    def read(cls, answer: Mapping[str, Any], request_id: str) -> Self:
        """The page that the service describes."""
        total = answer["total"]
        return cls(
            **{
                name: answer[name]
                for name in ("query_id", "took_ms", "partial", "suggestion", "relaxed", "next")
            },
            total=Total(value=total["value"], is_exact=total["relation"] == "eq"),
            hits=tuple(Hit.read(one) for one in answer["hits"]),
            facets={
                name: tuple(FacetValue(value=one["value"], count=one["count"]) for one in values)
                for name, values in answer["facets"].items()
            },
            variant=answer["variant"],
            request_id=request_id,
        )
