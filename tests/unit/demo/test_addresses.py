"""User names and permalinks: unique, and like the name that they are made of."""

import re

from hypothesis import given
from hypothesis import strategies as st

from demo.sounds import Permalinks
from demo.users import Handles


def test_a_handle_resembles_the_name() -> None:
    assert Handles().take("Zoë & The Owls") == "zoe-the-owls"
    assert Handles().take("Zoë & The Owls", "_") == "zoe_the_owls"


def test_the_next_of_that_name_gets_a_number() -> None:
    handles = Handles()
    assert [handles.take("Anna") for _ in range(3)] == ["anna", "anna2", "anna3"]
    assert [handles.take("Owl 7") for _ in range(3)] == ["owl-7", "owl-7-2", "owl-7-3"]


def test_thousands_of_one_name_take_no_time() -> None:
    handles = Handles()
    assert len({handles.take("Anna") for _ in range(20_000)}) == 20_000


@given(st.lists(st.sampled_from(["anna", "anna2", "anna 2", "Anna", "!", "22", "user"])))
def test_handles_never_repeat_and_fit_the_schema(names: list[str]) -> None:
    handles = Handles()
    taken = [handles.take(name) for name in names]
    assert len(set(taken)) == len(taken)
    assert all(re.fullmatch("[a-z0-9][a-z0-9_-]*", handle) for handle in taken)


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["mix", "mix-2", "mix-3", "live"]))))
def test_permalinks_never_repeat_for_an_owner(asked: list[tuple[int, str]]) -> None:
    permalinks = Permalinks()
    taken = [(owner, permalinks.take(owner, permalink)) for owner, permalink in asked]
    assert len(set(taken)) == len(taken)


def test_permalinks_of_different_owners_may_be_equal() -> None:
    permalinks = Permalinks()
    assert permalinks.take(1, "mix") == permalinks.take(2, "mix") == "mix"
