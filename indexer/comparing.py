"""Comparing: how the answers of two generations differ, query by query."""

from collections.abc import AsyncIterator, Sequence

from indexer import examination
from indexer.errors import IndexerError, engine_within_reach
from indexer.generation_diff import QueryDiff, compare
from indexer.probing import WORD
from indexer.promotion import named
from indexer.services import Services


class UnlikeGenerationsError(IndexerError):
    """Two indices cannot be compared; the message says why."""

    exit_code = 2


async def diff(
    services: Services, before: str, after: str, queries: Sequence[str] = ()
) -> AsyncIterator[QueryDiff]:
    """How the answers of two indices of one entity type differ; yields after each query.

    Each is searched by the profile that it was built with. Without queries, words of titles that
    are in the database are asked for. Raises `UnknownGenerationError` and `UnlikeGenerationsError`.
    """
    assert services.prober is not None, "open the indexer with a prober"
    generations = await services.generations.list()
    first, second = (named(generations, index) for index in (before, after))
    for one in (first, second):
        if problem := await services.prober.problem(one):
            raise UnlikeGenerationsError(f"{one.index} cannot be searched: {problem}")
    if first.name.entity != second.name.entity:
        raise UnlikeGenerationsError(
            f"{before} is an index of {first.name.entity}, {after} one of {second.name.entity}; "
            "name two of the same type (`disco index list`)"
        )
    if not queries:
        items = await examination.known_items(services, services.prober, first)
        queries = [*dict.fromkeys(one.text for one in items if one.kind == WORD)]
    with engine_within_reach():
        answers = [await services.prober.rank(one, queries) for one in (first, second)]
    for query, *hits in zip(queries, *answers, strict=True):
        yield compare(query, *hits)
