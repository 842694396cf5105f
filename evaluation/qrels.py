"""Judgments: how relevant documents are to queries, from files as TREC writes them, or CSV."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

from evaluation import lines
from evaluation.errors import QrelsError
from evaluation.lines import Refusal, shown

#: Grades are small numbers. The calculation keeps a counter for each grade up to the highest.
HIGHEST_GRADE: Final = 10_000
_COLUMNS: Final = ("query", "doc", "grade")
_NOTHING: Final[Mapping[str, str]] = {}
_FORM: Final = "a line is `query 0 document grade`"


@dataclass(frozen=True, kw_only=True, eq=False)
class Qrels:
    """The judgments of a file."""

    path: str
    grades: Mapping[str, Mapping[str, int]]  # query -> document -> grade, as ordered in the file

    @property
    def judgments(self) -> int:
        """Pairs of query and document."""
        return sum(map(len, self.grades.values()))


class Row(NamedTuple):
    """A line with a judgment."""

    line: int  # its number
    query: str
    doc: str
    grade: int
    others: Mapping[str, str]  # further columns of CSV, by their names


def read(path: str) -> Qrels:
    """The judgments of a file, or of standard input (`-`).

    A line is `query 0 document grade`, separated by blanks or tabs; what stands in place of the 0
    is ignored, as trec_eval does. A file whose first line names the columns query, doc and grade is
    CSV; other columns of it are ignored.

    Raises:
        QrelsError: the file cannot be read, holds nothing, or a line is malformed.
    """
    refusal = Refusal(path, QrelsError)
    grades: dict[str, dict[str, int]] = {}
    with lines.opened(path, QrelsError) as file:
        for at, query, doc, grade, _ in _judgments(lines.numbered(file), refusal):
            docs = grades.setdefault(query, {})
            if doc in docs:
                refusal.duplicate(at, query, doc)
            docs[doc] = grade
    if not grades:
        refusal.whole(f"holds no judgments; {_FORM}")
    return Qrels(path=path, grades=grades)


def rows(path: str) -> Iterator[Row]:
    """The lines of a file in either form, with what else a CSV file says; raises as `read`.

    The same document of a query may come more than once: by several raters.
    """
    with lines.opened(path, QrelsError) as file:
        yield from _judgments(lines.numbered(file), Refusal(path, QrelsError))


def _judgments(numbered: Iterator[tuple[int, bytes]], refusal: Refusal) -> Iterator[Row]:
    first = next(numbered, None)
    if first is None:
        return iter(())
    if set(_COLUMNS) <= set(_header(first[1])):
        return _from_csv(chain([first], numbered), refusal)
    return _from_trec(chain([first], numbered), refusal)


def _header(line: bytes) -> list[str]:
    return [cell.strip().strip('"').lower() for cell in line.decode(errors="replace").split(",")]


def _from_trec(numbered: Iterator[tuple[int, bytes]], refusal: Refusal) -> Iterator[Row]:
    for at, line in numbered:
        cells = line.split()  # at what C calls a space, as trec_eval does
        if len(cells) != 4:
            refusal.at(at, _wrong_columns(line, len(cells)))
        query, _, doc, grade = cells
        texts = refusal.text(at, query), refusal.text(at, doc)
        yield Row(at, *texts, _grade(grade, at, refusal), _NOTHING)


def _wrong_columns(line: bytes, columns: int) -> str:
    found = f"{shown(line)} has {columns} column{'s' * (columns != 1)}; {_FORM}"
    if columns == 6:
        return f"{found}, and six are those of a run: give the judgments first, then the run"
    if b"," in line:
        return f"{found}, and a CSV file begins with the header {','.join(_COLUMNS)}"
    return found


def _from_csv(numbered: Iterator[tuple[int, bytes]], refusal: Refusal) -> Iterator[Row]:
    at = 0

    def texts() -> Iterator[str]:
        nonlocal at
        for at, line in numbered:
            yield refusal.text(at, line)

    reader = csv.reader(texts(), strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader)]
        places = [header.index(column) for column in _COLUMNS]
        further = [place for place in range(len(header)) if place not in places]
        for row in reader:
            if len(row) != len(header):
                refusal.at(at, f"{len(row)} columns, where the header has {len(header)}; mend it")
            query, doc, grade = (row[place].strip() for place in places)
            _check_id(query, "query", at, refusal)
            _check_id(doc, "doc", at, refusal)
            others = {header[place]: row[place] for place in further}
            yield Row(at, query, doc, _grade(grade.encode(), at, refusal), others)
    except csv.Error as error:
        refusal.at(at, f"is no CSV ({error}); mend the quotes")


def _check_id(text: str, column: str, at: int, refusal: Refusal) -> None:
    if len(text.encode().split()) != 1:
        refusal.at(at, f"the {column} is {text!r}; give an id without blanks")


def _grade(raw: bytes, at: int, refusal: Refusal) -> int:
    grade: Any = lines.number(raw, int)
    if grade is None:
        refusal.at(at, f"the grade is {shown(raw)}; give a whole number, such as 0, 1 or 2")
    if not -HIGHEST_GRADE <= grade <= HIGHEST_GRADE:
        refusal.at(at, f"the grade is {grade}; give one from -{HIGHEST_GRADE} to {HIGHEST_GRADE}")
    return int(grade)
