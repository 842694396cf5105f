"""What variants reached by sets of judgments, as rows."""

from datetime import UTC, datetime

import pytest

from evaluation.judgment_operations import KeptValue
from query_api.dashboard.judged import judged_panel

CLOCK = 1_800_000_000.0
DAY = 86_400


def kept(
    value: float,
    *,
    days: float = 0,
    variant: str = "live",
    measure: str = "nDCG@10",
    set_: str = "spring",
    floor: float | None = None,
) -> KeptValue:
    made_at = datetime.fromtimestamp(CLOCK - days * DAY, tz=UTC)
    return KeptValue(
        set=set_, made_at=made_at, queries=1200, variant=variant, measure=measure, value=value,
        floor=floor,
    )  # fmt: skip


def test_the_newest_result_is_shown_with_its_change_and_its_days() -> None:
    values = [
        kept(0.7, days=20),
        kept(0.71, days=10, floor=0.8),
        kept(0.9, days=2, measure="AP", floor=0.95),
        kept(0.55, days=2, measure="Judged@10"),
        kept(0.8125, days=2, floor=0.8),
    ]
    (row,) = judged_panel(values, CLOCK).rows
    assert (row.set, row.variant, row.measure) == ("spring", "live", "nDCG@10")
    assert (row.value, row.floor, row.below, row.change) == ("0.812", "0.800", False, "+0.103")
    assert (row.judged, row.queries, row.age) == ("55.0 %", "1,200", "2 d")
    assert "last 20 days: at most 0.812" in row.line
    assert row.line.count("<path") == 2  # the floors have a line of their own


@pytest.mark.parametrize(("value", "below"), [(0.79, True), (0.8, False)])
def test_what_is_below_its_floor_is_said(value: float, below: bool) -> None:
    (row,) = judged_panel([kept(value, floor=0.8)], CLOCK).rows
    assert row.below is below


def test_one_result_has_neither_change_nor_line() -> None:
    (row,) = judged_panel([kept(0.7, measure="RR"), kept(0.6, measure="AP")], CLOCK).rows
    assert (row.measure, row.change, row.floor, row.line) == ("AP", "–", "–", "")


def test_sets_that_were_measured_last_come_first_and_the_live_variant_before_others() -> None:
    values = [
        kept(0.5, days=3, set_="old"),
        kept(0.5, days=2, variant="bold"),
        kept(0.5, days=1),
    ]
    rows = judged_panel(values, CLOCK).rows
    assert [(row.set, row.variant) for row in rows] == [
        *(("spring", "live"), ("spring", "bold"), ("old", "live")),
    ]


def test_only_so_many_are_shown_and_the_rest_is_counted() -> None:
    values = [kept(0.5, variant=f"v{number}") for number in range(25)]
    panel = judged_panel(values, CLOCK)
    assert (len(panel.rows), panel.older) == (20, 5)
    assert not judged_panel([], CLOCK).rows
