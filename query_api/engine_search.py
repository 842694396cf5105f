"""Engine searches: a plan goes in, the engine's response comes out, and says if it is partial."""

from collections.abc import Mapping
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
_HEADERS: Final = {"Accept": "application/json", "Content-Type": "application/json"}


async def run(engine: AsyncElasticsearch, plan: Plan) -> Mapping[str, Any]:
    """The engine's response to a plan, complete or not at all.

    Raises `QueryError` when time ran out, and what the engine's client raises:
    `elasticsearch.NotFoundError` when one of the indices is gone.
    """
    return complete(await run_partly(engine, plan))


async def run_partly(engine: AsyncElasticsearch, plan: Plan) -> Mapping[str, Any]:
    """The engine's response, as much as there was time for; raises what the client raises."""
    with ENGINE_SECONDS.time():
        response = await engine.perform_request(
            "POST",
            f"/{','.join(plan.indices)}/_search?{PARAMETERS}",
            headers=_HEADERS,
            body=plan.body,
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
