"""Text files of ids and a number a line: edges (`source target weight`) and scores (`id score`).

Tabs separate the columns, or spaces where a line has no tab. pyarrow reads what is regular, at
millions of lines a second. Whatever it does not like is read again line by line, which either
understands it or says what is wrong in which line.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from ranker.errors import EdgeFileError

_BLOCK_BYTES: Final = 32 << 20  # large, for every block gets a dictionary of its own
_LINES_A_BATCH: Final = 100_000
# What numbers are written with; and a zero that is neither alone nor before the point of a weight.
_PLAIN: Final = b"0123456789.\t\r\n"
_LEADING_ZEROS: Final = (re.compile(rb"\t0[^\t\r\n.]"), re.compile(rb"\n0[^\t\r\n.]"))
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which columns a file has."""

    ids: tuple[str, ...]  # names of the columns with ids
    number: str  # name of the last column
    number_optional: bool  # whether the number may be missing, from every line alike
    headers: frozenset[tuple[str, ...]] = frozenset()  # names that a header without number may have
    error: type[EdgeFileError] = EdgeFileError

    def order(self, header: tuple[str, ...]) -> tuple[int, ...]:
        """Where the columns stand in a file: as its header names them, else in our order."""
        names = (*self.ids, self.number)[: len(header)]
        if set(header) == set(names):
            return tuple(header.index(name) for name in names)
        return tuple(range(len(header)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Some lines of a file."""

    ids: tuple[pa.Array, ...]  # one array a column: integers, or strings that mean the same
    numbers: NDArray[np.float64] | None  # finite and not below zero; None if the file has none


def read(file: IO[bytes], name: str, layout: Layout) -> Iterator[Rows]:
    """The rows of a file that can be read from its beginning again.

    Raises:
        EdgeFileError: a line is malformed; the message has the file's name and the line.
    """
    shape = _shape(file, name, layout)
    if shape is None:
        return
    done = 0
    for type_ in (pa.int64(), pa.string()):
        with suppress(pa.ArrowInvalid, _IrregularError):
            for rows in _behind(_read_regular(file, layout, shape, type_), done):
                yield rows
                done += len(rows.ids[0])
            return
    yield from _behind(_read_line_by_line(file, name, layout, shape), done)


def _behind(batches: Iterator[Rows], skipped: int) -> Iterator[Rows]:
    """All but the first rows, which were read already."""
    for rows in batches:
        length = len(rows.ids[0])
        if skipped < length:
            yield Rows(
                ids=tuple(column[skipped:] for column in rows.ids),
                numbers=None if rows.numbers is None else rows.numbers[skipped:],
            )
        skipped = max(0, skipped - length)


class _IrregularError(Exception):
    """There is a value that needs a closer look."""


@dataclass(frozen=True, kw_only=True)
class _Shape:
    first_line: int  # the first line with data, or behind the header, counted from 1
    offset: int  # where it begins, in bytes
    separator: str
    columns: int
    order: tuple[int, ...]


def _shape(file: IO[bytes], name: str, layout: Layout) -> _Shape | None:
    """What the first line that is not blank says; None if there is none with data."""
    file.seek(0)
    shape = None
    end = 0
    for number, raw in enumerate(file, start=1):
        begin, end = end, end + len(raw)
        cells = _cells(_decoded(raw, name, number, layout))
        if not cells:
            continue
        if shape is not None:
            return shape
        _check_columns(cells, name, number, layout)
        header = _is_header(cells, layout)
        names = tuple(cell.strip().lower() for cell in cells) if header else ("",) * len(cells)
        shape = _Shape(
            first_line=number + header,
            offset=end if header else begin,
            separator="\t" if b"\t" in raw else " ",
            columns=len(cells),
            order=layout.order(names),
        )
        if not header:
            return shape
    return None


def _is_header(cells: list[str], layout: Layout) -> bool:
    """A header names the number; where there is none, it has names that everybody uses."""
    if len(cells) == len(layout.ids):
        return tuple(cell.strip().lower() for cell in cells) in layout.headers
    last = cells[-1].strip()
    return _number(last) is None and (last[:1].isalpha() or last[:1] == "_")


def _read_regular(
    file: IO[bytes], layout: Layout, shape: _Shape, type_: pa.DataType
) -> Iterator[Rows]:
    """Reads ids as that type; integers only if they are written as Python would write them."""
    file.seek(shape.offset)
    names = [str(place) for place in range(shape.columns)]
    ids = [str(shape.order[column]) for column in range(len(layout.ids))]
    types = dict.fromkeys(ids, type_)
    number = str(shape.order[-1]) if shape.columns > len(layout.ids) else None
    if number is not None:
        types[number] = pa.float64()
    reader = csv.open_csv(
        pa.PythonFile(_Watched(file, plain_integers=type_ == pa.int64()), mode="r"),
        read_options=csv.ReadOptions(column_names=names, block_size=_BLOCK_BYTES),
        parse_options=csv.ParseOptions(delimiter=shape.separator, quote_char=False),
        convert_options=csv.ConvertOptions(column_types=types, null_values=[]),
    )
    for batch in reader:
        columns = tuple(batch.column(name) for name in ids)
        numbers = None if number is None else batch.column(number).to_numpy()
        _check(columns, numbers)
        yield Rows(ids=columns, numbers=numbers)


class _Watched:
    """A file for pyarrow, which does not close it.

    With `plain_integers` it ends where a number is not written as Python would: 01, +1 and 0x1 are
    ids of their own, and would become others if they were read as integers.
    """

    def __init__(self, file: IO[bytes], *, plain_integers: bool) -> None:
        self._file = file
        self._plain_integers = plain_integers
        self._end = b"\n"  # of what was read before
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        if self._plain_integers:
            if block.translate(None, _PLAIN) or self._leading_zero(block):
                raise _IrregularError
            self._end = (self._end + block[-2:])[-2:]
        return block

    def _leading_zero(self, block: bytes) -> bool:
        pieces = (block, self._end + block[:2])
        return any(zero.search(piece) for zero in _LEADING_ZEROS for piece in pieces)


def _check(columns: tuple[pa.Array, ...], numbers: NDArray[np.float64] | None) -> None:
    for column in columns:
        if column.type == pa.string() and pc.any(pc.equal(pc.binary_length(column), 0)).as_py():
            raise _IrregularError
    if numbers is None or not len(numbers):
        return
    # A NaN becomes the minimum.
    if not (numbers.min() >= 0.0 and numbers.max() < np.inf):
        raise _IrregularError


def _read_line_by_line(file: IO[bytes], name: str, layout: Layout, shape: _Shape) -> Iterator[Rows]:
    file.seek(0)
    lines = islice(enumerate(file, start=1), shape.first_line - 1, None)
    parsed = (_row(raw, name, at, layout, shape) for at, raw in lines)
    rows = (row for row in parsed if row is not None)
    while batch := list(islice(rows, _LINES_A_BATCH)):
        ids = tuple(
            pa.array([row[0][column] for row in batch], pa.string())
            for column in range(len(layout.ids))
        )
        has_numbers = shape.columns > len(layout.ids)
        yield Rows(ids=ids, numbers=np.array([row[1] for row in batch]) if has_numbers else None)


def _row(
    raw: bytes, name: str, at: int, layout: Layout, shape: _Shape
) -> tuple[tuple[str, ...], float] | None:
    """Ids and number of a line; None if it is blank."""
    cells = _cells(_decoded(raw, name, at, layout))
    if not cells:
        return None
    _check_columns(cells, name, at, layout)
    if len(cells) != shape.columns:
        raise layout.error(
            name,
            f"{len(cells)} columns, where the lines before have {shape.columns}; "
            "separate them with single tabs",
            line=at,
        )
    cells = [cells[place] for place in shape.order]
    for column, cell in zip(layout.ids, cells, strict=False):
        if not cell:
            raise layout.error(name, f"the {column} is empty; give an id", line=at)
    if len(cells) == len(layout.ids):
        return tuple(cells), 1.0
    return tuple(cells[:-1]), _checked_number(cells[-1], name, at, layout)


def _checked_number(cell: str, name: str, at: int, layout: Layout) -> float:
    number = _number(cell.strip())
    if number is None or not 0.0 <= number < np.inf:
        raise layout.error(
            name,
            f"the {layout.number} is {cell.strip() or 'empty'}; "
            "give a finite number that is not below zero",
            line=at,
        )
    return number


def _number(text: str) -> float | None:
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _check_columns(cells: list[str], name: str, at: int, layout: Layout) -> None:
    most = len(layout.ids) + 1
    if len(cells) == most or (len(cells) == most - 1 and layout.number_optional):
        return
    number = f"[{layout.number}]" if layout.number_optional else layout.number
    raise layout.error(
        name,
        f"{len(cells)} column{'s' * (len(cells) != 1)}; a line is "
        f"{' '.join((*layout.ids, number))}, separated by tabs",
        line=at,
    )


def _cells(line: str) -> list[str]:
    if "\t" in line:
        return line.split("\t")
    return line.split()


def _decoded(raw: bytes, name: str, at: int, layout: Layout) -> str:
    try:
        text = raw.removeprefix(_BYTE_ORDER_MARK if at == 1 else b"").decode()
    except UnicodeDecodeError as error:
        raise layout.error(name, f"not UTF-8 ({error.reason}); encode it so", line=at) from error
    return text.rstrip("\r\n")


def as_text(ids: Any) -> pa.Array:
    """Ids of any type as strings."""
    return pc.cast(ids, pa.string())
