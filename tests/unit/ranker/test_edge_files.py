import gzip
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from ranker import edge_files, text_tables
from ranker.edge_files import EdgeFile
from ranker.errors import EdgeFileError

Write = Callable[[str | bytes], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(content: str | bytes) -> str:
        path = tmp_path / "edges.tsv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return to_file


def edges(read: EdgeFile) -> list[tuple[str, str, float]]:
    """All edges that count, by id."""
    graph = read.graph
    ids = read.ids._ids.to_pylist()
    found = [
        (graph.sources[edge], position, graph.weights[edge])
        for position in range(graph.nodes)
        for edge in range(graph.starts[position], graph.starts[position + 1])
    ]
    found += [
        (at, at, weight)
        for at, weight in zip(graph.loop_positions, graph.loop_weights, strict=True)
    ]
    return sorted((ids[graph.order[u]], ids[graph.order[v]], float(w)) for u, v, w in found)


TWO = [("a", "b", 1.5), ("b", "c", 2.0)]


@pytest.mark.parametrize(
    "content",
    [
        "a\tb\t1.5\nb\tc\t2\n",
        "a\tb\t1.5\nb\tc\t2",
        "source\ttarget\tweight\na\tb\t1.5\nb\tc\t2\n",
        "target\tweight\tsource\nb\t1.5\ta\nc\t2\tb\n",
        "follower\tfollowed\tcount\na\tb\t1.5\nb\tc\t2\n",
        "a\tb\t1.5\r\nb\tc\t2\r\n",
        "\ufeffa\tb\t1.5\nb\tc\t2\n",
        "\ufeffsource\ttarget\tweight\na\tb\t1.5\nb\tc\t2\n",
        "\n\na\tb\t1.5\n\nb\tc\t2\n\n",
        "\n\nsource\ttarget\tweight\n\na\tb\t1.5\n\nb\tc\t2\n\n",
        "a b 1.5\nb c 2\n",
        "a   b  1.5\n  b c     2  \n",
        "a\tb\t1.5\nb c 2\n",
        "a b 1.5\nb\tc\t2\n",
        "a\tb\t 1.5 \nb\tc\t2e0\n",
        "a\tb\t1\na\tb\t.5\nb\tc\t2\na\tc\t0\n",
    ],
)
def test_ways_to_write_the_same(write: Write, content: str) -> None:
    assert edges(edge_files.read(write(content))) == TWO


@pytest.mark.parametrize(
    "content",
    ["a\tb\nb\tc\n", "source\ttarget\na\tb\nb\tc\n", "from to\na b\nb c\n", "a  b\nb   c\n"],
)
def test_without_weights_each_edge_weighs_one(write: Write, content: str) -> None:
    assert edges(edge_files.read(write(content))) == [("a", "b", 1.0), ("b", "c", 1.0)]


@pytest.mark.parametrize(
    "ids",
    [
        ["1", "01", "1.0"],
        ["1", "2", "01"],
        ["1", "+1", "0"],
        ["1", "-0", "0"],
        ["1", "00", "0"],
        ["1", " 1", "1 "],
        ["9223372036854775807", "9223372036854775808", "0"],
        ["31", "0x1F", "1e3"],
        ["7", "007", "x"],
        ["-3", "18446744073709551616", "4294967296"],
        ["NA", "null", "nan"],
        ['"', "a,b", "'"],
        ["two words", "two  words", " two words"],
        ["Ænima", "日本", "e\u0301"],
        ["#", "# x", "--"],
        ["true", "2020-01-01", "0x1F"],
    ],
)
def test_ids_are_text_and_kept_as_they_are(write: Write, ids: list[str]) -> None:
    content = "".join(f"{one}\tz\t1\n" for one in ids)
    assert [source for source, _, _ in edges(edge_files.read(write(content)))] == sorted(ids)


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("a\tb\t1\nb\tc\tnan\n", 2, "the weight is nan; give a finite number"),
        ("a\tb\t1\nb\tc\tNaN\n", 2, "the weight is NaN"),
        ("a\tb\t-1\nb\tc\t1\n", 1, "the weight is -1; give a finite number that is not below zero"),
        ("a\tb\tinf\n", 1, "the weight is inf"),
        ("a\tb\t1e999\n", 1, "the weight is 1e999"),
        ("source\ttarget\tweight\n\na\tb\t1\na\tc\tx\n", 4, "the weight is x"),
        ("a\tb\t1,5\n", 1, "the weight is 1,5"),
        ("a\tb\t1\na\tb\t1_0\n", 2, "the weight is 1_0"),
        ("a\tb\t1\na\tb\t\n", 2, "the weight is empty"),
        ("a\tb\t1\n\tb\t1\n", 2, "the source is empty; give an id"),
        ("a\tb\t1\na\t\t1\n", 2, "the target is empty; give an id"),
        ("a\tb\t1\na\tb\n", 2, "2 columns, where the lines before have 3"),
        ("a\tb\na\tb\t1\n", 2, "3 columns, where the lines before have 2"),
        ("a\tb\t1\na\tb\t1\t2\n", 2, "4 columns; a line is source target [weight]"),
        ("a\n", 1, "1 column; a line is source target [weight], separated by tabs"),
        ("a b c d\n", 1, "4 columns"),
    ],
)
def test_errors_name_the_file_the_line_and_the_remedy(
    write: Write, content: str, line: int, problem: str
) -> None:
    path = write(content)
    with pytest.raises(EdgeFileError) as raised:
        edge_files.read(path)
    assert str(raised.value).startswith(f"{path}, line {line}: {problem}")
    assert raised.value.line == line
    assert raised.value.exit_code == 2


def test_a_line_that_is_no_utf8_is_named(write: Write) -> None:
    with pytest.raises(EdgeFileError, match="line 2: not UTF-8"):
        edge_files.read(write(b"a\tb\t1\n\xff\tb\t1\n"))


@pytest.mark.parametrize("content", ["", "\n\n", "source\ttarget\tweight\n", b"\xef\xbb\xbf"])
def test_a_file_without_edges_is_an_error(write: Write, content: str | bytes) -> None:
    with pytest.raises(EdgeFileError, match="holds no edges"):
        edge_files.read(write(content))


def test_a_file_of_zeros_has_nodes_and_no_edges(write: Write) -> None:
    read = edge_files.read(write("a\tb\t0\nb\tc\t0\n"))
    assert edges(read) == []
    assert (read.graph.nodes, read.rows) == (3, 2)


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(EdgeFileError, match=r"none\.tsv: cannot be read \(No such file"):
        edge_files.read(str(tmp_path / "none.tsv"))
    with pytest.raises(EdgeFileError, match=r"cannot be read \(Is a directory"):
        edge_files.read(str(tmp_path))


def test_a_late_error_is_found_with_its_line(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when batches before it were read well."""
    monkeypatch.setattr(text_tables, "_BLOCK_BYTES", 1 << 10)
    lines = [f"u{n % 97}\tv{n % 89}\t{n % 7 + 0.5}\n" for n in range(5_000)]
    lines[4_321] = "u\tv\t-0.5\n"
    with pytest.raises(EdgeFileError, match=r"line 4,322: the weight is -0\.5"):
        edge_files.read(write("".join(lines)))


def test_batches_and_irregular_lines_lose_nothing(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line with spaces is read one by one, from where the regular ones ended."""
    rows = [(f"u{n % 97}", f"v{n % 89}", n % 7 + 0.5) for n in range(5_000)]
    regular = "".join(f"{u}\t{v}\t{w}\n" for u, v, w in rows)
    at = len(regular) // 2 + regular[len(regular) // 2 :].index("\n") + 1
    expected = edges(edge_files.read(write(regular + "s\tt\t3\n")))
    monkeypatch.setattr(text_tables, "_BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(text_tables, "_LINES_A_BATCH", 100)
    read = edge_files.read(write(f"{regular[:at]}  s  t 3\n{regular[at:]}"))
    assert read.rows == 5_001
    assert edges(read) == expected


@pytest.mark.parametrize("of", [pa.string(), pa.large_string(), pa.int64(), pa.uint32()])
def test_parquet_is_read_as_text_would_be(of: pa.DataType, tmp_path: Path, write: Write) -> None:
    rng = random.Random(1)
    rows = [(rng.randrange(30), rng.randrange(30), rng.randrange(1, 9) / 4) for _ in range(200)]
    sources, targets, weights = zip(*rows, strict=True)
    path = tmp_path / "edges.parquet"
    table = pa.table(
        {
            "weight": weights,
            "target": pa.array(targets).cast(of),
            "source": pa.array(sources).cast(of),
            "more": weights,
        }
    )
    parquet.write_table(table, path)
    text = write("".join(f"{u}\t{v}\t{w}\n" for u, v, w in rows))
    assert edges(edge_files.read(str(path))) == edges(edge_files.read(text))


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"source": ["a", None], "target": ["b", "b"]}, "row 2: the source is empty"),
        ({"u": ["a", "b"], "v": ["b", ""]}, "row 2: the v is empty"),
        ({"u": ["a"], "v": ["b"], "w": [-1.0]}, "row 1: the weight is below zero or no finite"),
        ({"u": ["a"], "v": ["b"], "w": [np.nan]}, "row 1: the weight is below zero or no finite"),
        ({"u": ["a"], "v": ["b"], "w": pa.array([None], pa.float64())}, "row 1: the weight is"),
        ({"u": ["a"], "v": ["b"], "w": ["x"]}, "column w is string; give numbers"),
        ({"u": [0.5], "v": ["b"]}, "column u is double; ids are strings or integers"),
        ({"u": ["a"]}, "its columns are u; name them source, target and weight"),
        ({"u": pa.array([], pa.string()), "v": pa.array([], pa.string())}, "holds no edges"),
    ],
)
def test_errors_in_parquet_name_the_row(
    table: dict[str, object], problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "edges.parquet"
    parquet.write_table(pa.table(table), path)
    with pytest.raises(EdgeFileError) as raised:
        edge_files.read(str(path))
    assert problem in str(raised.value)


def test_a_truncated_parquet_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "edges.parquet"
    parquet.write_table(pa.table({"u": ["a"], "v": ["b"]}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(EdgeFileError, match="is no readable Parquet file"):
        edge_files.read(str(path))


def test_a_compressed_file_is_not_taken_for_text(write: Write) -> None:
    with pytest.raises(EdgeFileError, match="line 1"):
        edge_files.read(write(gzip.compress(b"a\tb\t1\n" * 100)))


@pytest.mark.parametrize("at", range(1, 40))
def test_a_leading_zero_is_seen_wherever_a_file_is_read_in_pieces(
    write: Write, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(text_tables, "_BLOCK_BYTES", at)
    lines = ["12\t7\t0.5\n", "7\t0\t1\n", "0\t012\t2\n", "12\t0\t0\n"]
    found = edges(edge_files.read(write("".join(lines))))
    assert found == [("0", "012", 2.0), ("12", "7", 0.5), ("7", "0", 1.0)]
