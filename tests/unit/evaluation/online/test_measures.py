"""What people did becomes figures, each as its definition says."""

from datetime import timedelta

import pytest

from evaluation.online.measures import Dimension, OnlineFigures, measure
from tests.unit.evaluation.online.logs import NOON, click, opened, search

UNTIL = NOON + timedelta(hours=3)


def figures(searches: list[dict[str, object]], clicks: list[dict[str, object]]) -> OnlineFigures:
    (one,) = measure(opened(searches, clicks), NOON, UNTIL, ()).figures
    return one


def test_the_figures_are_those_of_their_definitions() -> None:
    one = figures(
        [search("a", hits="123"), search("b", hits="21"), search("c"), search("d", hits="45")],
        [click("a", "2", after=4), click("a", "3", after=9), click("b", "2", after=8, kind="play")],
    )
    assert (one.searches, one.no_result_rate, one.click_through) == (4, 0.25, 0.5)
    assert one.abandonment == pytest.approx(1 / 3)
    assert one.mean_clicked_position == pytest.approx((2 + 3 + 1) / 3)
    assert one.mean_reciprocal_clicked_rank == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert one.seconds_to_first_click == 6


def test_nothing_is_made_of_nothing() -> None:
    found = measure(opened([]), NOON, UNTIL, ())
    assert (found.figures, found.positions) == ([], [])
    empty = figures([search("a")], [])
    assert (empty.no_result_rate, empty.abandonment, empty.mean_clicked_position) == (1, None, None)


def test_what_does_not_count_changes_nothing() -> None:
    plain = figures([search("a", hits="12")], [click("a", "1", after=1)])
    noisy = figures(
        [
            search("a", hits="12"),
            search("browse", text="", hits="12"),
            search("early", hits="12", after=-7_200),
        ],
        [
            click("a", "1", after=1),
            click("a", "1", after=2),  # again
            click("a", "9"),  # what was never shown
            click("a", "2", kind="impression"),
            click("a", "2", kind="dwell"),
            click("nobody", "1"),
        ],
    )
    assert noisy == plain


def test_a_search_is_one_through_all_its_pages() -> None:
    pages = [search("a", hits="12", total=4), search("a", hits="34", total=4, first=2, after=9)]
    one = figures(pages, [click("a", "4", after=12)])
    assert (one.searches, one.mean_clicked_position, one.seconds_to_first_click) == (1, 4, 12)


def test_searches_are_told_apart_by_what_is_asked_for() -> None:
    searches = [
        search("a", hits="1"),
        search("b", hits="1", variant="wide"),
        search("c", hits="1", variant="wide", types=["sound", "user"], after=3_600),
    ]
    log = opened(searches, [click("b", "1")])
    by_variant = measure(log, NOON, UNTIL, (Dimension.VARIANT,)).figures
    assert [(one.variant, one.searches, one.click_through) for one in by_variant] == [
        ("live", 1, 0), ("wide", 2, 0.5)]  # fmt: skip
    by_all = measure(log, NOON, UNTIL, tuple(Dimension)).figures
    assert [(one.variant, one.type, one.hour) for one in by_all] == [
        ("live", "sound", NOON),
        ("wide", "all", NOON + timedelta(hours=1)),
        ("wide", "sound", NOON),
    ]
    assert {(one.type, one.hour) for one in by_variant} == {(None, None)}


def test_positions_have_their_own_figures() -> None:
    searches = [search("a", hits="12"), search("b", hits="21", variant="wide")]
    found = measure(opened(searches, [click("a", "1"), click("b", "1")]), NOON, UNTIL, ())
    assert [(one.variant, one.position, one.shown, one.clicked) for one in found.positions] == [
        ("live", 1, 1, 1), ("live", 2, 1, 0), ("wide", 1, 1, 0), ("wide", 2, 1, 1)]  # fmt: skip


def test_what_was_shown_once_says_nothing_of_positions() -> None:
    searches = [search(f"{number}", f"text {number}", "123") for number in range(50)]
    found = measure(opened(searches, [click("0", "3")]), NOON, UNTIL, ())
    assert [one.examination for one in found.positions] == [None] * 3
    assert found.figures[0].corrected_click_through is None


def test_the_corrected_click_through_makes_up_for_the_position() -> None:
    """The same hits at exchanged positions: the raw rates differ, the corrected ones do not."""
    searches, clicks = [], []
    # At the second position a hit is clicked half as often, whichever it is.
    for turn, (variant, hits) in enumerate([("good", "12"), ("bad", "21")] * 40):
        query_id = f"{turn}"
        searches.append(search(query_id, hits=hits, variant=variant))
        attractive_first = hits[0] == "1"
        if attractive_first or turn % 4 == 1:
            clicks.append(click(query_id, "1"))
    found = measure(opened(searches, clicks), NOON, UNTIL, (Dimension.VARIANT,))
    bad, good = found.figures
    assert (good.click_through, bad.click_through) == (1.0, 0.5)
    assert good.corrected_click_through == pytest.approx(0.5, abs=0.02)
    assert bad.corrected_click_through == pytest.approx(0.5, abs=0.02)
