"""A small generated catalogue, decoded from what would be sent to the database."""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from demo.copying import BINARY_TRAILER, TableLoad
from demo.generator import generate
from demo.sizes import divide

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)

type_of_rows = list[tuple[object, ...]]


def decode_text(data: bytes) -> Iterator[tuple[object, ...]]:
    """The rows of COPY's text format; NULL is None."""
    unescaped = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\"}
    for line in data.decode().removesuffix("\n").split("\n"):
        yield tuple(
            None if value == "\\N" else _replace(value, unescaped) for value in line.split("\t")
        )


def decode_binary(data: bytes) -> Iterator[tuple[object, ...]]:
    """The rows of COPY's binary format, all integers; NULL is None."""
    at = 0
    while at < len(data):
        (count,) = struct.unpack_from(">h", data, at)
        at += 2
        row: list[object] = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", data, at)
            at += 4
            if length < 0:
                row.append(None)
                continue
            row.append(int.from_bytes(data[at : at + length], "big", signed=True))
            at += length
        yield tuple(row)


def decode(table: TableLoad) -> type_of_rows:
    """All rows of a table."""
    rows: type_of_rows = []
    for chunk in table.chunks:
        assert not chunk.data.endswith(BINARY_TRAILER * 2)
        decoded = list((decode_binary if table.binary else decode_text)(chunk.data))
        assert len(decoded) == chunk.rows
        rows.extend(decoded)
    return rows


def _replace(value: str, pairs: dict[str, str]) -> str:
    text, at = "", 0
    while at < len(value):
        pair = value[at : at + 2]
        text += pairs.get(pair, value[at])
        at += 2 if pair in pairs else 1
    return text


@pytest.fixture(scope="session")
def catalogue() -> dict[str, list[dict[str, object]]]:
    """Table -> its rows by column, of a catalogue of 4,000 entities."""
    return {
        table.table: [dict(zip(table.columns, row, strict=True)) for row in decode(table)]
        for table in generate(divide(4_000), seed=7, until=UNTIL)
    }
