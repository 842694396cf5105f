import base64
import dataclasses
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api import cursors
from query_api.cursors import Cursor, CursorSigner
from query_api.problems import Code, QueryError
from query_api.spelling import LONGEST
from query_api.widening import Step, Widening

SIGNER = CursorSigner(b"secret")
NOW = 1_800_000_000.0

sort_values = st.one_of(
    st.integers(min_value=-(2**63), max_value=2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.none(),
)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
cursors_made = st.builds(
    Cursor,
    fingerprint=st.text(string.hexdigits, min_size=16, max_size=16),
    query_id=st.text(string.hexdigits, min_size=28, max_size=28),
    position=st.integers(min_value=1, max_value=10_000),
    variant=st.just("live"),
    experiment=st.none() | st.just("names"),
    indices=st.dictionaries(
        st.sampled_from(["sound", "user"]), st.text("abc-123", min_size=1), min_size=1
    ),
    widening=st.none()
    | st.builds(
        Widening,
        step=st.sampled_from(Step),
        text=st.none() | words,
        phrases=st.lists(words, max_size=2).map(tuple),
        lacking=st.integers(min_value=0, max_value=64),
    ),
    after=st.lists(sort_values, min_size=1, max_size=4).map(tuple),
)

CURSOR = Cursor(
    fingerprint="f" * 16,
    query_id="q" * 28,
    position=20,
    variant="live",
    experiment=None,
    indices={"sound": "disco-sound-12345678-20260101000000000000"},
    after=(1.5, "sound", 42),
)


def refusal(text: str, *, fingerprint: str = "f" * 16, now: float = NOW) -> Code:
    with pytest.raises(QueryError) as caught:
        SIGNER.parse(text, now=now).check(fingerprint)
    assert caught.value.parameter == "cursor"
    return caught.value.code


@given(cursors_made)
def test_what_is_built_can_be_parsed(cursor: Cursor) -> None:
    text = SIGNER.build(cursor, now=NOW)
    parsed = SIGNER.parse(text, now=NOW)
    parsed.check(cursor.fingerprint)
    assert parsed == cursor


@given(cursors_made)
def test_a_cursor_needs_no_escaping_in_an_address(cursor: Cursor) -> None:
    assert set(SIGNER.build(cursor, now=NOW)) <= set(string.ascii_letters + string.digits + "-_")


@given(data=st.data())
def test_a_changed_character_anywhere_is_noticed(data: st.DataObject) -> None:
    text = SIGNER.build(CURSOR, now=NOW)
    place = data.draw(st.integers(min_value=0, max_value=len(text) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_"))
    changed = text[:place] + other + text[place + 1 :]
    if changed != text:
        assert refusal(changed) is Code.CURSOR_INVALID


@given(st.text(max_size=200))
def test_no_text_is_taken_for_a_cursor(text: str) -> None:
    assert refusal(text) is Code.CURSOR_INVALID


def test_a_shortened_or_padded_cursor_is_noticed() -> None:
    text = SIGNER.build(CURSOR, now=NOW)
    for changed in (text[:-1], text[1:], text + "=", text + "A", f" {text}", ""):
        assert refusal(changed) is Code.CURSOR_INVALID


def test_a_cursor_signed_with_another_secret_is_noticed() -> None:
    other = CursorSigner(b"another").build(CURSOR, now=NOW)
    assert refusal(other) is Code.CURSOR_INVALID


def test_an_unsigned_payload_is_noticed() -> None:
    forged = base64.urlsafe_b64encode(b"\0" * 16 + b'[1,1,"f","q",1]').decode().rstrip("=")
    assert refusal(forged) is Code.CURSOR_INVALID


def test_what_a_cursor_holds_cannot_be_read() -> None:
    secret = dataclasses.replace(CURSOR, after=(123456789, "sound", 42))
    texts = [SIGNER.build(dataclasses.replace(secret, position=one), now=NOW) for one in (20, 21)]
    for text in texts:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        assert not any(part in raw for part in (b"123456789", b"sound", b"live", b"qqqq"))
    # One stream for two cursors would show where they differ.
    (first, second) = (base64.urlsafe_b64decode(text + "==")[16:] for text in texts)
    assert sum(one == other for one, other in zip(first, second, strict=True)) < len(first) / 4


def test_a_cursor_of_another_search_is_refused() -> None:
    assert refusal(SIGNER.build(CURSOR, now=NOW), fingerprint="0" * 16) is Code.CURSOR_MISMATCH


def test_a_cursor_of_many_types_is_no_longer_than_what_is_taken() -> None:
    entities = ("sound", "user", "set", "group", "station", "campaign")
    indices = {one: f"disco_production-{one}-12345678-20260101000000000000" for one in entities}
    longest = dataclasses.replace(
        CURSOR,
        variant="v" * 64,
        experiment="e" * 64,
        indices=indices,
        # Each word may become one that is longer by two letters, and every one may be quoted.
        widening=Widening(
            step=Step.FEWER_WORDS,
            text="🎧" * (LONGEST + 24),
            phrases=("🎧" * (LONGEST // 2),),
            lacking=12,
        ),
        after=(1.2345678, "x" * 31, 2**63),
    )
    assert len(SIGNER.build(longest, now=NOW)) <= cursors.LONGEST


def test_a_cursor_lasts_an_hour() -> None:
    text = SIGNER.build(CURSOR, now=NOW)
    last = NOW + cursors.LIFETIME
    assert SIGNER.parse(text, now=last) == CURSOR
    assert refusal(text, now=last + 1) is Code.CURSOR_EXPIRED
