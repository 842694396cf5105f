"""Readiness: whether this process can serve, and what it lacks to serve everything."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch
from pydantic import BaseModel, ConfigDict, Field

from query_api import aliases

_PATIENCE: Final = 2.0  # seconds; a probe that hangs tells its caller nothing


class State(StrEnum):
    """How far the process can serve."""

    READY = "ready"  # every entity type can be searched
    DEGRADED = "degraded"  # some types have no index yet; the others can be searched
    UNREADY = "unready"  # nothing can be searched


class Readiness(BaseModel):
    """The body of `GET /readyz`: 200 when something can be searched, else 503."""

    model_config = ConfigDict(frozen=True)

    state: Annotated[State, Field(description="How far the process can serve.")]
    missing: Annotated[
        list[str], Field(description="What is missing, and what to do; empty when ready.")
    ]


async def assess(
    engine: AsyncElasticsearch, index_prefix: str, entities: Sequence[str]
) -> Readiness:
    """What this process can serve right now.

    A missing index alone does not make it unready: a new entity type is defined before it is
    indexed, and must not take every process out of service.
    """
    patient = engine.options(request_timeout=_PATIENCE)
    try:
        lacking = await aliases.missing(patient, index_prefix, entities)
    except (TransportError, ApiError) as error:
        message = f"the search engine does not answer ({type(error).__name__}); is it running?"
        return Readiness(state=State.UNREADY, missing=[message])
    if not lacking:
        return Readiness(state=State.READY, missing=[])
    return Readiness(
        state=State.UNREADY if len(lacking) == len(entities) else State.DEGRADED,
        missing=[_remedy(index_prefix, entity) for entity in lacking],
    )


def status_of(readiness: Readiness) -> int:
    """The HTTP status that tells a load balancer."""
    return 503 if readiness.state is State.UNREADY else 200


def body_of(readiness: Readiness) -> dict[str, Any]:
    """The JSON that tells an operator."""
    return readiness.model_dump(mode="json")


def _remedy(index_prefix: str, entity: str) -> str:
    alias = aliases.alias_of(index_prefix, entity)
    return f"alias {alias} (run `disco index reindex {entity}`)"
