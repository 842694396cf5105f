import numpy as np

from demo.copying import (
    Chunk,
    binary_chunk,
    binary_times,
    booleans,
    escape,
    optional,
    text_chunk,
    text_chunks,
    times,
)


def test_binary_rows_have_the_layout_that_postgres_reads() -> None:
    chunk = binary_chunk(np.array([1, -2]), np.array([3, 4], dtype=np.int32), None)
    first = (
        b"\x00\x03"  # three fields
        b"\x00\x00\x00\x08" + (1).to_bytes(8, "big") + b"\x00\x00\x00\x04" + (3).to_bytes(4, "big")
    )
    assert chunk.rows == 2
    assert chunk.data.startswith(first + b"\xff\xff\xff\xff")
    assert len(chunk.data) == 2 * (2 + 4 + 8 + 4 + 4 + 4)
    assert (-2).to_bytes(8, "big", signed=True) in chunk.data


def test_text_rows_are_lines_of_tabbed_values() -> None:
    assert text_chunk([["1", "2"], ["a", "\\N"]]) == Chunk(2, b"1\ta\n2\t\\N\n")


def test_text_chunks_escape_and_cut() -> None:
    rows = [(1, "tab\there", None), (2, "back\\slash\nline", True)]
    assert list(text_chunks(rows, size=1)) == [
        Chunk(1, b"1\ttab\\there\t\\N\n"),
        Chunk(1, b"2\tback\\\\slash\\nline\tTrue\n"),
    ]


def test_a_backslash_n_in_text_is_not_null() -> None:
    assert escape("\\N") == "\\\\N"


def test_times_keep_their_microseconds() -> None:
    moment = np.array([1_772_281_800_123_456])
    assert times(moment) == ["2026-02-28T12:30:00.123456"]
    assert binary_times(moment).tolist() == [825_597_000_123_456]


def test_booleans_and_optional_values() -> None:
    assert booleans(np.array([True, False])) == ["t", "f"]
    assert optional(["a", "b"], np.array([False, True])) == ["\\N", "b"]
