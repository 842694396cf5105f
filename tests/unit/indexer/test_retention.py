"""Retention: what stays beside a generation that goes live, and what is deleted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.generation import State
from indexer.promotion import Exchange
from indexer.retention import outdated_by, superseded
from tests.unit.indexer.made_up import generation

OTHER = generation(9, State.STANDBY, promoted_at=1, entity="user")
LIVE = generation(2, State.LIVE, promoted_at=20)
NEW = generation(5, State.READY)
FIRST = Exchange(before=LIVE, after=NEW)


def test_what_was_live_before_is_one_of_the_standbys() -> None:
    older, oldest = (generation(n, State.STANDBY, promoted_at=n) for n in (1, 0))
    there = [oldest, OTHER, LIVE, older, NEW]
    assert outdated_by(FIRST, there, keep=0) == [LIVE, older, oldest]
    assert outdated_by(FIRST, there, keep=1) == [older, oldest]
    assert outdated_by(FIRST, there, keep=2) == [oldest]
    assert outdated_by(FIRST, there, keep=3) == []


def test_the_live_one_stays_longest_even_if_its_promotion_was_not_noted() -> None:
    unnoted = generation(3, State.LIVE)
    standby = generation(1, State.STANDBY, promoted_at=10)
    exchange = Exchange(before=unnoted, after=NEW)
    assert outdated_by(exchange, [standby, unnoted, NEW], keep=1) == [standby]


@pytest.mark.parametrize("keep", [0, 1])
def test_candidates_are_neither_counted_nor_deleted(keep: int) -> None:
    candidates = [generation(n, State.READY) for n in (3, 4)]
    gone = outdated_by(FIRST, [LIVE, *candidates, NEW], keep=keep)
    assert gone == [LIVE][keep:]


def test_what_failed_goes_and_so_does_what_a_lost_build_left() -> None:
    failed = generation(3, State.FAILED)
    building, left = generation(6, State.BUILDING), generation(4, State.CATCHING_UP)
    there = [LIVE, failed, left, NEW, building]
    assert outdated_by(FIRST, there, keep=1, under_way=[building.index]) == [failed, left]


def test_going_back_and_forth_deletes_nothing() -> None:
    standbys = [generation(n, State.STANDBY, promoted_at=n) for n in (1, 3, 4)]
    for after in (*standbys, LIVE):
        exchange = Exchange(before=LIVE, after=after)
        assert outdated_by(exchange, [LIVE, NEW, *standbys], keep=0) == []


@given(
    promoted=st.lists(st.integers(1, 99), unique=True, max_size=6),
    candidates=st.integers(0, 3),
    keep=st.integers(0, 7),
)
def test_of_those_kept_each_was_live_later_than_those_that_go(
    promoted: list[int], candidates: int, keep: int
) -> None:
    standbys = [generation(400 + at, State.STANDBY, promoted_at=at) for at in promoted]
    ready = [generation(200 + number, State.READY) for number in range(candidates)]
    live = generation(300, State.LIVE, promoted_at=100)
    gone = outdated_by(
        Exchange(before=live, after=NEW), [live, OTHER, NEW, *ready, *standbys], keep=keep
    )
    kept = [one for one in (live, *standbys) if one not in gone]
    assert len(kept) == min(keep, 1 + len(standbys))
    assert all((k.promoted_at or 0) > (g.promoted_at or 0) for k in kept for g in gone)
    assert not {OTHER.index, NEW.index, *(one.index for one in ready)} & {g.index for g in gone}


def test_of_what_failed_only_the_last_is_kept_to_look_at() -> None:
    first, second = generation(3, State.FAILED), generation(4, State.FAILED)
    assert superseded([LIVE, OTHER, first, NEW, second], second.index) == [first]
