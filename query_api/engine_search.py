"""Engine searches: a plan goes in, the engine's response comes out, and says if it is partial."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from elasticsearch import AsyncElasticsearch

from query_api.metrics import ENGINE_SECONDS, PARTIAL_ANSWERS
from query_api.planner import Plan
from query_api.problems import DEADLINE_DETAIL, Code, QueryError

# All that an answer is made of; the rest of a response only costs time on both sides.
_FILTER_PATH: Final = (
    "took,timed_out,_shards.failed,hits.total,hits.hits._id,hits.hits._score,hits.hits._source,"
    "hits.hits.highlight,hits.hits.sort,"
    "hits.hits.matched_queries,hits.hits.fields,"
    "aggregations.*.buckets,aggregations.*.*.buckets"
)
# What was found in time is better than nothing, as long as the answer says that it is not all.
PARAMETERS: Final = (
    f"include_named_queries_score=true&allow_partial_search_results=true&filter_path={_FILTER_PATH}"
)
_ALL_FILTER_PATH: Final = (
    "filter_path=responses.status,responses.hits.hits._id,responses.hits.hits.matched_queries"
)
_SUGGESTER_FILTER_PATH: Final = "filter_path=took,suggest"
_HEADERS: Final = {"Accept": "application/json", "Content-Type": "application/json"}
_LINES_HEADERS: Final = _HEADERS | {"Content-Type": "application/x-ndjson"}


async def run(engine: AsyncElasticsearch, plan: Plan) -> Mapping[str, Any]:
    """The engine's response to a plan, complete or not at all.

    Raises `QueryError` when time ran out, and what the engine's client raises:
    `elasticsearch.NotFoundError` when one of the indices is gone.
    """
    return complete(await run_partly(engine, plan))


async def run_partly(engine: AsyncElasticsearch, plan: Plan) -> Mapping[str, Any]:
    """The engine's response, as much as there was time for; raises what the client raises."""
    return await _sent(engine, plan.indices, f"_search?{PARAMETERS}", plan.body, _HEADERS)


async def run_all(engine: AsyncElasticsearch, plans: Sequence[Plan]) -> Sequence[Mapping[str, Any]]:
    """The responses to plans for the same indices, in one call, in their order.

    One that failed, or was not done in time, has no hits. Raises what the client raises.
    """
    lines = [line for plan in plans for line in ({}, plan.body)]
    indices = plans[0].indices
    found = await _sent(engine, indices, f"_msearch?{_ALL_FILTER_PATH}", lines, _LINES_HEADERS)
    responses: Sequence[Mapping[str, Any]] = found["responses"]
    return responses


async def run_suggester(engine: AsyncElasticsearch, plan: Plan) -> Mapping[str, Any]:
    """The engine's response to a plan that asks for spellings; raises what the client raises."""
    return await _sent(
        engine, plan.indices, f"_search?{_SUGGESTER_FILTER_PATH}", plan.body, _HEADERS
    )


async def _sent(
    engine: AsyncElasticsearch,
    indices: Sequence[str],
    address: str,
    body: Any,
    headers: Mapping[str, str],
) -> Mapping[str, Any]:
    with ENGINE_SECONDS.time():
        response = await engine.perform_request(
            "POST", f"/{','.join(indices)}/{address}", headers=headers, body=body
        )
    found: Mapping[str, Any] = response.body
    return found


def is_partial(response: Mapping[str, Any]) -> bool:
    """Whether a part of the index had no say: it was not done in time, or could not be read."""
    return bool(response.get("timed_out") or response.get("_shards", {}).get("failed"))


def complete(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """The response; raises `QueryError` for a partial one."""
    if is_partial(response):
        raise QueryError(Code.DEADLINE_EXCEEDED, DEADLINE_DETAIL)
    return response


def answerable(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """The response, if a person can do something with it.

    Raises `QueryError` for a partial one without hits: that does not mean that there are none.
    """
    if is_partial(response):
        PARTIAL_ANSWERS.inc()
        if not response["hits"].get("hits"):
            raise QueryError(Code.DEADLINE_EXCEEDED, DEADLINE_DETAIL)
    return response
