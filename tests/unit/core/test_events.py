"""Events as producers send them, and everything that is none."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import (
    Action,
    Event,
    MalformedEventError,
    decode,
    decode_all,
    encode,
    format_time,
    from_microseconds,
    routing_key,
    to_microseconds,
)

LIMIT = 262_144
MOMENT = "2026-03-01T12:00:00.123456+00:00"
MICROSECONDS = 1_772_366_400_123_456
IDS = st.integers(0, 2**63 - 1)
# What `occurred_at` can say: 1971 to 9999, any offset.
MOMENTS = st.datetimes(
    min_value=datetime(1971, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
)


def body(**fields: object) -> bytes:
    return json.dumps({"id": "42", "occurred_at": MOMENT, **fields}).encode()


def read(content: bytes, key: str = "save.sound") -> Event:
    return decode(key, content, size_limit=LIMIT)


def reason(content: bytes, key: str = "save.sound") -> str:
    with pytest.raises(MalformedEventError) as caught:
        read(content, key)
    assert str(caught.value)
    return caught.value.reason


def test_an_event_is_decoded() -> None:
    assert read(body()) == Event("sound", 42, Action.SAVE, MICROSECONDS)


def test_all_but_id_and_time_is_ignored() -> None:
    assert read(body(title="x", entity="user", action="destroy")) == read(body())


@pytest.mark.parametrize("number", [0, 1, 42, 2**63 - 1])
def test_ids_are_integers_or_strings(number: int) -> None:
    assert read(body(id=number)).id == read(body(id=str(number))).id == number


@pytest.mark.parametrize("action", list(Action))
def test_every_action_has_its_routing_key(action: Action) -> None:
    event = Event("sound", 1, action, MICROSECONDS)
    assert read(encode(event), routing_key(event)) == event


@given(st.text(min_size=1), IDS, st.sampled_from(Action), MOMENTS)
def test_what_is_encoded_is_decoded(
    entity: str, number: int, action: Action, moment: datetime
) -> None:
    event = Event(entity, number, action, to_microseconds(moment))
    assert read(encode(event), routing_key(event)) == event


@given(MOMENTS)
def test_any_offset_means_the_same_moment(moment: datetime) -> None:
    there = read(body(occurred_at=moment.isoformat())).occurred_at
    here = read(body(occurred_at=moment.astimezone(UTC).isoformat())).occurred_at
    assert there == here == to_microseconds(moment)


@given(st.integers(0, 250_000_000_000_000_000))
def test_times_survive_their_formats(microseconds: int) -> None:
    assert to_microseconds(from_microseconds(microseconds)) == microseconds
    assert to_microseconds(datetime.fromisoformat(format_time(microseconds))) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00:00.123456Z",
        "2026-03-01t12:00:00.123456z",
        "2026-03-01 12:00:00.123456Z",
        "2026-03-01T13:30:00.123456+01:30",
        "2026-03-01T12:00:00.123456-00:00",
    ],
)
def test_the_forms_of_rfc_3339_are_read(text: str) -> None:
    assert read(body(occurred_at=text)).occurred_at == MICROSECONDS


def test_the_year_9999_is_a_time() -> None:
    assert read(body(occurred_at="9999-12-31T23:59:59.999999Z")).occurred_at > MICROSECONDS
    assert read(body(occurred_at="9999-12-31T23:59:59.999999-14:00")).occurred_at > MICROSECONDS


@pytest.mark.parametrize(
    "key", ["", "save", "save.", ".sound", "update.sound", "SAVE.sound", "sound.save", "save sound"]
)
def test_a_routing_key_that_names_no_action_and_entity(key: str) -> None:
    assert reason(body(), key) == "routing_key"


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"nonsense", b"{", b'{"id": 1', b"\xff\xfe", b"NaN", b"[1, 2]", b'"id"', b"null"),
        *(b"42", b"[" * 100_000, b'{"id": 1} {"id": 2}', b'{"id": "\\ud800"}', b"\x00"),
    ],
)
def test_a_body_that_is_no_json_object(content: bytes) -> None:
    assert reason(content) == "not_json"


def test_a_body_of_ten_megabytes_is_refused_unread() -> None:
    assert reason(b"x" * 10_000_000) == "too_large"
    assert reason(body(padding="x" * LIMIT)) == "too_large"


def test_a_body_of_the_largest_size_is_read() -> None:
    largest = body(padding="x" * (LIMIT - len(body(padding=""))))
    assert len(largest) == LIMIT
    assert read(largest).id == 42


@pytest.mark.parametrize("content", [b"{}", b'{"id": null}', b'{"ID": 1}'])
def test_a_body_without_an_id(content: bytes) -> None:
    assert reason(content) == "no_id"


@pytest.mark.parametrize(
    "value",
    [
        *(
            True,
            False,
            1.0,
            1.5,
            1e300,
            -1,
            2**63,
            2**64,
            10**30,
            "",
            " 1",
            "1 ",
            "-1",
            "+1",
            "1.0",
        ),
        *("0x1", "abc", "٣", "1_000", "9" * 19, "9" * 10_000, [], [1], {}, {"id": 1}),
    ],
)
def test_an_id_that_is_no_64_bit_integer(value: object) -> None:
    assert reason(body(id=value)) == "bad_id"


@pytest.mark.parametrize("content", [b'{"id": 1}', b'{"id": 1, "occurred_at": null}'])
def test_a_body_without_a_time(content: bytes) -> None:
    assert reason(content) == "no_time"


@pytest.mark.parametrize(
    "value",
    [
        *(0, MICROSECONDS, 1.5, True, [], {}, "", "now", "12:00", "2026", "2026-03-01"),
        *("2026-03-01T12:00:00", "2026-13-01T12:00:00Z", "2026-02-30T12:00:00Z"),
        *("2026-03-01T25:00:00Z", "10000-01-01T00:00:00Z", "1969-12-31T23:59:59Z"),
        *("0001-01-01T00:00:00Z", "1970-06-01T00:00:00Z", "x" * 10_000, "2026-03-01T12:00:00 UTC"),
    ],
)
def test_a_time_that_is_none(value: object) -> None:
    assert reason(body(occurred_at=value)) == "bad_time"


def refusal(content: bytes, key: str = "save.sound") -> str:
    """Why a message is no event; empty if it is one. Nothing else may be raised."""
    try:
        read(content, key)
    except MalformedEventError as error:
        return f"{error.reason}: {error}"
    return ""


@given(st.binary(max_size=200), st.text(max_size=30))
def test_no_bytes_break_the_decoder(content: bytes, key: str) -> None:
    assert refusal(content)
    assert refusal(body(), key).startswith("routing_key: ") or key.partition(".")[0] in set(Action)


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_no_value_of_a_field_breaks_the_decoder(value: object) -> None:
    for content in (body(id=value), body(occurred_at=value), json.dumps(value).encode()):
        assert len(refusal(content)) < 400


def test_a_refresh_of_no_ids_is_malformed() -> None:
    content = b'{"ids": [], "occurred_at": "2026-03-01T12:00:00Z"}'
    with pytest.raises(MalformedEventError) as caught:
        decode_all("refresh.sound", content, size_limit=LIMIT)
    assert caught.value.reason == "no_id"
