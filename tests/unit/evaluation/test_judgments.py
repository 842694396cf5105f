"""Judgments by raters: their grammar, and files of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import judgment_files, qrels
from evaluation.errors import FileError
from evaluation.judgment_operations import read_set_file
from evaluation.judgments import Entity, Judgment, JudgmentError, Query, check_name, settled

Write = Callable[[str, str | bytes], str]

CSV = (
    "query,text,doc,grade,rater,judged_at\n"
    'q2,"drum, bass",sound:1,3,ana,2026-05-01T12:00:00+00:00\n'
    "q2,,sound:1,0,bo,\n"
    "q2,,sound:1,1,cy,\n"
    "q1,rain,user:7,2,,\n"
)


@given(
    st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True),
    st.from_regex(r"[!-~]{1,9}", fullmatch=True),
)
def test_an_entity_is_read_as_it_is_written(kind: str, number: str) -> None:
    entity = Entity(kind, number)
    assert Entity.parse(entity.build()) == entity


@pytest.mark.parametrize("text", ["", "42", "sound:", ":42", "Sound:42", "sound:4 2", "sound:\0"])
def test_what_is_no_entity_is_refused(text: str) -> None:
    with pytest.raises(JudgmentError, match="sound:42"):
        Entity.parse(text)


@pytest.mark.parametrize("name", ["", "Demo", "-x", "a b", "x" * 65, "a/b"])
def test_a_bad_name_of_a_set_is_refused(name: str) -> None:
    with pytest.raises(JudgmentError, match="name of a set"):
        check_name(name)


@pytest.mark.parametrize(
    ("text", "query"), [(" ", None), ("x" * 513, None), ("\0", None), ("a", "b c")]
)
def test_a_bad_query_is_refused(text: str, query: str | None) -> None:
    with pytest.raises(JudgmentError):
        Query.of(text, query)


def test_a_query_without_an_id_gets_the_same_one_always() -> None:
    assert Query.of(" drum  and bass ") == Query.of("drum and bass")
    assert Query.of("drum and bass").id != Query.of("drum").id


@pytest.mark.parametrize(("rater", "grade"), [("", 1), (" ", 1), ("x" * 301, 1), ("ana", 10_001)])
def test_a_bad_rater_or_grade_is_refused(rater: str, grade: int) -> None:
    with pytest.raises(JudgmentError):
        Judgment(query="q", entity=Entity("sound", "1"), rater=rater, grade=grade)


def test_the_median_counts_and_a_doubt_lowers() -> None:
    def by(*grades: int) -> list[Judgment]:
        return [
            Judgment(query="q", entity=Entity("sound", "1"), rater=str(number), grade=grade)
            for number, grade in enumerate(grades)
        ]

    for grades, settled_for in [((3,), 3), ((0, 3), 0), ((3, 0, 2), 2), ((1, 2, 3, 3), 2)]:
        assert settled(by(*grades), ["q"]) == {"q": {"sound:1": settled_for}}
    assert settled([], ["q"]) == {}


def test_a_csv_file_says_everything_and_is_written_as_it_was_read(
    write: Write, tmp_path: Path
) -> None:
    judged = read_set_file(write("set.csv", CSV))
    assert judged.texts == {"q2": "drum, bass", "q1": "rain"}
    assert judged.qrels().grades == {"q2": {"sound:1": 1}, "q1": {"user:7": 2}}
    assert "".join(judgment_files.qrels_lines(judged)) == "q2 0 sound:1 1\nq1 0 user:7 2\n"
    again = tmp_path / "again.csv"
    again.write_text("".join(judgment_files.csv_lines(judged)))
    assert read_set_file(str(again)).judgments == judged.judgments
    again.write_text("".join(judgment_files.qrels_lines(judged)))
    assert qrels.read(str(again)).grades == judged.qrels().grades


def test_texts_of_queries_come_from_their_own_file(write: Write) -> None:
    texts = judgment_files.read_queries(write("topics", "q1\train in may\n\nwith no id\n"))
    assert [one.text for one in texts.values()] == ["rain in may", "with no id"]
    read = judgment_files.read_judgments(
        write("qrels", "q1 0 sound:1 2\nq9 0 sound:1 0\n"), rater="ana", texts=texts
    )
    assert {one.id: one.text for one in read.queries.values()} == {"q1": "rain in may", "q9": "q9"}
    assert {one.rater for one in read.judgments.values()} == {"ana"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("q 0 42 1\n", "line 1: '42' is no entity"),
        ("q 0 sound:1 1\nq 0 sound:1 2\n", "line 2: document 'sound:1' of query 'q'"),
        ("query,doc,grade,judged_at\nq,sound:1,1,yesterday\n", "line 2: judged_at is 'yesterday'"),
        ("query,doc,grade,judged_at\nq,sound:1,1,2026-05-01T12:00\n", "in which zone"),
        ("query,doc,grade\n", "holds no judgments"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(write: Write, content: str, words: str) -> None:
    with pytest.raises(FileError, match=words.replace("(", r"\(")):
        judgment_files.read_judgments(write("file", content), rater="ana", texts={})


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "no queries"), ("q\ta\nq\tb\n", "line 2: the query 'q'"), ("a b\tc\n", "line 1: the id")],
)
def test_bad_files_of_queries(write: Write, content: str, words: str) -> None:
    with pytest.raises(FileError, match=words):
        judgment_files.read_queries(write("file", content))
