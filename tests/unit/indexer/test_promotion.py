"""Plans of promotions, rollbacks and retirements: from what there is to one exchange."""

from dataclasses import replace

import pytest

from indexer.gates import GateFailedError
from indexer.generation import State
from indexer.promotion import (
    LiveGenerationError,
    NotPromotableError,
    UnknownGenerationError,
    plan_promotion,
    plan_retirement,
    plan_rollback,
)
from tests.unit.indexer.made_up import generation

OTHER = generation(9, State.LIVE, promoted_at=9, entity="user")
LIVE = generation(2, State.LIVE, promoted_at=20)
READY = generation(3, State.READY)


@pytest.mark.parametrize("state", [State.READY, State.STANDBY])
def test_what_is_complete_takes_the_place_of_the_live_one(state: State) -> None:
    chosen = generation(1, state)
    exchange = plan_promotion([OTHER, chosen, LIVE], chosen.index)
    assert (exchange.before, exchange.after) == (LIVE, chosen)
    assert exchange.changes_anything


def test_the_first_one_takes_the_place_of_nothing() -> None:
    exchange = plan_promotion([OTHER, READY], READY.index)
    assert (exchange.before, exchange.after) == (None, READY)


def test_what_is_live_stays_live() -> None:
    assert not plan_promotion([LIVE, READY], LIVE.index).changes_anything


@pytest.mark.parametrize("state", [State.BUILDING, State.CATCHING_UP])
def test_what_is_incomplete_is_refused(state: State) -> None:
    chosen = generation(3, state)
    with pytest.raises(NotPromotableError, match=f"{chosen.index} is {state}"):
        plan_promotion([LIVE, chosen], chosen.index)


def test_what_a_gate_refused_is_refused_unless_somebody_says_why_not() -> None:
    chosen = generation(3, State.FAILED)
    with pytest.raises(GateFailedError, match=chosen.index):
        plan_promotion([LIVE, chosen], chosen.index)
    assert plan_promotion([LIVE, chosen], chosen.index, override="known").after == chosen


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownGenerationError, match=LIVE.index):
        plan_promotion([LIVE], "disco-sound-nonsense")
    with pytest.raises(UnknownGenerationError, match="disco index reindex"):
        plan_retirement([], "disco-sound-nonsense")


def test_a_rollback_goes_to_what_was_live_last_not_to_what_is_newest() -> None:
    first = generation(1, State.STANDBY, promoted_at=15)
    second = generation(4, State.STANDBY, promoted_at=10)
    exchange = plan_rollback([OTHER, first, LIVE, READY, second], "sound")
    assert (exchange.before, exchange.after) == (LIVE, first)


def test_a_rollback_needs_something_that_was_live() -> None:
    with pytest.raises(NotPromotableError, match="no standby"):
        plan_rollback([LIVE, READY, OTHER], "sound")


def test_a_rollback_undoes_a_promotion() -> None:
    was = plan_promotion([LIVE, READY], READY.index)
    assert was.before is not None
    after = [
        generation(2, State.STANDBY, promoted_at=20),
        generation(3, State.LIVE, promoted_at=30),
    ]
    assert plan_rollback(after, "sound").after.index == was.before.index


def test_what_is_live_is_not_retired() -> None:
    with pytest.raises(LiveGenerationError, match="promote another"):
        plan_retirement([LIVE, READY], LIVE.index)
    assert plan_retirement([LIVE, READY], READY.index) is READY


def test_what_has_no_room_lacks_changes_and_is_refused_unless_somebody_says_why_not() -> None:
    standby = replace(generation(1, State.STANDBY, promoted_at=15), is_full=True)
    with pytest.raises(NotPromotableError, match="has no room"):
        plan_promotion([standby, LIVE], standby.index)
    with pytest.raises(NotPromotableError, match="has no room"):
        plan_rollback([standby, LIVE], "sound")
    assert plan_promotion([standby, LIVE], standby.index, override="known").after is standby


def test_without_room_for_anything_one_is_as_good_as_the_other() -> None:
    standby = replace(generation(1, State.STANDBY, promoted_at=15), is_full=True)
    assert plan_rollback([standby, replace(LIVE, is_full=True)], "sound").after is standby
