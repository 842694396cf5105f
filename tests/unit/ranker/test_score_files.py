import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker import score_files
from ranker.errors import OutputError, ScoreFileError
from ranker.node_ids import NodeIds

IDS = NodeIds(pa.array(["b", "a", "10", "9"]))


def test_lines_are_by_falling_score_and_then_by_id() -> None:
    text = "".join(score_files.lines(IDS, np.array([0.25, 0.25, 0.25, 0.26])))
    assert text == "9\t0.26\n10\t0.25\na\t0.25\nb\t0.25\n"


@given(st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4))
def test_every_digit_is_written(scores: list[float]) -> None:
    text = "".join(score_files.lines(IDS, np.array(scores)))
    assert sorted(float(line.split("\t")[1]) for line in text.splitlines()) == sorted(scores)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path, scores = tmp_path / "scores.tsv", np.array([0.1, 0.2, 0.3, 0.4])
    score_files.write(str(path), score_files.lines(IDS, scores))
    np.testing.assert_allclose(score_files.read(str(path), IDS), scores, rtol=1e-15)


def test_nodes_that_a_file_does_not_name_are_unknown(tmp_path: Path) -> None:
    path = tmp_path / "scores.tsv"
    path.write_text("a\t3\ngone\t1\n")
    np.testing.assert_array_equal(score_files.read(str(path), IDS), [np.nan, 0.75, np.nan, np.nan])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("a\t0.5\nb\tnan\n", "line 2: the score is nan"),
        ("a\t0.5\nb\t-0.5\n", "line 2: the score is -0.5"),
        ("a\t0.5\nb\n", "line 2: 1 column; a line is id score"),
        ("a\t0.5\nb\t0.25\na\t0.25\n", "the id a stands in several lines"),
        ("", "holds no scores above zero"),
        ("a\t0\n", "holds no scores above zero"),
    ],
)
def test_errors_name_the_file_and_the_remedy(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "scores.tsv"
    path.write_text(content)
    with pytest.raises(ScoreFileError) as raised:
        score_files.read(str(path), IDS)
    assert str(path) in str(raised.value)
    assert problem in str(raised.value)


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "scores.tsv"
    path.write_text("old")
    path.chmod(0o640)
    score_files.write(str(path), ["new\n", "lines\n"])
    assert path.read_text() == "new\nlines\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    def failing() -> Iterator[str]:
        yield "half"
        raise KeyboardInterrupt

    path = tmp_path / "scores.tsv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        score_files.write(str(path), failing())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    score_files.write(str(link), ["new"])
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    score_files.write(os.devnull, ["gone"])
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize(
    ("path", "problem"), [("", "is a folder"), ("none/scores.tsv", "there is no folder")]
)
def test_where_nothing_can_be_written(tmp_path: Path, path: str, problem: str) -> None:
    with pytest.raises(OutputError, match=problem):
        score_files.check_writable(str(tmp_path / path))
