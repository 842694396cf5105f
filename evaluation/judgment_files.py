"""Files of judgments by raters: CSV, which says everything, and what TREC has.

CSV has the columns `query`, `doc` and `grade`, and may have `text`, `rater` and `judged_at`. What
it does not say of the rater or of the query's text is given with the import. TREC's form,
`query 0 type:id grade`, says less: texts come from a file of topics, `id<TAB>text` a line.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evaluation import lines, qrels
from evaluation.errors import FileError, QrelsError
from evaluation.judgments import Entity, Judged, Judgment, JudgmentError, Query
from evaluation.lines import Refusal

COLUMNS: Final = ("query", "text", "doc", "grade", "rater", "judged_at")


class QueriesError(FileError):
    """A file of queries is missing or malformed."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What files hold for a set."""

    queries: Mapping[str, Query]  # by id
    judgments: Mapping[tuple[str, Entity, str], Judgment]  # by query, entity and rater


def read_queries(path: str) -> dict[str, Query]:
    """Queries by id, from lines `id<TAB>text`; a line without a tab is a text alone.

    Raises `QueriesError`.
    """
    refusal = Refusal(path, QueriesError)
    found: dict[str, Query] = {}
    with lines.opened(path, QueriesError) as file:
        for at, line in lines.numbered(file):
            query_id, tab, text = refusal.text(at, line.rstrip(b"\r\n")).partition("\t")
            try:
                query = Query.of(text, query_id.strip()) if tab else Query.of(query_id)
            except JudgmentError as error:
                refusal.at(at, str(error))
            if query.id in found:
                refusal.at(at, f"the query {query.id!r} stands in an earlier line, too; remove one")
            found[query.id] = query
    if not found:
        refusal.whole("holds no queries; a line is `id<TAB>text`, or a text alone")
    return found


def read_judgments(path: str, *, rater: str, texts: Mapping[str, Query]) -> Content:
    """Judgments of a file, by whoever it names, else by `rater`.

    A query whose text neither the file nor `texts` has is taken for its own text. Raises
    `QrelsError` with the line.
    """
    refusal = Refusal(path, QrelsError)
    queries: dict[str, Query] = {}
    found: dict[tuple[str, Entity, str], Judgment] = {}
    for row in qrels.rows(path):
        try:
            said = row.others.get("text", "").strip()
            known = texts.get(row.query) or queries.get(row.query)
            query = Query.of(said, row.query) if said else known or Query.of(row.query, row.query)
            judgment = Judgment(
                query=query.id,
                entity=Entity.parse(row.doc),
                rater=row.others.get("rater", "").strip() or rater,
                grade=row.grade,
                judged_at=_moment(row.others.get("judged_at", "")),
            )
        except JudgmentError as error:
            refusal.at(row.line, str(error))
        key = (query.id, judgment.entity, judgment.rater)
        if key in found:
            refusal.duplicate(row.line, query.id, row.doc)
        queries[query.id], found[key] = query, judgment
    if not found:
        refusal.whole("holds no judgments; a line is `query 0 type:id grade`, or CSV")
    return Content(queries=queries, judgments=found)


def csv_lines(judged: Judged) -> Iterator[str]:
    """The set as CSV; what `read_judgments` reads again."""
    yield _row(COLUMNS)
    texts = judged.texts
    for one in judged.judgments:
        when = one.judged_at.isoformat() if one.judged_at else ""
        entity = one.entity.build()
        yield _row((one.query, texts[one.query], entity, str(one.grade), one.rater, when))


def qrels_lines(judged: Judged) -> Iterator[str]:
    """The set as TREC writes it: one grade for each entity."""
    for query, grades in judged.qrels().grades.items():
        for entity, grade in grades.items():
            yield f"{query} 0 {entity} {grade}\n"


def query_lines(judged: Judged) -> Iterator[str]:
    """The queries of the set, `id<TAB>text`."""
    return (f"{one.id}\t{one.text}\n" for one in judged.queries)


def _row(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _moment(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise JudgmentError(f"judged_at is {text[:40]!r}; write it as RFC 3339 does") from None
    if moment.tzinfo is None:
        raise JudgmentError(f"judged_at is {text[:40]!r}; say in which zone, such as +00:00")
    return moment
