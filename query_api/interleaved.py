"""Interleaved searches: two variants answer, and their hits stand in one list.

Every page drafts the list from its beginning: the id of the search is the seed, so it is the same
list each time, and no hit is repeated or skipped from page to page. It is as deep as one draft.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from elasticsearch import AsyncElasticsearch, NotFoundError

from evaluation.interaction_operations import team_draft
from query_api import cursors, engine_search, planner
from query_api.cursors import Cursor
from query_api.parameters import SearchRequest
from query_api.problems import Code, QueryError
from query_api.variant_indices import VariantIndices
from query_api.variants import Trials, Variant

#: Hits of an interleaved search, on all its pages.
DEEPEST: Final = 100
SEPARATOR: Final = "+"  # between the names of the variants; a name has none
_OF_SECOND: Final = SEPARATOR  # before the types of the second variant's indices


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """A page of an interleaved search."""

    response: Mapping[str, Any]  # as the engine's, with the hits of both
    teams: list[str]  # whose each hit is
    more: bool  # whether there is a page after it


class InterleavedSearch:
    """Searches by two variants at once."""

    def __init__(
        self, engine: AsyncElasticsearch, indices: VariantIndices, *, deadline: float
    ) -> None:
        self._engine = engine
        self._indices = indices
        self._deadline = deadline

    async def indices(
        self, pair: tuple[Variant, Variant], entities: tuple[str, ...]
    ) -> dict[str, str]:
        """What both search: by type, and with a mark before the type where the second has another.

        Raises `QueryError` when a variant's index is not there.
        """
        first, second = [(await self._indices.place(variant)).indices for variant in pair]
        common = [one for one in entities if one in first and one in second]
        if not common:
            raise QueryError(
                Code.VARIANT_UNAVAILABLE, "The variants have no index in common.", parameter="type"
            )
        return {one: first[one] for one in common} | {
            _OF_SECOND + one: second[one] for one in common if second[one] != first[one]
        }

    async def on(
        self, pair: tuple[Variant, Variant], indices: Mapping[str, str]
    ) -> tuple[Variant, Variant]:
        """The variants as they search what `indices` gave."""
        first, second = [
            (await self._indices.on(variant, own)).variant
            for variant, own in zip(pair, _split(indices), strict=True)
        ]
        return first, second

    async def page(
        self, request: SearchRequest, pair: tuple[Variant, Variant], start: Cursor
    ) -> Drafted:
        """The page that begins at `start`; raises `QueryError` when its indices are gone."""
        depth = min(start.position + request.limit, DEEPEST)
        own = _split(start.indices)
        try:
            responses = await asyncio.gather(
                *(
                    self._ask(replace(request, limit=depth), variant, indices)
                    for variant, indices in zip(pair, own, strict=True)
                )
            )
        except NotFoundError:
            raise cursors.gone() from None
        return _drafted(responses, start, depth)

    async def _ask(
        self, request: SearchRequest, variant: Variant, indices: Mapping[str, str]
    ) -> Mapping[str, Any]:
        plan = planner.plan(request, variant.profiles, indices=indices, deadline=self._deadline)
        return await engine_search.run(self._engine, plan)


def name_of(pair: tuple[str, str]) -> str:
    """What answers and log call two variants in one list."""
    return SEPARATOR.join(pair)


def pair_of(name: str, trials: Trials) -> tuple[Variant, Variant] | None:
    """The variants of such a name; None: it is the name of one, or one is not there any more."""
    first, separator, second = name.partition(SEPARATOR)
    if not separator or not {first, second} <= trials.variants.keys():
        return None
    return trials.variants[first], trials.variants[second]


def fingerprint(request: SearchRequest, pair: tuple[Variant, Variant]) -> str:
    """As the planner's, of both variants."""
    return "".join(planner.fingerprint(request, one.profiles)[:8] for one in pair)


def _drafted(responses: list[Mapping[str, Any]], start: Cursor, depth: int) -> Drafted:
    lists = [response["hits"].get("hits", ()) for response in responses]
    by_key = {_key(hit): hit for hits in reversed(lists) for hit in hits}
    first, second = ([_key(hit) for hit in hits] for hits in lists)
    draft = team_draft(first, second, seed=start.query_id, most=depth)[start.position :]
    totals = [response["hits"]["total"] for response in responses]
    is_full = start.position + len(draft) == depth
    return Drafted(
        response={
            # Both look among the same documents: how many have which value, one of them says.
            "aggregations": responses[0].get("aggregations", {}),
            "took": max(response["took"] for response in responses),
            "hits": {
                "total": max(totals, key=lambda total: total["value"]),
                "hits": [by_key[key] for key, _ in draft],
            },
        },
        teams=[team for _, team in draft],
        more=bool(draft) and is_full and depth < DEEPEST,
    )


def _split(indices: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    first = {one: index for one, index in indices.items() if not one.startswith(_OF_SECOND)}
    return first, {one: indices.get(_OF_SECOND + one, index) for one, index in first.items()}


def _key(hit: Mapping[str, Any]) -> tuple[str, str]:
    return hit["_source"]["type"], hit["_id"]
