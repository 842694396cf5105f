"""Judged queries: what people have said of hits, from `<entity>.judgments.jsonl`.

The file lies beside the definition, and is optional. A line is one query, such as
`{"query": "drum and bass", "grades": {"42": 2, "17": 0}}`: grades by id, 0 for what is of no use.
"""

from collections.abc import Sequence
from pathlib import Path

import orjson

from indexer.errors import IndexerError
from indexer.probing import JudgedQuery

SUFFIX = ".judgments.jsonl"


class JudgmentsError(IndexerError):
    """A file of judged queries cannot be used: mend the line that the message names."""

    exit_code = 2


def read(folder: Path, entity: str) -> Sequence[JudgedQuery]:
    """The judged queries of an entity type; none without a file. Raises `JudgmentsError`."""
    file = folder / f"{entity}{SUFFIX}"
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    numbered = enumerate(lines, start=1)
    return [_query(file, number, line) for number, line in numbered if line.strip()]


def _query(file: Path, number: int, line: bytes) -> JudgedQuery:
    try:
        content = orjson.loads(line)
        query, grades = str(content["query"]), content["grades"]
        judged = {str(one): int(grades[one]) for one in grades}
    except (ValueError, KeyError, TypeError) as error:
        raise _wrong(file, number, repr(error)) from error
    if not query or not judged:
        raise _wrong(file, number, "it has no query, or no grade")
    return JudgedQuery(text=query, grades=judged)


def _wrong(file: Path, number: int, what: str) -> JudgmentsError:
    form = '{"query": "what is typed", "grades": {"42": 2, "17": 0}}'
    return JudgmentsError(f"{file}, line {number}: {what}; write {form}")
