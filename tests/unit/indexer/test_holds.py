"""Holds that nobody lifts any more are noticed, and no others."""

from dataclasses import replace

from indexer.generation import State
from indexer.holds import LONGEST_HOLD, OVERDUE, Watch
from tests.unit.indexer.made_up import generation

FREE = generation(1, State.LIVE)
HELD = replace(FREE, is_held=True)
OTHER = replace(generation(2, State.STANDBY), is_held=True)


def test_a_hold_is_overdue_once_it_was_seen_for_too_long() -> None:
    watch = Watch()
    assert watch.overdue([HELD], 100.0) == []
    assert watch.overdue([HELD, OTHER], 100.0 + OVERDUE) == []
    assert watch.overdue([HELD, OTHER], 100.1 + OVERDUE) == [HELD]


def test_who_holds_has_given_up_by_then() -> None:
    assert OVERDUE > LONGEST_HOLD


def test_each_hold_is_counted_from_its_own_beginning() -> None:
    watch = Watch()
    assert watch.overdue([HELD], 0.0) == []
    assert watch.overdue([FREE], 5.0) == []
    assert watch.overdue([HELD], OVERDUE) == []
    assert watch.overdue([HELD], OVERDUE + 1.0) == []
    assert watch.overdue([HELD], 2 * OVERDUE + 1.0) == [HELD]
