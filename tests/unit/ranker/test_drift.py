"""Drift: what changed between two editions, and which gates tell of it."""

from collections.abc import Mapping

import numpy as np
import pytest

from ranker import drift
from ranker.drift import Drift
from ranker.editions import Ranked
from ranker.entities import entities_of
from ranker.signals import Gates


def ranked(**scores: Mapping[int, float]) -> Ranked:
    """Scores by type and id, scaled to the sum 1."""
    ids = {name: np.array(sorted(some), np.int64) for name, some in scores.items()}
    values = np.array([scores[name][int(one)] for name in sorted(ids) for one in ids[name]])
    return Ranked(entities=entities_of(ids), scores=values / values.sum())


def failed(found: Drift) -> set[str]:
    return {gate.name for gate in found.failed}


LEVEL = {one: 1.0 + one / 100 for one in range(100)}


def test_nothing_changed() -> None:
    found = drift.compare(ranked(user=LEVEL), ranked(user=LEVEL), Gates())
    assert (found.moved, list(found.movers), failed(found)) == (0.0, [], set())
    assert found.types[0].overlap == 1.0


def test_without_a_live_edition_only_the_sum_counts() -> None:
    found = drift.compare(None, ranked(user=LEVEL), Gates())
    assert [gate.name for gate in found.gates] == ["mass"]
    wrong = Ranked(entities=ranked(user=LEVEL).entities, scores=np.full(100, 0.011))
    assert failed(drift.compare(None, wrong, Gates())) == {"mass"}


def test_mass_that_moved_and_who_moved_most() -> None:
    before = ranked(user={1: 5, 2: 3, 3: 2})
    after = ranked(user={1: 1, 2: 3, 3: 6})
    found = drift.compare(before, after, Gates())
    assert found.moved == pytest.approx(0.4)
    changes = {one.id: one.after - one.before for one in found.movers}
    assert changes == pytest.approx({1: -0.4, 3: 0.4})
    assert "moved" in failed(found)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({7: 0.5}, {7: 3.0}),  # from nowhere to the top
        ({7: 3.0}, {7: 0.5}),  # and from there
        ({}, {7: 3.0}),  # nor may anybody new begin there
        ({7: 3.0}, {}),  # or the first be gone
    ],
)
def test_a_single_entity_that_moves_far_fails_alone(
    before: dict[int, float], after: dict[int, float]
) -> None:
    others = {one: 2.0 - one / 1_000 for one in range(10, 1_000)}
    found = drift.compare(ranked(user=others | before), ranked(user=others | after), Gates())
    assert failed(found) == {"mover"}
    (gate,) = found.failed
    assert gate.about.startswith("user 7,")
    assert gate.value == pytest.approx(abs(after.get(7, 0.0) - before.get(7, 0.0)) / 3, rel=0.01)


def test_the_largest_move_is_measured_by_the_top_of_its_own_type() -> None:
    before = ranked(sound={1: 100.0, 2: 100.0}, user={1: 10.0, 2: 10.0})
    after = ranked(sound={1: 101.0, 2: 100.0}, user={1: 10.0, 2: 9.0})
    found = drift.compare(before, after, Gates(most_mover=0.05))
    assert {one.type: one.mover for one in found.types} == {"sound": 1, "user": 2}
    moves = {one.type: one.largest_move for one in found.types}
    assert moves == pytest.approx({"sound": 0.01, "user": 0.1}, rel=0.05)
    assert failed(found) == {"mover"}


def test_another_order_fails_the_overlap_alone() -> None:
    after = {one: 1.0 + (99 - one) / 100 for one in range(100)}
    found = drift.compare(ranked(user=LEVEL), ranked(user=after), Gates())
    assert failed(found) == {"overlap"} | ({"moved"} if found.moved > 0.2 else set())
    assert found.types[0].overlap < 0.8


def test_new_and_gone_entities_are_counted() -> None:
    after = {one: 1.0 + one / 100 for one in range(60, 140)}
    found = drift.compare(ranked(user=LEVEL), ranked(user=after), Gates())
    assert (found.types[0].new, found.types[0].gone) == (40, 60)
    assert {"new", "gone"} <= failed(found)


def test_a_type_that_is_new_or_gone_is_told() -> None:
    found = drift.compare(ranked(user=LEVEL), ranked(sound=LEVEL), Gates())
    by_type = {one.type: one for one in found.types}
    assert (by_type["sound"].new, by_type["user"].gone) == (100, 100)
    assert by_type["user"].mass_before == pytest.approx(1.0)
    assert by_type["user"].mass_after == 0
    assert "type_shift" in failed(found)


def test_what_scores_alike_stands_by_id() -> None:
    tied = ranked(user=dict.fromkeys(range(50), 1.0) | {99: 2.0})
    assert drift.top(tied, "user", 4).tolist() == [99, 0, 1, 2]
    assert drift.top(tied, "user", 1_000).tolist() == [99, *range(50)]
    assert drift.top(tied, "sound", 3).tolist() == []
