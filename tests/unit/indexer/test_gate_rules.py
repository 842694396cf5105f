"""What the gates say, given what was seen of a generation and of the live one."""

from dataclasses import dataclass

import pytest

from indexer import gate_rules
from indexer.gates import (
    Examination,
    Gate,
    Outcome,
    Ruling,
    decode,
    encode,
    refusal,
)
from indexer.probing import TITLE


@dataclass(frozen=True, kw_only=True)
class Interval:
    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A gauge of twenty queries."""

    value: Interval
    difference: Interval | None = None
    measure: str = "RR@10"
    queries: int = 20
    unjudged: float = 0.25


def gauge(mean: float, change: tuple[float, float, float] | None = None) -> Figures:
    """A gauge of a mean; `change` is the mean, low and high of the difference."""
    difference = Interval(mean=change[0], low=change[1], high=change[2]) if change else None
    return Figures(value=Interval(mean=mean, low=mean - 0.1, high=mean), difference=difference)


@pytest.mark.parametrize(
    ("documents", "live", "outcome"),
    [
        (1_000, 1_000, Outcome.HOLDS),
        (980, 1_000, Outcome.HOLDS),
        (1_020, 1_000, Outcome.HOLDS),
        (979, 1_000, Outcome.FAILS),
        (1_021, 1_000, Outcome.FAILS),
        (500, 1_000, Outcome.FAILS),
        (1, 3, Outcome.HOLDS),  # two strays are nobody's fault
        (0, 3, Outcome.FAILS),
        (0, 0, Outcome.HOLDS),
        (3, 0, Outcome.FAILS),
    ],
)
def test_about_as_many_documents_as_the_live_one(
    documents: int, live: int, outcome: Outcome
) -> None:
    assert gate_rules.rule_population(documents, live).outcome is outcome


def test_a_field_that_is_emptier_than_it_was_is_named() -> None:
    live = {"genre": 900, "tags": 500, "city": 0}
    ruling = gate_rules.rule_coverage({"genre": 900, "tags": 100}, 1_000, live, 1_000)
    assert ruling.outcome is Outcome.FAILS
    assert "tags (100 instead of 500)" in ruling.detail
    assert "genre" not in ruling.detail


def test_fields_are_compared_by_share_so_that_missing_documents_count_once() -> None:
    ruling = gate_rules.rule_coverage({"genre": 450}, 500, {"genre": 900}, 1_000)
    assert ruling.outcome is Outcome.HOLDS


def test_a_field_that_says_something_else_is_named() -> None:
    documents = [
        ({"title": "a", "tags": ["x", "y"]}, {"title": "b", "tags": ["y", "x"]}) for _ in range(20)
    ]
    ruling = gate_rules.rule_contents(documents, ["title", "tags", "city"])
    assert ruling.outcome is Outcome.FAILS
    assert "title (in 20 of 20)" in ruling.detail
    assert "tags" not in ruling.detail


def test_a_few_documents_that_say_something_else_do_not_count() -> None:
    same, other = ({"title": "a"}, {"title": "a"}), ({"title": "a"}, {"title": "b"})
    assert gate_rules.rule_contents([same] * 10 + [other] * 10, ["title"]).outcome is Outcome.HOLDS
    assert gate_rules.rule_contents([other] * 9, ["title"]).outcome is Outcome.HOLDS
    assert gate_rules.rule_contents([other] * 10, ["title"]).outcome is Outcome.FAILS


def test_one_private_entity_is_too_many() -> None:
    assert gate_rules.rule_privacy(100, [], [], 50).outcome is Outcome.HOLDS
    assert gate_rules.rule_privacy(100, ["7"], [], 50).outcome is Outcome.FAILS
    told = gate_rules.rule_privacy(100, [], ["Secret song"], 50)
    assert told.outcome is Outcome.FAILS
    assert "Secret song" in told.detail


def test_one_difference_from_the_database_is_too_many() -> None:
    assert gate_rules.rule_parity(10, []).outcome is Outcome.HOLDS
    ruling = gate_rules.rule_parity(10, ["sound 7 (ghost)"])
    assert ruling.outcome is Outcome.FAILS
    assert "sound 7 (ghost)" in ruling.detail


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ((0.0, 0.0, 0.0), Outcome.HOLDS),
        ((0.2, 0.1, 0.3), Outcome.HOLDS),
        ((-0.04, -0.06, -0.02), Outcome.HOLDS),  # too little
        ((-0.06, -0.2, 0.01), Outcome.HOLDS),  # perhaps by luck
        ((-0.06, -0.09, -0.01), Outcome.FAILS),
        ((-0.3, -0.7, 0.1), Outcome.FAILS),  # few queries, but a collapse
    ],
)
def test_what_is_looked_for_in_one_way_is_found_as_well(
    change: tuple[float, float, float], outcome: Outcome
) -> None:
    ruling = gate_rules.rule_known_items(
        {"title and genre": gauge(0.9, change)}, gauge(0.9, (0.0, 0.0, 0.0))
    )
    assert ruling.outcome is outcome


def test_a_loss_that_is_small_in_each_way_counts_over_all() -> None:
    kinds = {"title": gauge(0.9, (-0.03, -0.06, 0.01)), "city": gauge(0.9, (-0.03, -0.05, 0.01))}
    ruling = gate_rules.rule_known_items(kinds, gauge(0.9, (-0.03, -0.04, -0.01)))
    assert ruling.outcome is Outcome.FAILS
    assert "by all" in ruling.detail


def test_the_first_generation_must_find_titles() -> None:
    other = {"title and genre": gauge(0.1)}
    good = gate_rules.rule_known_items({TITLE: gauge(0.8), **other}, gauge(0.5))
    bad = gate_rules.rule_known_items({TITLE: gauge(0.6), **other}, gauge(0.5))
    assert (good.outcome, bad.outcome) == (Outcome.HOLDS, Outcome.FAILS)


def test_judged_queries_tell_how_much_is_unjudged() -> None:
    ruling = gate_rules.rule_judgments(gauge(0.7, (-0.1, -0.2, -0.05)))
    assert ruling.outcome is Outcome.FAILS
    assert ruling.figures["unjudged"] == 0.25
    assert "25% of the hits are unjudged" in gate_rules.rule_judgments(gauge(0.7)).detail


@pytest.mark.parametrize(
    ("milliseconds", "live", "outcome"),
    [
        (5, 5, Outcome.HOLDS),
        (14, 5, Outcome.HOLDS),  # ten milliseconds more are allowed to anybody
        (16, 5, Outcome.FAILS),
        (140, 100, Outcome.HOLDS),  # half as long again, too
        (160, 100, Outcome.FAILS),
        (1_001, None, Outcome.FAILS),  # half the deadline
        (900, None, Outcome.HOLDS),
    ],
)
def test_searches_take_no_longer(milliseconds: int, live: int | None, outcome: Outcome) -> None:
    before = [] if live is None else [live / 1e3] * 30
    ruling = gate_rules.rule_latency([milliseconds / 1e3] * 30, before, 2.0)
    assert ruling.outcome is outcome


def test_an_examination_is_kept_as_plain_values() -> None:
    examination = Examination(
        rulings=[
            gate_rules.rule_population(50, 100),
            gate_rules.skipped(Gate.JUDGMENTS, "there is no file"),
            Ruling(gate=Gate.LATENCY, outcome=Outcome.HOLDS, detail="fast", figures={"p95": 0.01}),
        ],
        examined_at=5,
        baseline="disco-sound-1",
    ).overridden("a good reason")
    kept = encode(examination)
    assert decode(kept) == examination
    assert (kept["holds"], kept["override"]) == (False, "a good reason")
    said = refusal("disco-sound-2", examination)
    assert "population: 50 documents" in said
    assert '--override "reason"' in said
