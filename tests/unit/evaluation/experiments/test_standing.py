"""How an experiment stands is read from the log: by unit, each once."""

from typing import Any

import pytest

from evaluation.experiments.standing import Design, standing_of
from tests.unit.evaluation.online.logs import click, opened, search

SHARED = Design(name="x", unit="session", shares={"live": 0.5, "wide": 0.5})
BOTH = Design(name="x", unit="session", interleaved=("live", "wide"))


def arm(variant: str, hit: str, units: int, experiment: str | None = "x") -> tuple[Any, Any]:
    """Searches of a variant, of so many sessions that all click the same hit of three."""
    ids = [f"{variant}{experiment}{number}" for number in range(units)]
    searches = [
        search(one, hits="123", variant=variant, experiment=experiment, session_hash=one)
        for one in ids
    ]
    return searches, [click(one, hit) for one in ids[:-1]]


def test_the_better_of_two_shares_is_named() -> None:
    searches, clicks = arm("live", "3", 300)
    more, clicks_too = arm("wide", "1", 310)
    elsewhere, _ = arm("wide", "3", 500, experiment="other")
    found = standing_of(
        opened([*searches, *more, *elsewhere], [*clicks, *clicks_too]), SHARED, "reciprocal_rank"
    )
    (one,) = found.comparisons
    assert found.trusted
    assert found.ratio is not None
    assert found.ratio.observed == {"live": 300, "wide": 310}
    assert (one.first, one.second, one.units, one.better) == ("live", "wide", 610, "wide")
    assert one.first_value == pytest.approx(299 / 300 / 3)
    assert one.second_value == pytest.approx(309 / 310)
    # By whether anything was clicked both are alike.
    alike = standing_of(opened([*searches, *more], [*clicks, *clicks_too]), SHARED, "click_through")
    assert not alike.comparisons[0].decided


def test_units_that_are_not_shared_out_are_told() -> None:
    searches, _ = arm("live", "1", 300)
    more, _ = arm("wide", "1", 200)
    assert not standing_of(opened([*searches, *more]), SHARED, "click_through").trusted


def test_a_unit_counts_once_and_nobody_counts_not_at_all() -> None:
    often = [
        search(f"a{number}", hits="1", experiment="x", session_hash="a") for number in range(50)
    ]
    nobody = [search("n", hits="1", experiment="x")]
    found = standing_of(opened([*often, *nobody]), SHARED, "click_through")
    assert found.ratio is not None
    assert found.ratio.observed == {"live": 1, "wide": 0}
    assert found.comparisons[0].test is None


def test_interleaved_units_prefer_whose_hits_they_click() -> None:
    searches, clicks = [], []
    for number in range(200):
        session = f"s{number}"
        teams = ["first", "second", "first"]
        searches.append(search(session, hits="123", teams=teams, variant="live+wide",
                               experiment="x", session_hash=session))  # fmt: skip
        if number % 2:
            clicks.append(click(session, "2"))
        elif number % 10 == 0:
            clicks += [click(session, "1"), click(session, "2")]  # both: no preference
    found = standing_of(opened(searches, clicks), BOTH, "reciprocal_rank")
    (one,) = found.comparisons
    assert (found.ratio, found.trusted, found.measure) == (None, True, "preference")
    assert (one.units, one.first_value, one.second_value) == (200, 0, 0.5)
    assert one.better == "wide"


@pytest.mark.thorough
def test_nothing_is_said_of_nothing() -> None:
    for design in (SHARED, BOTH):
        (one,) = standing_of(opened([]), design, "click_through").comparisons
        assert (one.units, one.first_value, one.test, one.better) == (0, None, None, None)
