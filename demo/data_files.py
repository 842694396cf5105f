"""Tables in text files, plain or gzipped, read line by line; every error names file and line."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from core.events import to_microseconds
from demo.errors import DataFileError

REMEDY = "get the file again, or name another folder: `disco demo import PATH`"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table, its values by column name."""

    path: Path
    line: int  # from 1; the header is line 1
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    def integer(self, column: str) -> int:
        """The value as a number from 0 up."""
        value = self.values[column]
        if not (value.isascii() and value.isdigit()):
            raise self.error(f"{column} is {value[:60]!r}, not a whole number")
        return int(value)

    def day(self, column: str) -> int:
        """The value, YYYY-MM-DD, as the start of that day: µs since 1970, UTC."""
        value = self.values[column]
        try:
            return to_microseconds(_start_of(date.fromisoformat(value)))
        except ValueError:
            raise self.error(f"{column} is {value[:60]!r}, not a date YYYY-MM-DD") from None

    def error(self, problem: str) -> DataFileError:
        """An error that says where it was."""
        return DataFileError(self.path, f"{problem}; {REMEDY}", line=self.line)


def _start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def find(folder: Path, name: str) -> Path:
    """The file of that name, gzipped or not; raises `DataFileError`."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise DataFileError(folder / name, f"there is no such file, nor a .gz of it; {REMEDY}")


def read(path: Path, columns: tuple[str, ...], *, encoding: str = "utf-8") -> Iterator[Row]:
    """The rows of a tab-separated table whose header must begin with `columns`."""
    lines = _lines(path, encoding)
    header = next(lines, "").split("\t")
    if tuple(header[: len(columns)]) != columns:
        raise DataFileError(
            path,
            f"the header is {' '.join(header)[:100]!r}, not {' '.join(columns)!r}; {REMEDY}",
            line=1,
        )
    for number, line in enumerate(lines, 2):
        values = line.split("\t")
        if len(values) != len(header):
            raise DataFileError(
                path, f"{len(values)} values instead of {len(header)}; {REMEDY}", line=number
            )
        yield Row(path=path, line=number, values=dict(zip(header, values, strict=True)))


def _lines(path: Path, encoding: str) -> Iterator[str]:
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            for raw in stream:
                number += 1
                yield raw.decode(encoding).rstrip("\r\n")
    except (OSError, EOFError, zlib.error) as error:
        raise DataFileError(path, f"cannot be read ({error}); {REMEDY}", line=number + 1) from error
    except UnicodeDecodeError as error:
        raise DataFileError(path, f"not {encoding} text; {REMEDY}", line=number) from error
