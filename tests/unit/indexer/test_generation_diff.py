"""How the answers of two generations differ."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.generation_diff import compare
from indexer.probing import Hit


def hits(*ids: str) -> list[Hit]:
    return [Hit(one, f"title {one}") for one in ids]


def test_hits_that_moved_entered_and_left() -> None:
    found = compare("rain", hits("a", "b", "c"), hits("b", "d", "c"))
    assert [(one.hit.id, one.before, one.after) for one in found.moved] == [("b", 2, 1)]
    assert [(one.hit.id, one.place) for one in found.entered] == [("d", 2)]
    assert [(one.hit.id, one.place) for one in found.left] == [("a", 1)]
    assert 0 < found.overlap < 1
    assert not found.is_same


ANSWERS = st.lists(st.sampled_from("abcdefghij"), unique=True)


@given(ANSWERS, ANSWERS)
def test_every_hit_is_told_of_once(before: list[str], after: list[str]) -> None:
    found = compare("", hits(*before), hits(*after))
    stayed = {one for one in set(before) & set(after) if before.index(one) == after.index(one)}
    moved = {one.hit.id for one in found.moved}
    assert {one.hit.id for one in found.entered} == set(after) - set(before)
    assert {one.hit.id for one in found.left} == set(before) - set(after)
    assert moved == (set(before) & set(after)) - stayed
    assert found.is_same == (before == after)
    assert not found.is_same or found.overlap == 1
