"""The file of rankings that were agreed on, as a reviewer reads it."""

import difflib
from collections.abc import Mapping, Sequence

from query_api.operations import Found, Rankings
from tests.relevance.conftest import FOLDER, Asked

GOLDEN = FOLDER / "rankings.txt"
FIRST = 5  # hits that the file shows of a query
UNJUDGED = "?"


def written(asked: Asked, rankings: Rankings) -> str:
    """The file: each query with its first hits, their grades and titles."""
    grades = asked.judged.qrels().grades
    return "\n".join(
        f"{query.id}: {query.text}\n"
        + "".join(_hits(rankings[query.id][:FIRST], grades[query.id]) or ["   nothing\n"])
        for query in asked.judged.queries
    )


def difference(agreed: str, found: str) -> str:
    """What differs, query by query, and what to do about it; empty if nothing does."""
    lines = difflib.unified_diff(
        agreed.splitlines(), found.splitlines(), "as agreed", "as found", lineterm="", n=FIRST
    )
    if not (told := "\n".join(lines)):
        return ""
    path = GOLDEN.relative_to(FOLDER.parents[1])
    return (
        f"{told}\n\nRankings differ from {path} (columns: place, grade, entity, title). If they "
        "are better, or as good: `pytest tests/relevance --update` writes them anew; commit the "
        "file, so that a reviewer reads the change."
    )


def _hits(hits: Sequence[Found], grades: Mapping[str, int]) -> list[str]:
    entities = [f"{hit.type}:{hit.id}" for hit in hits]
    return [
        f"  {place:>2}  {grades.get(entity, UNJUDGED)}  {entity:<10}  {hit.title}\n"
        for place, (entity, hit) in enumerate(zip(entities, hits, strict=True), 1)
    ]
