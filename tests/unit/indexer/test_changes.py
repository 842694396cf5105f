"""The pure rules of the pipeline (ADR 0001)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.changes import (
    Answer,
    Change,
    Outcome,
    Row,
    Stored,
    Write,
    clamp,
    is_doubtful,
    plan_settlement,
    plan_write,
    worst,
)

KEY = ("sound", 1)
TIMES = st.integers(1, 2**62)
ROWS = st.builds(lambda at, digest: Row(at, b"{}", digest), TIMES, st.integers(-(2**63), 2**63 - 1))
ANSWERS = st.builds(Answer, st.sampled_from(Outcome), st.text(), st.integers(0, 2**62))
STORED = st.one_of(
    st.just(Stored(0, None)), st.builds(Stored, TIMES, st.integers(-(2**63), 2**63 - 1))
)


@given(TIMES, TIMES, st.integers(0, 10**9))
def test_only_what_is_too_far_ahead_is_clamped(version: int, now: int, tolerance: int) -> None:
    expected = version if version - now <= tolerance else now
    assert clamp(version, now, tolerance) == expected


@given(TIMES, ROWS)
def test_a_write_has_the_newer_of_both_times(version: int, row: Row) -> None:
    write = plan_write(Change(KEY, version, cascades=True), row)
    assert write == Write(KEY, max(version, row.updated_at), row)
    assert write.is_own == (version <= row.updated_at)


@given(TIMES)
def test_a_missing_row_is_a_deletion_under_the_events_time(version: int) -> None:
    write = plan_write(Change(KEY, version, cascades=True), None)
    assert write == Write(KEY, version, None)
    assert not write.is_own


OWN = Write(KEY, 5, Row(5, b"{}", 1))
OTHER = Write(KEY, 6, Row(5, b"{}", 1))
DELETION = Write(KEY, 5, None)


@pytest.mark.parametrize("write", [OWN, OTHER, DELETION])
def test_every_conflict_is_doubtful(write: Write) -> None:
    assert is_doubtful(write, Answer(Outcome.CONFLICT, "", 9))


@pytest.mark.parametrize("outcome", [Outcome.INDEXED, Outcome.DELETED, Outcome.ABSENT])
def test_what_was_taken_is_doubtful_unless_it_is_own(outcome: Outcome) -> None:
    answer = Answer(outcome, "", 0)
    assert not is_doubtful(OWN, answer)
    assert is_doubtful(OTHER, answer)
    assert is_doubtful(DELETION, answer)


@pytest.mark.parametrize("write", [OWN, OTHER, DELETION])
def test_what_no_generation_takes_is_never_doubtful(write: Write) -> None:
    assert not is_doubtful(write, Answer(Outcome.UNINDEXED, "", 0))


@given(st.none() | ROWS, st.lists(STORED, max_size=3), TIMES)
def test_a_settlement_is_needed_where_a_digest_differs(
    row: Row | None, stored: Sequence[Stored], floor: int
) -> None:
    wanted = None if row is None else row.digest
    write = plan_settlement(KEY, row, stored, floor=floor)
    assert (write is None) == all(one.digest == wanted for one in stored)


@given(st.none() | ROWS, st.lists(STORED, min_size=1, max_size=3), TIMES)
def test_a_settlement_is_above_all_that_is_stored(
    row: Row | None, stored: Sequence[Stored], floor: int
) -> None:
    write = plan_settlement(KEY, row, stored, floor=floor)
    if write is not None:
        assert write.row == row
        assert write.version >= floor
        assert all(write.version > one.version for one in stored)


@given(st.lists(ANSWERS, min_size=1))
def test_the_worst_answer_is_one_of_them_and_none_is_worse(answers: list[Answer]) -> None:
    order = list(Outcome)
    found = worst(answers)
    assert found._replace(version=0) in [one._replace(version=0) for one in answers]
    assert found.version == max(one.version for one in answers)
    assert order.index(found.outcome) == max(order.index(one.outcome) for one in answers)


def test_without_generations_nothing_is_indexed() -> None:
    assert worst([]).outcome is Outcome.UNINDEXED


def test_a_refusal_hides_no_lack_of_room_and_no_success() -> None:
    unavailable = Answer(Outcome.UNAVAILABLE, "429", 0)
    rejected = Answer(Outcome.REJECTED, "400", 0)
    conflict = Answer(Outcome.CONFLICT, "409", 0)
    indexed = Answer(Outcome.INDEXED, "", 0)
    assert worst([indexed, conflict]) == conflict
    assert worst([rejected, conflict, indexed]) == rejected
    assert worst([rejected, unavailable]) == unavailable
