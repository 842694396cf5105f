"""Events: something changed. An event carries identity and time, never content.

The contract for producers is `docs/events.md`. An event is decoded from its routing key
(`<action>.<entity>`) and from `id` and `occurred_at` of its JSON body; all else is ignored.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import orjson

from core.errors import DiscoError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_LARGEST_ID = 2**63 - 1
_ACTIONS = frozenset({"create", "save", "destroy", "refresh"})


class Action(StrEnum):
    """What happened to the entity, as its producer sees it."""

    CREATE = "create"  # a row came into being
    SAVE = "save"  # a row, or what its document is made of, changed
    DESTROY = "destroy"  # a row went away, or is no longer to be found
    REFRESH = "refresh"  # index this document again; its dependents are not concerned


class Event(NamedTuple):
    """One change of one entity. A tuple, because a worker decodes ten thousand a second."""

    entity: str  # entity type, e.g. "sound"
    id: int  # the row's id
    action: Action
    occurred_at: int  # microseconds since the Unix epoch, by the database's clock


class MalformedEventError(DiscoError):
    """A message that is no event. It is dead-lettered with this reason, and blocks nothing.

    `reason` is a stable code for metrics: `routing_key`, `too_large`, `not_json`, `no_id`,
    `bad_id`, `no_time` or `bad_time`. Mend the producer, then `disco dead-letters replay`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def decode(routing_key: str, body: bytes, *, size_limit: int) -> Event:
    """The event that a producer's message stands for; raises `MalformedEventError`.

    `size_limit` is in bytes: a larger body is refused unread, so that no producer can stall a
    worker with it.
    """
    action, entity = _decode_routing_key(routing_key)
    content = _decode_body(body, size_limit)
    return Event(entity, _decode_id(content.get("id")), action, _decode_time(content))


def decode_all(routing_key: str, body: bytes, *, size_limit: int) -> list[Event]:
    """The events of a message: one, or in a refresh of ours one for each of its `ids`."""
    action, entity = _decode_routing_key(routing_key)
    content = _decode_body(body, size_limit)
    moment = _decode_time(content)
    if action is Action.REFRESH and isinstance(ids := content.get("ids"), list):
        if not ids:  # a message without events would never be finished, nor what comes after it
            raise MalformedEventError("no_id", "`ids` is empty")
        return [Event(entity, _decode_id(one), action, moment) for one in ids]
    return [Event(entity, _decode_id(content.get("id")), action, moment)]


def encode_refresh(ids: Iterable[int], occurred_at: int) -> bytes:
    """The body of one message that refreshes many entities of a type."""
    return orjson.dumps({"ids": list(ids), "occurred_at": format_time(occurred_at)})


def _decode_body(body: bytes, size_limit: int) -> dict[str, object]:
    if len(body) > size_limit:
        raise MalformedEventError(
            "too_large", f"body has {len(body)} bytes, more than {size_limit}"
        )
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedEventError("not_json", f"body is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise MalformedEventError(
            "not_json", f"body is a JSON {type(content).__name__}, not an object"
        )
    return content


def encode(event: Event) -> bytes:
    """The body of the event's message."""
    return orjson.dumps({"id": str(event.id), "occurred_at": format_time(event.occurred_at)})


def routing_key(event: Event) -> str:
    """The routing key of the event's message."""
    return f"{event.action}.{event.entity}"


def to_microseconds(moment: datetime) -> int:
    """Microseconds since the Unix epoch of an aware datetime."""
    return (moment - EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The UTC datetime of microseconds since the Unix epoch."""
    return EPOCH + timedelta(microseconds=microseconds)


def format_time(microseconds: int) -> str:
    """RFC 3339 with microseconds, in UTC."""
    return from_microseconds(microseconds).isoformat(timespec="microseconds")


def _decode_routing_key(routing_key: str) -> tuple[Action, str]:
    action, dot, entity = routing_key.partition(".")
    if not dot or not entity or action not in _ACTIONS:
        raise MalformedEventError(
            "routing_key",
            f"routing key {routing_key[:100]!r} is not <create|save|destroy|refresh>.<entity>",
        )
    return Action(action), entity


def _decode_id(value: object) -> int:
    if value is None:
        raise MalformedEventError("no_id", "body has no `id`")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        value = int(value)
    if type(value) is not int or not 0 <= value <= _LARGEST_ID:
        raise MalformedEventError("bad_id", f"`id` is {str(value)[:100]!r}, not a 64-bit integer")
    return value


def _decode_time(content: dict[str, object]) -> int:
    value = content.get("occurred_at")
    if value is None:
        raise MalformedEventError("no_time", "body has no `occurred_at`")
    if not isinstance(value, str):
        raise MalformedEventError(
            "bad_time", f"`occurred_at` is {str(value)[:100]!r}, not a string"
        )
    try:
        moment = datetime.fromisoformat(value if value[-1:] != "z" else f"{value[:-1]}Z")
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year < 1971:
        raise MalformedEventError(
            "bad_time", f"`occurred_at` is {value[:100]!r}, not an RFC 3339 time with its offset"
        )
    return to_microseconds(moment)
