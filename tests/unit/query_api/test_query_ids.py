"""Ids of searches: made here and recognised, and nobody else's."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api.query_ids import QueryIds, time_of

IDS = QueryIds(b"secret")
NOW = 1_780_000_000.25


def test_an_id_says_when_its_search_was_made() -> None:
    one = IDS.new(NOW)
    checked = IDS.check(one)
    assert checked is not None
    assert checked.timestamp() == NOW
    assert time_of(one) == checked


def test_ids_differ_and_sort_by_time() -> None:
    assert IDS.new(NOW) != IDS.new(NOW)
    assert IDS.new(NOW) < IDS.new(NOW + 0.001)


@given(place=st.integers(0, 43), digit=st.sampled_from(string.hexdigits.lower()))
def test_a_changed_digit_is_noticed(place: int, digit: str) -> None:
    one = IDS.new(NOW)
    changed = one[:place] + digit + one[place + 1 :]
    assert (IDS.check(changed) is None) == (changed != one)


@pytest.mark.parametrize("text", ["", "0" * 28, "0" * 44, "x" * 44, "0" * 45, "٣" * 44])
def test_what_was_made_up_is_noticed(text: str) -> None:
    assert IDS.check(text) is None


def test_another_secrets_id_is_none_of_ours() -> None:
    assert QueryIds(b"other").check(IDS.new(NOW)) is None
