"""Interaction events: what a front end tells of people and hits, checked one by one.

An event that is wrong is refused with its reason, and the others of its batch are taken.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evaluation.interaction_operations import Interaction, Kind
from query_api.planner import DEEPEST
from query_api.query_ids import LIFETIME, QueryIds

#: Events of one batch.
MOST: Final = 500
_PRINTABLE: Final = r"^[A-Za-z0-9._:/+=-]{1,64}$"
_CLOCK_TOLERANCE: Final = timedelta(seconds=1)
_LONGEST_SECONDS: Final = 86_400


class Reason(StrEnum):
    """Why an event was refused. The values are part of the API."""

    MALFORMED = "malformed"  # it lacks something, or something in it does not fit
    FORGED = "forged"  # its query id was not made by this service
    EXPIRED = "expired"  # its search was more than a day ago
    UNKNOWN_TYPE = "unknown_type"  # there is no such entity type
    POSITION = "position"  # no search leads to that position


class InteractionEvent(BaseModel):
    """One thing that somebody did with a hit."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Annotated[
        str,
        Field(
            pattern=_PRINTABLE,
            description="Made by the client, e.g. a UUID: the same event counts once, however "
            "often it is sent.",
        ),
    ]
    query_id: Annotated[str, Field(max_length=100, description="`query_id` of the search.")]
    kind: Annotated[
        Literal["impression", "click", "play", "dwell"], Field(description="What was done.")
    ]
    type: Annotated[str, Field(max_length=64, description="Type of the hit.")]
    entity_id: Annotated[str, Field(pattern=_PRINTABLE, description="Id of the hit.")]
    position: Annotated[int, Field(description=f"Position of the hit, from 1 to {DEEPEST}.")]
    at: Annotated[
        str | None,
        Field(
            max_length=64,
            description="When, RFC 3339 with its offset. A time before the search, or ahead of "
            "the service's clock, is moved to the nearest that can be. Without it: now.",
        ),
    ] = None
    seconds: Annotated[
        float | None,
        Field(ge=0, le=_LONGEST_SECONDS, description="How long, of a play or a dwell."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An event that was not taken."""

    index: int  # in the batch, from 0
    id: str | None  # of the event, as far as it has one
    reason: Reason
    detail: str  # what to change


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A batch of events."""

    accepted: list[Interaction]
    rejected: list[Refusal]
    clamped: int  # accepted ones whose time was moved


class EventRefusedError(Exception):
    """An event is wrong; it is told in the answer, and stops nothing."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def check(
    events: list[Any], *, query_ids: QueryIds, entities: Collection[str], now: datetime
) -> Checked:
    """What of a batch can be taken."""
    accepted: list[Interaction] = []
    rejected: list[Refusal] = []
    clamped = 0
    for index, given in enumerate(events):
        try:
            event = _read(given)
            interaction, was_moved = _checked(event, query_ids, entities, now)
        except EventRefusedError as refused:
            rejected.append(
                Refusal(index=index, id=_id_of(given), reason=refused.reason, detail=refused.detail)
            )
        else:
            accepted.append(interaction)
            clamped += was_moved
    return Checked(accepted=accepted, rejected=rejected, clamped=clamped)


def _read(given: object) -> InteractionEvent:
    try:
        return InteractionEvent.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))[:100]
        raise EventRefusedError(
            Reason.MALFORMED, f"{where or 'The event'}: {first['msg']}"
        ) from None


def _checked(
    event: InteractionEvent, query_ids: QueryIds, entities: Collection[str], now: datetime
) -> tuple[Interaction, bool]:
    """The record of an event, and whether its time was moved."""
    searched_at = query_ids.check(event.query_id)
    if searched_at is None:
        raise EventRefusedError(
            Reason.FORGED, "query_id was not made by this service; send that of the search."
        )
    if now - searched_at > timedelta(seconds=LIFETIME):
        raise EventRefusedError(Reason.EXPIRED, "The search was more than a day ago.")
    if event.type not in entities:
        raise EventRefusedError(Reason.UNKNOWN_TYPE, f"Types are {', '.join(entities)}.")
    if not 1 <= event.position <= DEEPEST:
        raise EventRefusedError(Reason.POSITION, f"Positions are 1 to {DEEPEST}.")
    told = _time(event.at) if event.at is not None else now
    at = min(max(told, searched_at), max(now, searched_at))
    interaction = Interaction(
        day=searched_at.date(),
        query_id=event.query_id,
        id=event.id,
        kind=Kind(event.kind),
        entity_type=event.type,
        entity_id=event.entity_id,
        position=event.position,
        done_at=at,
        received_at=now,
        seconds=event.seconds,
    )
    return interaction, abs(told - at) > _CLOCK_TOLERANCE


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise EventRefusedError(Reason.MALFORMED, "at: must be an RFC 3339 time with its offset.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise EventRefusedError(Reason.MALFORMED, "at: no such time in UTC.") from None


def _id_of(given: object) -> str | None:
    one = given.get("id") if isinstance(given, Mapping) else None
    return one[:64] if isinstance(one, str) else None
