"""Collections in the format of Cranfield: what is read, and what is refused with which words."""

import gzip
import os
from pathlib import Path

import pytest

from evaluation.collections import cranfield
from evaluation.collections.collection import CollectionError

DATA = Path(__file__).resolve().parents[5] / "shared" / "data"
REAL = Path(os.environ.get("DISCO_DEMO_DATA", DATA)) / "cranfield"

DOCUMENTS = """.I 7
.T
flow past
 a plate
.A
ting,y.
.B
j. ae. scs.
.W
shear   flow .
it is viscous .
.I 8
.T
.W
heat
.X
left out
"""
QUERIES = ".I 010\n.W\nwhat is flow\n.I 020\n.W\nwhat is\nheat\n"
JUDGMENTS = "1 7 1\n1 8 5\n2 8 4 \n2 7 -1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.all").write_text(DOCUMENTS)
    (tmp_path / "tiny.qry").write_text(QUERIES)
    (tmp_path / "tinyqrel").write_text(JUDGMENTS)
    return tmp_path


def test_documents_have_their_sections_with_single_blanks(folder: Path) -> None:
    first, second = cranfield.read(folder).documents
    assert (first.id, first.title, first.authors) == ("7", "flow past a plate", "ting,y.")
    assert (first.source, first.body) == ("j. ae. scs.", "shear flow . it is viscous .")
    assert (second.title, second.body) == ("", "heat")


def test_queries_are_numbered_by_their_order(folder: Path) -> None:
    assert cranfield.read(folder).queries == {"1": "what is flow", "2": "what is heat"}


def test_the_best_code_is_the_highest_grade(folder: Path) -> None:
    grades = cranfield.read(folder).qrels.grades
    assert grades == {"1": {"7": 4, "8": 0}, "2": {"8": 1, "7": 0}}


def test_files_may_be_gzipped_and_end_lines_otherwise(folder: Path) -> None:
    expected = cranfield.read(folder)
    (folder / "tiny.all").unlink()
    (folder / "tiny.all.gz").write_bytes(gzip.compress(DOCUMENTS.replace("\n", "\r\n").encode()))
    assert cranfield.read(folder).documents == expected.documents


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("tiny.all", "flow\n.I 1\n", "line 1: 'flow' stands before the first entry"),
        ("tiny.all", ".I 1\nflow\n", "line 2: 'flow' belongs to no section"),
        ("tiny.all", ".I 1\n.I 1\n", "line 2: document '1' stands above as well"),
        ("tiny.all", ".I\n", "line 1: an entry has no id"),
        ("tiny.all", "", "holds no entry"),
        ("tiny.all", "\x1f\x8bno", "is no whole gzip file"),
        ("tiny.qry", ".I 1\n.W\n", "line 1: query '1' has no text"),
        ("tinyqrel", "1 7\n", "line 1: '1 7' has 2 columns; a line is `query document code`"),
        ("tinyqrel", "1 7 1\n3 7 1\n", "line 2: there is no query '3', only 1 to 2"),
        ("tinyqrel", "1 9 1\n", "line 1: there is no document '9'"),
        ("tinyqrel", "1 7 6\n", "line 1: the code is '6'"),
        ("tinyqrel", "1 7 0\n", "line 1: the code is '0'"),
        ("tinyqrel", "1 7 1\n1 7 2\n", "line 2: document '7' of query '1' stands in an earlier"),
        ("tinyqrel", "\n", "holds no judgment"),
    ],
)
def test_what_is_malformed_is_refused_by_name_and_line(
    folder: Path, file: str, content: str, message: str
) -> None:
    (folder / file).write_bytes(content.encode("latin-1"))
    with pytest.raises(CollectionError) as caught:
        cranfield.read(folder)
    assert message in str(caught.value)
    assert file in str(caught.value)


def test_missing_and_ambiguous_files_are_told(folder: Path) -> None:
    (folder / "other.qry").write_text(QUERIES)
    with pytest.raises(CollectionError, match=r"several files of queries \(other.qry, tiny.qry\)"):
        cranfield.read(folder)
    (folder / "other.qry").unlink()
    (folder / "tinyqrel").unlink()
    with pytest.raises(CollectionError, match="has no file of judgments; one has `rel`"):
        cranfield.read(folder)
    with pytest.raises(CollectionError, match="is no folder"):
        cranfield.read(folder / "gone")


@pytest.mark.skipif(not REAL.is_dir(), reason="the Cranfield collection is not here")
def test_the_cranfield_collection_is_read_whole() -> None:
    read = cranfield.read(REAL)
    assert (len(read.documents), len(read.queries), read.qrels.judgments) == (1400, 225, 1837)
    grades = [grade for docs in read.qrels.grades.values() for grade in docs.values()]
    assert [grades.count(grade) for grade in (4, 3, 2, 1, 0)] == [128, 387, 734, 363, 225]
    assert read.queries["3"].startswith("what problems of heat conduction in composite slabs")
