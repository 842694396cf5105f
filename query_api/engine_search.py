"""Engine searches: a plan goes in, the engine's response comes out, complete or not at all."""

from collections.abc import Mapping
from typing import Any, Final

from elasticsearch import AsyncElasticsearch

from query_api.metrics import ENGINE_SECONDS
from query_api.planner import Plan
from query_api.problems import DEADLINE_DETAIL, Code, QueryError

# All that an answer is made of; the rest of a response only costs time on both sides.
_FILTER_PATH: Final = (
    "took,timed_out,hits.total,hits.hits._id,hits.hits._score,hits.hits._source,"
    "hits.hits.highlight,hits.hits.sort,"
    "aggregations.*.buckets,aggregations.*.*.buckets"
)
# A page that silently lacks some shards' hits would be taken for the whole truth.
_PARAMETERS: Final = f"allow_partial_search_results=false&filter_path={_FILTER_PATH}"
_HEADERS: Final = {"Accept": "application/json", "Content-Type": "application/json"}


async def run(engine: AsyncElasticsearch, plan: Plan) -> Mapping[str, Any]:
    """The engine's response to a plan.

    Raises `QueryError` when time ran out, and what the engine's client raises:
    `elasticsearch.NotFoundError` when one of the indices is gone.
    """
    with ENGINE_SECONDS.time():
        response = await engine.perform_request(
            "POST",
            f"/{','.join(plan.indices)}/_search?{_PARAMETERS}",
            headers=_HEADERS,
            body=plan.body,
        )
    found: Mapping[str, Any] = response.body
    if found["timed_out"]:
        raise QueryError(Code.DEADLINE_EXCEEDED, DEADLINE_DETAIL)
    return found
