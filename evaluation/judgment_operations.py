"""The door to judgments, and to what variants reached by them: for `cli/` and the HTTP API."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from core.database import open_pool
from core.operation_log import Actor, OperationLog
from core.settings import Settings
from evaluation import judgment_files
from evaluation.agreement import Agreement, agreement
from evaluation.judgment_files import csv_lines, qrels_lines, query_lines
from evaluation.judgment_store import JudgmentStore, SetSummary, UnknownSetError
from evaluation.judgments import (
    Entity,
    Judged,
    Judgment,
    JudgmentError,
    Query,
    Scale,
    check_name,
)
from evaluation.result_store import KeptValue, ResultStore

__all__ = [
    "Agreement",
    "Entity",
    "Imported",
    "Judged",
    "Judgment",
    "JudgmentError",
    "JudgmentStore",
    "Judgments",
    "KeptValue",
    "Query",
    "ResultStore",
    "Scale",
    "SetSummary",
    "UnknownSetError",
    "agreement",
    "csv_lines",
    "open_judgments",
    "open_results",
    "qrels_lines",
    "query_lines",
    "read_set_file",
    "summary",
]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import brings, or would bring."""

    set: str
    is_new: bool  # whether the set was made for it
    scale: Scale
    queries: int  # in the files
    judgments: int  # in the files
    replaces: int  # judgments that the same rater had given before, of the same


class Judgments:
    """Reads and changes sets; what an operator changes is an operation of its actor's."""

    def __init__(self, store: JudgmentStore, log: OperationLog) -> None:
        self._store = store
        self._log = log

    async def sets(self) -> list[SetSummary]:
        """All sets, by name."""
        return await self._store.sets()

    async def read(self, name: str) -> Judged:
        """A set; raises `UnknownSetError`."""
        return await self._store.read(name)

    async def import_files(
        self,
        name: str,
        judgments: str | None,
        queries: str | None,
        *,
        rater: str,
        scale: Scale | None,
        dry_run: bool = False,
    ) -> Imported:
        """Put what files hold into a set, which is made if there is none; `-` is standard input.

        `rater` is whose judgments they are where the file does not say. Raises `FileError`, with
        the line, and `JudgmentError`.
        """
        check_name(name)
        texts = judgment_files.read_queries(queries) if queries else {}
        known = await self._store.scale_of(name)
        before = await self._store.read(name) if known else None
        if before and scale and scale is not before.scale:
            raise JudgmentError(f"the set {name} has the scale {before.scale}, which stays")
        there = {one.id: one for one in before.queries} if before else {}
        content = (
            judgment_files.read_judgments(judgments, rater=rater, texts={**there, **texts})
            if judgments
            else judgment_files.Content(queries={}, judgments={})
        )
        given = {(one.query, one.entity, one.rater) for one in before.judgments} if before else ()
        wanted = {**texts, **content.queries}
        imported = Imported(
            set=name,
            is_new=before is None,
            scale=known or scale or Scale.GRADES,
            queries=len(wanted),
            judgments=len(content.judgments),
            replaces=sum(key in given for key in content.judgments),
        )
        if not dry_run:
            async with self._log.record("judgments.import", name) as entry:
                await entry.plan(before=_extent(before), after=asdict(imported))
                await self._store.add(
                    name, imported.scale, wanted.values(), content.judgments.values()
                )
        return imported

    async def propose(
        self, name: str, queries: Sequence[Query], *, dry_run: bool = False
    ) -> Sequence[Query]:
        """Put queries into a set, which is made if there is none; those that are new to it."""
        check_name(name)
        known = await self._store.scale_of(name)
        before = await self._store.read(name) if known else None
        new = [one for one in queries if before is None or one.id not in before.texts]
        if new and not dry_run:
            async with self._log.record("judgments.propose", name) as entry:
                await entry.plan(before=_extent(before), after={"queries": len(new)})
                await self._store.add(name, known or Scale.GRADES, new, [])
        return new

    async def drop(self, name: str, *, dry_run: bool = False) -> Judged:
        """Delete a set with all that is in it, which is returned; raises `UnknownSetError`."""
        before = await self._store.read(name)
        if not dry_run:
            async with self._log.record("judgments.drop", name) as entry:
                await entry.plan(before=_extent(before), after=None)
                await self._store.drop(name)
        return before


@asynccontextmanager
async def open_judgments(settings: Settings, actor: Actor) -> AsyncIterator[Judgments]:
    """The judgments of an installation; raises `ServiceUnavailableError`."""
    async with open_pool(settings.database_url, application="disco judgments", size=2) as primary:
        yield Judgments(JudgmentStore(primary), OperationLog(primary, actor))


@asynccontextmanager
async def open_results(settings: Settings) -> AsyncIterator[ResultStore]:
    """What variants reached; raises `ServiceUnavailableError`."""
    async with open_pool(settings.database_url, application="disco results", size=1) as primary:
        yield ResultStore(primary)


def read_set_file(path: str) -> Judged:
    """A set from a CSV file, which has the texts of its queries; raises `QrelsError`."""
    content = judgment_files.read_judgments(path, rater="file", texts={})
    judgments = sorted(
        content.judgments.values(), key=lambda one: (one.query, one.entity, one.rater)
    )
    queries = list(content.queries.values())
    return Judged(name=path, scale=Scale.GRADES, queries=queries, judgments=judgments)


def summary(judged: Judged) -> Mapping[str, Any]:
    """A set as JSON has it: its queries with their judgments, who judged how much, agreement."""
    by_query: dict[str, int] = {}
    by_rater: dict[str, int] = {}
    for one in judged.judgments:
        by_query[one.query] = by_query.get(one.query, 0) + 1
        by_rater[one.rater] = by_rater.get(one.rater, 0) + 1
    return {
        "set": judged.name,
        "scale": judged.scale,
        "queries": [
            {"id": one.id, "text": one.text, "judgments": by_query.get(one.id, 0)}
            for one in judged.queries
        ],
        "raters": by_rater,
        "agreement": asdict(agreement(judged.judgments)),
    }


def _extent(judged: Judged | None) -> Mapping[str, Any] | None:
    if judged is None:
        return None
    return {
        "scale": judged.scale,
        "queries": len(judged.queries),
        "judgments": len(judged.judgments),
    }
