"""Where judgments are kept: in the service's own schema, `disco`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from core import own_schema
from core.database import Pool, within_reach
from evaluation.judgments import Entity, Judged, Judgment, JudgmentError, Query, Scale

_AWAY: Final = "judgments cannot be read or written"
_SETS: Final = """
SELECT s.name, s.scale, s.created_at,
    (SELECT count(*) FROM disco.judged_queries q WHERE q.set_name = s.name) AS queries,
    count(j.grade) AS judgments, count(DISTINCT j.rater) AS raters, max(j.judged_at) AS newest
FROM disco.judgment_sets s LEFT JOIN disco.judgments j ON j.set_name = s.name
GROUP BY s.name ORDER BY s.name
"""
_JUDGMENTS: Final = """
SELECT * FROM disco.judgments
WHERE set_name = $1 AND ($2::text IS NULL OR query_id = $2) AND ($3::text IS NULL OR rater = $3)
ORDER BY query_id, entity_type, entity_id, rater
"""
_ADD_QUERIES: Final = """
INSERT INTO disco.judged_queries (set_name, id, text)
SELECT $1, id, text FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS new (id, text, place)
ORDER BY place
ON CONFLICT (set_name, id) DO UPDATE SET text = excluded.text
"""
_PUT: Final = """
INSERT INTO disco.judgments AS old
    (set_name, query_id, entity_type, entity_id, rater, grade, judged_at)
SELECT $1, query, type, id, rater, grade, coalesce(at, clock_timestamp())
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::timestamptz[])
    AS new (query, type, id, rater, grade, at)
ON CONFLICT (set_name, query_id, entity_type, entity_id, rater)
    DO UPDATE SET grade = excluded.grade, judged_at = excluded.judged_at
"""


class UnknownSetError(JudgmentError):
    """There is no set of that name. `disco eval judgments list` has the names."""


@dataclass(frozen=True, kw_only=True)
class SetSummary:
    """What a list shows of a set."""

    name: str
    scale: Scale
    created_at: datetime
    queries: int
    judgments: int
    raters: int
    newest: datetime | None  # when something was judged last


class JudgmentStore:
    """The judgments there are. Raises `ServiceUnavailableError` without a database."""

    def __init__(self, primary: Pool) -> None:
        self._pool = primary

    async def sets(self) -> list[SetSummary]:
        """All sets, by name."""
        rows = await self._fetch(_SETS)
        return [SetSummary(**{**row, "scale": Scale(row["scale"])}) for row in rows]

    async def progress(self, rater: str) -> dict[str, int]:
        """How many queries of each set the rater has judged something of."""
        rows = await self._fetch(
            "SELECT set_name, count(DISTINCT query_id) AS queries FROM disco.judgments"
            " WHERE rater = $1 GROUP BY set_name",
            rater,
        )
        return {row["set_name"]: row["queries"] for row in rows}

    async def scale_of(self, name: str) -> Scale | None:
        """What raters of a set are asked for; None: there is no such set."""
        rows = await self._fetch("SELECT scale FROM disco.judgment_sets WHERE name = $1", name)
        return Scale(rows[0]["scale"]) if rows else None

    async def read(
        self, name: str, *, query: str | None = None, rater: str | None = None
    ) -> Judged:
        """A set, with the judgments of one query or rater alone; raises `UnknownSetError`."""
        scale = await self.scale_of(name)
        if scale is None:
            raise UnknownSetError(
                f"there is no set of judgments {name[:80]!r}; `disco eval judgments list` has the "
                "names"
            )
        queries = await self._fetch(
            "SELECT id, text FROM disco.judged_queries WHERE set_name = $1 ORDER BY place", name
        )
        rows = await self._fetch(_JUDGMENTS, name, query, rater)
        return Judged(
            name=name,
            scale=scale,
            queries=[Query(id=row["id"], text=row["text"]) for row in queries],
            judgments=[_read(row) for row in rows],
        )

    async def add(
        self,
        name: str,
        scale: Scale,
        queries: Iterable[Query],
        judgments: Iterable[Judgment],
        withdrawn: Iterable[tuple[str, Entity, str]] = (),
    ) -> None:
        """Put in queries and judgments, all or nothing; the set is made if there is none.

        What the same rater said before of the same is replaced; `withdrawn` (query, entity,
        rater) goes. Raises `JudgmentError` for a judgment of a query that the set does not have.
        """
        await own_schema.migrate(self._pool)
        try:
            with within_reach(_AWAY):
                async with self._pool.acquire() as connection, connection.transaction():
                    await connection.execute(
                        "INSERT INTO disco.judgment_sets (name, scale) VALUES ($1, $2)"
                        " ON CONFLICT (name) DO NOTHING",
                        *(name, str(scale)),
                    )
                    await connection.execute(_ADD_QUERIES, name, *_query_columns(queries))
                    await connection.execute(_PUT, name, *_judgment_columns(judgments))
                    await connection.executemany(
                        "DELETE FROM disco.judgments WHERE set_name = $1 AND query_id = $2 AND"
                        " entity_type = $3 AND entity_id = $4 AND rater = $5",
                        [(name, query, *entity, rater) for query, entity, rater in withdrawn],
                    )
        except asyncpg.ForeignKeyViolationError as error:
            raise JudgmentError(f"the set {name} lacks a query: {error.detail}") from error

    async def drop(self, name: str) -> None:
        """Delete a set with all that is in it."""
        await self._fetch("DELETE FROM disco.judgment_sets WHERE name = $1", name)

    async def _fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        await own_schema.migrate(self._pool)
        with within_reach(_AWAY):
            rows: list[asyncpg.Record] = await self._pool.fetch(statement, *arguments)
        return rows


def _query_columns(queries: Iterable[Query]) -> list[list[Any]]:
    listed = list(queries)
    return [[one.id for one in listed], [one.text for one in listed]]


def _judgment_columns(judgments: Iterable[Judgment]) -> list[list[Any]]:
    listed = list(judgments)
    return [
        [one.query for one in listed],
        [one.entity.type for one in listed],
        [one.entity.id for one in listed],
        [one.rater for one in listed],
        [one.grade for one in listed],
        [one.judged_at for one in listed],
    ]


def _read(row: asyncpg.Record) -> Judgment:
    return Judgment(
        query=row["query_id"],
        entity=Entity(row["entity_type"], row["entity_id"]),
        rater=row["rater"],
        grade=row["grade"],
        judged_at=row["judged_at"],
    )
