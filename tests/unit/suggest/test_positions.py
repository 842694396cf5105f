import pytest
from hypothesis import given
from hypothesis import strategies as st

from suggest.positions import Position


@given(st.builds(Position, st.integers(0, 2**63), st.uuids().map(lambda one: one.hex)))
def test_a_position_survives_being_written(position: Position) -> None:
    assert Position.parse(f"{position}\n") == position


@pytest.mark.parametrize("text", ["", "7", ":x", "7:", "x:y", "-1:y", "\u0661:y", "1.5:y"])
def test_what_is_no_position_is_none(text: str) -> None:
    assert Position.parse(text) is None
