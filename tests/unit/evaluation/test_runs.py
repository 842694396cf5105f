from collections.abc import Callable

import pytest

from evaluation import runs
from evaluation.errors import RunError

Write = Callable[[str, str | bytes], str]


def test_query_document_and_score_are_read(write: Write) -> None:
    path = write("run", "q1 Q0 d1 7 1.5 a\nq2\tx\td1\tfirst\t-2e3\tb\r\n\nq1 Q0 d2 7 1.5 a")
    read = runs.read(path)
    assert read.scores == {"q1": {"d1": 1.5, "d2": 1.5}, "q2": {"d1": -2000.0}}
    assert read.results == 3


def test_the_best_score_is_first_and_the_highest_of_equal_ids() -> None:
    scores = {"a": 1.0, "c": 2.0, "b": 2.0, "é": 2.0, "B": 3.0}
    assert runs.ranked(scores) == ["B", "é", "c", "b", "a"]
    assert runs.ranked(scores, 3) == ["B", "é", "c"]
    assert runs.ranked(scores, 9) == ["B", "é", "c", "b", "a"]


def test_scores_that_single_precision_cannot_tell_apart_are_equal() -> None:
    assert runs.ranked({"a": 1.0 + 1e-9, "b": 1.0}) == ["b", "a"]
    assert runs.ranked({"a": 1.0 + 1e-6, "b": 1.0}) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("", None, "holds no results; a line is `query Q0 document rank score tag`"),
        ("q Q0 d 1 0.5\n", 1, "'q Q0 d 1 0.5' has 5 columns; a line is"),
        ("q Q0 d 1 0.5 my tag\n", 1, "has 7 columns"),
        ("q 0 d 1\n", 1, "four are those of judgments: give the judgments first"),
        ("q Q0 d 1 nan t\n", 1, "the score is 'nan'; give a finite number"),
        ("q Q0 d 1 -inf t\n", 1, "the score is '-inf'; give a finite number"),
        ("q Q0 d 1 1e39 t\n", 1, "the score is '1e39'; give a finite number up to 3.4e38"),
        ("q Q0 d 1 1_0 t\n", 1, "the score is '1_0'"),
        ("q Q0 d 1 high t\n", 1, "the score is 'high'"),
        ("q Q0 d 1 2 t\nq Q0 d 2 1 t\n", 2, "document 'd' of query 'q' stands in an earlier line"),
        (b"q\xff Q0 d 1 2 t\n", 1, "is not UTF-8"),
        (b"q Q0 \0 1 2 t\n", 1, "has a NUL character"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(
    write: Write, content: str | bytes, line: int | None, problem: str
) -> None:
    path = write("run", content)
    with pytest.raises(RunError) as raised:
        runs.read(path)
    assert raised.value.line == line
    assert str(raised.value).startswith(path)
    assert problem in str(raised.value)
