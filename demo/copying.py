"""Rows in the formats of PostgreSQL's COPY: text for rows with words, binary for rows of numbers.

Binary rows are built by numpy without a Python object a row: an activity table of millions of rows
costs little more than its bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NULL = "\\N"  # in a text row
BINARY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
BINARY_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH = 946_684_800_000_000  # 2000-01-01, in microseconds since 1970
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Chunk(NamedTuple):
    """Some rows of one table, encoded."""

    rows: int
    data: bytes


@dataclass(frozen=True, kw_only=True)
class TableLoad:
    """All rows of one table, produced while they are copied. Later tables may depend on it."""

    table: str
    columns: tuple[str, ...]
    rows: int  # how many are expected; an estimate where duplicates fall away
    chunks: Iterator[Chunk]
    binary: bool = False


def text_chunk(columns: Sequence[Sequence[str]]) -> Chunk:
    """Rows from columns of equal length, whose values are escaped already."""
    lines = list(map("\t".join, zip(*columns, strict=True)))
    lines.append("")
    return Chunk(len(lines) - 1, "\n".join(lines).encode())


def text_chunks(rows: Iterable[Sequence[object]], *, size: int = 10_000) -> Iterator[Chunk]:
    """Chunks from rows of values: None, bool, numbers and any text."""
    lines: list[str] = []
    for row in rows:
        lines.append("\t".join(map(escape, row)))
        if len(lines) == size:
            yield Chunk(size, ("\n".join(lines) + "\n").encode())
            lines.clear()
    if lines:
        yield Chunk(len(lines), ("\n".join(lines) + "\n").encode())


def escape(value: object) -> str:
    """One value of a text row."""
    if value is None:
        return NULL
    return value.translate(_ESCAPES) if isinstance(value, str) else str(value)


def numbers(values: NDArray[Any]) -> list[str]:
    """Integers as values of text rows."""
    return list(map(str, values.tolist()))


def booleans(values: NDArray[np.bool_]) -> list[str]:
    """Truth values as values of text rows."""
    return ["t" if value else "f" for value in values.tolist()]


def times(microseconds: Ints) -> list[str]:
    """Microseconds since 1970 as values of text rows, for a session in UTC."""
    written: list[str] = np.datetime_as_string(microseconds.astype("datetime64[us]")).tolist()
    return written


def optional(values: Sequence[str], present: NDArray[np.bool_]) -> list[str]:
    """The values where they are present, NULL elsewhere."""
    return [v if p else NULL for v, p in zip(values, present.tolist(), strict=True)]


def binary_times(microseconds: Ints) -> Ints:
    """Microseconds since 1970 as values of a binary row (they count from 2000 there)."""
    return microseconds - _POSTGRES_EPOCH


def binary_rows(columns: Sequence[NDArray[Any] | None]) -> bytes:
    """Rows from columns of int64 (bigint, timestamptz) or int32 (integer); None is all NULL."""
    length = next(len(column) for column in columns if column is not None)
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for i, column in enumerate(columns):
        fields.append((f"length{i}", ">i4"))
        if column is not None:
            fields.append((f"value{i}", f">i{column.dtype.itemsize}"))
    rows = np.empty(length, dtype=np.dtype(fields))
    rows["count"] = len(columns)
    for i, column in enumerate(columns):
        rows[f"length{i}"] = -1 if column is None else column.dtype.itemsize
        if column is not None:
            rows[f"value{i}"] = column
    return rows.tobytes()


def binary_chunk(*columns: NDArray[Any] | None) -> Chunk:
    """A chunk of the rows that `binary_rows` makes."""
    return Chunk(next(len(c) for c in columns if c is not None), binary_rows(columns))
