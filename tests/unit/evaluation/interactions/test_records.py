"""Records travel as JSON, and nobody can be told from a pseudonym."""

from datetime import UTC, date, datetime

import pytest

from evaluation.interactions.records import (
    Interaction,
    Kind,
    Pseudonyms,
    ShownSearch,
    body_of,
    encode,
    split,
)

AT = datetime(2026, 5, 24, 12, tzinfo=UTC)
CLICK = Interaction(
    day=date(2026, 5, 24),
    query_id="q",
    id="e",
    kind=Kind.CLICK,
    entity_type="sound",
    entity_id="1",
    position=1,
    done_at=AT,
    received_at=AT,
)
SEARCH = ShownSearch(
    day=date(2026, 5, 24),
    query_id="q",
    first=0,
    searched_at=AT,
    text="rain",
    types=("sound",),
    every_type=False,
    total=1,
    took_ms=3,
    hit_types=["sound"],
    hit_ids=["1"],
    teams=None,
    variant="live",
    experiment=None,
    generations={"sound": "disco-sound-1"},
    edition=None,
    user_hash=None,
    session_hash=None,
)


def test_a_message_holds_both_kinds() -> None:
    searches, interactions = split(body_of([encode(CLICK), encode(SEARCH), encode(CLICK)]))
    assert [one["query_id"] for one in searches] == ["q"]
    assert [one["kind"] for one in interactions] == ["click", "click"]
    assert searches[0]["searched_at"] == "2026-05-24T12:00:00+00:00"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[1]",
        b'[{"record": "other", "day": "2026-05-24"}]',
        b'[{"record": "search"}]',
    ],
)
def test_what_is_none_of_ours_is_told(body: bytes) -> None:
    with pytest.raises(ValueError):
        split(body)


def test_a_pseudonym_is_the_same_for_the_same_secret_alone() -> None:
    one = Pseudonyms("secret")
    assert one.user("ana") == Pseudonyms("secret").user("ana")
    assert len({one.user("ana"), one.user("bob"), one.session("ana"), Pseudonyms("x").user("ana"),
                Pseudonyms("").user("ana"), Pseudonyms("").user("ana")}) == 6  # fmt: skip
    assert one.user(None) is None
    assert "ana" not in str(one.user("ana"))
