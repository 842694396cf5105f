"""What a front end tells is checked, event by event."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from query_api.interaction_events import Checked, Reason, check
from query_api.query_ids import QueryIds

IDS = QueryIds(b"secret")
NOW = datetime(2026, 5, 24, 0, 0, 10, tzinfo=UTC)
SEARCHED = NOW - timedelta(seconds=20)


def event(**changed: Any) -> dict[str, Any]:
    own = {
        "id": "e1",
        "query_id": IDS.new(SEARCHED.timestamp()),
        "kind": "click",
        "type": "sound",
        "entity_id": "42",
        "position": 3,
    }
    return {name: value for name, value in (own | changed).items() if value is not None}


def checked(*events: Any) -> Checked:
    return check(list(events), query_ids=IDS, entities=("sound", "user"), now=NOW)


def test_a_good_event_becomes_a_record_of_its_searchs_day() -> None:
    found = checked(event(seconds=2.5, kind="play"))
    (one,) = found.accepted
    assert not found.rejected
    assert one.day == SEARCHED.date()
    assert one.day < NOW.date()
    assert (one.kind, one.entity_type, one.entity_id, one.position) == ("play", "sound", "42", 3)
    assert (one.done_at, one.received_at, one.seconds) == (NOW, NOW, 2.5)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"query_id": "0" * 44}, Reason.FORGED),
        ({"query_id": QueryIds(b"other").new(SEARCHED.timestamp())}, Reason.FORGED),
        ({"query_id": IDS.new(NOW.timestamp() - 86_401)}, Reason.EXPIRED),
        ({"type": "planet"}, Reason.UNKNOWN_TYPE),
        ({"position": -1}, Reason.POSITION),
        ({"position": 0}, Reason.POSITION),
        ({"position": 10_001}, Reason.POSITION),
        ({"position": 2**70}, Reason.POSITION),
        ({"position": "3"}, Reason.MALFORMED),
        ({"position": True}, Reason.MALFORMED),
        ({"kind": "stare"}, Reason.MALFORMED),
        ({"id": ""}, Reason.MALFORMED),
        ({"id": "a\0b"}, Reason.MALFORMED),
        ({"id": None}, Reason.MALFORMED),
        ({"entity_id": "4 2"}, Reason.MALFORMED),
        ({"address": "10.0.0.1"}, Reason.MALFORMED),
        ({"at": "yesterday"}, Reason.MALFORMED),
        ({"at": "2026-05-24T00:00:00"}, Reason.MALFORMED),
        ({"at": "0001-01-01T00:00:00+14:00"}, Reason.MALFORMED),
        ({"seconds": -1.0}, Reason.MALFORMED),
        ({"seconds": float("nan")}, Reason.MALFORMED),
    ],
)
def test_a_wrong_event_is_refused_and_the_others_are_taken(
    changed: dict[str, Any], reason: Reason
) -> None:
    found = checked(event(id="first"), event(**changed), event(id="last"))
    assert [one.id for one in found.accepted] == ["first", "last"]
    (refusal,) = found.rejected
    assert (refusal.index, refusal.reason) == (1, reason)
    assert refusal.detail


@pytest.mark.parametrize("strange", [None, 1, "x", [], {}])
def test_what_is_no_event_is_refused(strange: Any) -> None:
    assert [one.reason for one in checked(strange).rejected] == [Reason.MALFORMED]


@pytest.mark.parametrize(
    ("ahead", "at", "clamped"),
    [
        (timedelta(days=1), NOW, 1),
        (timedelta(seconds=0.5), NOW, 0),
        (timedelta(seconds=-5), NOW - timedelta(seconds=5), 0),
        (timedelta(days=-1), SEARCHED, 1),
    ],
)
def test_a_time_that_cannot_be_is_moved(ahead: timedelta, at: datetime, clamped: int) -> None:
    found = checked(event(at=(NOW + ahead).isoformat()))
    assert (found.accepted[0].done_at, found.clamped) == (at, clamped)
