import io
import sys
from collections.abc import Callable

import pytest

from evaluation import qrels
from evaluation.errors import QrelsError

Write = Callable[[str, str | bytes], str]


def test_lines_are_query_iteration_document_and_grade(write: Write) -> None:
    path = write("qrels", "q2 0 d1 2\r\n\n  q1\tQ0\tdé  -1 \nq2 x d2 0")
    read = qrels.read(path)
    assert read.grades == {"q2": {"d1": 2, "d2": 0}, "q1": {"dé": -1}}
    assert list(read.grades) == ["q2", "q1"]
    assert read.judgments == 3


@pytest.mark.parametrize(
    "content",
    [
        "query,doc,grade\nq1,d1,2\nq1,d2,0\n",
        '\ufeffgrade,Doc , rater,query\r\n\r\n2,d1,ana,"q1"\r\n0,d2,"bo, b",q1\r\n',
    ],
)
def test_csv_is_known_by_its_header(write: Write, content: str) -> None:
    assert qrels.read(write("qrels.csv", content)).grades == {"q1": {"d1": 2, "d2": 0}}


def test_ids_may_have_commas(write: Write) -> None:
    assert qrels.read(write("qrels", "q,1 0 d,1 2\n")).grades == {"q,1": {"d,1": 2}}


def test_only_what_c_calls_a_space_separates(write: Write) -> None:
    assert qrels.read(write("qrels", "q\u00a01 0 d\u30001 2\n")).grades == {
        "q\u00a01": {"d\u30001": 2}
    }


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"q 0 d 1\n")))
    assert qrels.read("-").grades == {"q": {"d": 1}}


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("", None, "holds no judgments; a line is `query 0 document grade`"),
        ("\n \n", None, "holds no judgments"),
        ("query,doc,grade\n", None, "holds no judgments"),
        ("q 0 d 1\nq 0 d2\n", 2, "'q 0 d2' has 3 columns; a line is"),
        ("q 0 d 1\n\nq\n", 3, "'q' has 1 column;"),
        ("q Q0 d 1 0.5 tag\n", 1, "six are those of a run: give the judgments first"),
        ("q,d,1\n", 1, "a CSV file begins with the header query,doc,grade"),
        ("q 0 d 1.0\n", 1, "the grade is '1.0'; give a whole number"),
        ("q 0 d nan\n", 1, "the grade is 'nan'"),
        ("q 0 d 1_0\n", 1, "the grade is '1_0'"),
        ("q 0 d 10001\n", 1, "the grade is 10001; give one from -10000 to 10000"),
        ("q 0 d -10001\n", 1, "the grade is -10001"),
        ("q 0 d 1\nq 0 e 1\nq 0 d 1\n", 3, "document 'd' of query 'q' stands in an earlier line"),
        (b"q 0 d\xff 1\n", 1, "'d\\\\xff' is not UTF-8; convert the file"),
        (b"q 0 d\0x 1\n", 1, "has a NUL character; remove it"),
        ("q 0 " + "d" * 1000 + "\n", 1, "d…' has 3 columns"),
        ("query,doc,grade\nq,d\n", 2, "2 columns, where the header has 3"),
        ("query,doc,grade\nq,,1\n", 2, "the doc is ''; give an id without blanks"),
        ("query,doc,grade\n\nq r,d,1\n", 3, "the query is 'q r'; give an id without blanks"),
        ("query,doc,grade\nq,d,good\n", 2, "the grade is 'good'; give a whole number"),
        ("query,doc,grade\nq,d,\n", 2, "the grade is ''; give a whole number"),
        ("query,doc,grade\nq,d,1\nq,d,2\n", 3, "stands in an earlier line, too; remove one"),
        ('query,doc,grade\nq,"d"x,1\n', 2, "is no CSV"),
        ('query,doc,grade\nq,"d,1\n', 2, "is no CSV"),
        (b"query,doc,grade\nq,\xff,1\n", 2, "is not UTF-8"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(
    write: Write, content: str | bytes, line: int | None, problem: str
) -> None:
    path = write("qrels", content)
    with pytest.raises(QrelsError) as raised:
        qrels.read(path)
    assert raised.value.line == line
    place = path if line is None else f"{path}, line {line}"
    assert str(raised.value).startswith(f"{place}: ")
    assert problem in str(raised.value)


def test_a_file_that_cannot_be_read_is_refused(write: Write) -> None:
    path = write("qrels", "q 0 d 1\n") + ".gone"
    with pytest.raises(QrelsError, match=r"qrels\.gone: cannot be read \(No such file"):
        qrels.read(path)
