"""Offline searches: the queries of a set, answered by variants just as people would be."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from elastic_transport import TransportError
from elasticsearch import ApiError

from core.engine import is_unavailable
from core.errors import ServiceUnavailableError, UsageError
from core.settings import Settings
from query_api import engine_defaults, engine_search, parameters, problems, unhurried
from query_api.assembly import Assembly, assemble
from query_api.live_indices import LiveIndices
from query_api.problems import QueryError
from query_api.search import Searcher
from query_api.widening import Step


@dataclass(frozen=True, kw_only=True)
class Found:
    """A hit."""

    type: str
    id: str
    title: str
    subtitle: str | None


Rankings = Mapping[str, Sequence[Found]]  # query id -> hits, best first


async def rank(
    settings: Settings, variants: Sequence[str], queries: Mapping[str, str], *, depth: int
) -> Mapping[str, Rankings]:
    """The first `depth` hits (at most `parameters.LARGEST_PAGE`) of queries, by variant.

    `queries` has texts by id. Raises `UsageError` for an unknown variant, and
    `ServiceUnavailableError` when one cannot answer.
    """
    async with _assembled(settings) as parts:
        searcher = parts.searcher(None)  # nobody searches here: it is in no log
        return {one: await _ranked(searcher, one, queries, depth) for one in variants}


async def rank_by_defaults(
    settings: Settings, queries: Mapping[str, str], *, depth: int
) -> Rankings:
    """What the engine finds by itself in the live indices, in the fields that ours looks in.

    Raises as `rank` does.
    """
    async with _assembled(settings) as parts:
        indices = await LiveIndices(parts.engine, settings.index_prefix, parts.profiles).current()
        if not indices:
            raise UsageError("there is no index to search; build it with `disco index reindex`")
        fields = {name: 0 for one in indices for name in parts.profiles[one].match.words}

        async def hits(text: str) -> Sequence[Found]:
            plan = engine_defaults.plan(
                text,
                [*fields],
                [*indices.values()],
                limit=depth,
                deadline=unhurried.deadline_of(settings),
            )
            response = await engine_search.run(parts.engine, plan)
            return [
                Found(
                    type=hit["_source"]["type"],
                    id=hit["_id"],
                    title=hit["_source"]["title"],
                    subtitle=hit["_source"].get("subtitle"),
                )
                for hit in response["hits"].get("hits", ())
            ]

        return await unhurried.each(queries, hits)


@asynccontextmanager
async def _assembled(settings: Settings) -> AsyncIterator[Assembly]:
    """What answers searches, and errors that say what to do."""
    parts = assemble(replace(settings, search_deadline=unhurried.deadline_of(settings)))
    try:
        yield parts
    except QueryError as error:
        is_at_fault = problems.status_of(error) < 500
        raise (UsageError if is_at_fault else ServiceUnavailableError)(error.detail) from error
    except (ApiError, TransportError) as error:
        if is_unavailable(error):
            raise ServiceUnavailableError(
                f"the engine at {settings.engine_url} does not answer ({error}); start it "
                "(`disco stack up`) or set DISCO_ENGINE_URL"
            ) from error
        raise problems.error_from(error) from error
    finally:
        await parts.engine.close()


async def _ranked(
    searcher: Searcher, variant: str, queries: Mapping[str, str], depth: int
) -> Rankings:
    profiles = await searcher.profiles()

    async def hits(text: str) -> Sequence[Found]:
        given = {"q": text, "limit": str(depth), "variant": variant}
        asked = parameters.search_request(given, profiles)
        searched = await searcher.search(asked)
        if searched.answer["relaxed"] == Step.POPULAR:  # it answers no query: nothing was found
            return []
        return [
            Found(type=hit["type"], id=hit["id"], title=hit["title"], subtitle=hit["subtitle"])
            for hit in searched.answer["hits"]
        ]

    return await unhurried.each(queries, hits)
