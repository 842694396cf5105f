"""Queries are told apart by what comes of them."""

from evaluation.online import queries
from tests.unit.evaluation.online.logs import click, opened, search


def test_the_most_frequent_come_first_with_what_came_of_them() -> None:
    log = opened(
        [
            search("a", "rain", "12", user_hash="u"),
            search("b", "rain", "12", user_hash="u", session_hash="s"),
            search("c", "sun"),
        ],
        [click("a", "2")],
    )
    first, second = queries.top(log, 5)
    assert (first.text, first.searches, first.people) == ("rain", 2, 1)
    assert (first.click_through, first.mean_clicked_position) == (0.5, 2)
    assert (second.text, second.no_result_rate, second.mean_clicked_position) == ("sun", 1, None)
    assert queries.top(log, 1) == [first]


def test_what_nobody_clicks_for_fails() -> None:
    searches = [
        *(search(f"n{i}", "nothing") for i in range(2)),
        *(search(f"u{i}", "unwanted", "12") for i in range(3)),
        *(search(f"w{i}", "wanted", "12") for i in range(3)),
        search("rare", "rare"),
    ]
    log = opened(searches, [click("w0", "1")])
    assert [one.text for one in queries.failing(log, 5, least=2)] == ["nothing", "unwanted"]
    assert {one.text for one in queries.failing(log, 5, least=1)} == {"nothing", "unwanted", "rare"}


def test_a_reformulation_is_the_next_try_of_a_session_that_clicked_nothing() -> None:
    def pair(session: str, first: str, second: str, seconds: float) -> list[dict[str, object]]:
        return [
            search(f"{session}1", first, "12", session_hash=session),
            search(f"{session}2", second, "12", session_hash=session, after=seconds),
        ]

    log = opened(
        [
            *pair("a", "drum", "bass", 20),
            *pair("b", "drum", "bass", 20),
            *pair("typing", "dr", "drum", 2),
            *pair("later", "drum", "tea", 3_000),
            *pair("same", "drum", "drum", 20),
            *pair("content", "drum", "jazz", 20),
        ],
        [click("a2", "1"), click("content1", "1")],
    )
    (one,) = queries.reformulated(log, 5)
    assert (one.text, one.next_text, one.times, one.click_through) == ("drum", "bass", 2, 0.5)


def test_the_long_tail_is_what_is_rare() -> None:
    log = opened([search("a", "rain", "1"), search("b", "rain", "1"), search("c", "sun"),
                  search("d", "moon", "1")])  # fmt: skip
    tail = queries.long_tail(log, 5, most=1)
    assert (tail.searches, tail.texts, tail.rare_texts, tail.rare_searches) == (4, 3, 2, 2)
    assert (tail.rare_share, tail.no_result_rate) == (0.5, 0.5)
    assert [one.text for one in tail.examples] == ["sun", "moon"]
    nothing = queries.long_tail(opened([]), 5, most=1)
    assert (nothing.searches, nothing.rare_share, nothing.examples) == (0, None, [])
