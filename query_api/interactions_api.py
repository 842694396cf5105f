"""What people did with the hits: `POST /v1/interactions`.

Taken is what fits into the outbox, which gets it to the broker; what does not fit is refused at
once, and the client sends it again later. `navigator.sendBeacon` sends text, so text is taken.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from evaluation.interaction_operations import Outbox
from query_api import interaction_events, metrics
from query_api.interaction_events import MOST, InteractionEvent, Reason
from query_api.problems import Code, QueryError
from query_api.profiles import Profiles
from query_api.query_ids import QueryIds

#: Bytes of a body.
LARGEST: Final = 262_144
_MEDIA_TYPES: Final = frozenset({"application/json", "text/plain", ""})
_HEADERS: Final = {"Cache-Control": "no-store"}


class InteractionsBody(BaseModel):
    """What people did, as a front end tells it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    events: Annotated[list[InteractionEvent], Field(max_length=MOST)]


class Rejected(BaseModel):
    """An event that was not taken; sending it again is vain."""

    model_config = ConfigDict(frozen=True)

    index: Annotated[int, Field(description="Place in `events`, from 0.")]
    id: Annotated[str | None, Field(description="The event's id, as far as it has one.")]
    reason: Annotated[Reason, Field(description="Stable name of what is wrong.")]
    detail: Annotated[str, Field(description="What to change.")]


class InteractionsAnswer(BaseModel):
    """What became of the events."""

    model_config = ConfigDict(frozen=True)

    accepted: Annotated[int, Field(description="Events that were taken.")]
    rejected: Annotated[list[Rejected], Field(description="Those that were not, and why.")]


class InteractionsApi:
    """Takes what people did."""

    def __init__(self, outbox: Outbox | None, query_ids: QueryIds, profiles: Profiles) -> None:
        self._outbox = outbox
        self._query_ids = query_ids
        self._entities = tuple(profiles)

    async def take(self, request: Request) -> Response:
        """`POST /v1/interactions`."""
        if self._outbox is None:
            raise QueryError(
                Code.NOT_FOUND, "Interactions are not taken here: the setting interactions is off."
            )
        try:
            events = await _events(request)
        except QueryError as error:
            metrics.INTERACTIONS.labels(str(error.code)).inc()
            raise
        checked = interaction_events.check(
            events, query_ids=self._query_ids, entities=self._entities, now=datetime.now(UTC)
        )
        for refusal in checked.rejected:
            metrics.INTERACTIONS.labels(str(refusal.reason)).inc()
        if not self._outbox.take(checked.accepted):
            metrics.INTERACTIONS.labels("no_room").inc(len(checked.accepted))
            raise QueryError(
                Code.SERVICE_UNAVAILABLE,
                "Interactions cannot be taken right now. None was; send all of them again.",
            )
        metrics.INTERACTIONS.labels("accepted").inc(len(checked.accepted))
        metrics.INTERACTIONS_CLAMPED.inc(checked.clamped)
        answer = {"accepted": len(checked.accepted), "rejected": checked.rejected}
        return Response(
            orjson.dumps(answer),
            status_code=202,
            headers=_HEADERS,
            media_type="application/json",
        )


async def _events(request: Request) -> list[Any]:
    """The events of a body; raises `QueryError`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES:
        raise QueryError(
            Code.UNSUPPORTED_MEDIA_TYPE, "Send the events as application/json or text/plain."
        )
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > LARGEST:
        raise _too_large()
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise _too_large()
    return _listed(bytes(body))


def _listed(body: bytes) -> list[Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise QueryError(Code.BAD_REQUEST, "The body is not JSON.") from None
    events = content.get("events") if isinstance(content, dict) else None
    if not isinstance(events, list):
        raise QueryError(
            Code.INVALID_VALUE, "The body must be an object with a list `events`.",
            parameter="events",
        )  # fmt: skip
    if len(events) > MOST:
        raise QueryError(
            Code.INVALID_VALUE, f"There are more than {MOST} events; send several batches.",
            parameter="events",
        )  # fmt: skip
    return events


def _too_large() -> QueryError:
    return QueryError(
        Code.BODY_TOO_LARGE, f"The body has more than {LARGEST} bytes; send several batches."
    )
