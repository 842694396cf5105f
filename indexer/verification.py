"""Verification: every row against every indexed document, in one streaming pass.

Database and engine are read window by window in the order of ids: on one side the digest of what
hydration gives now, on the other the digest that the document carries. Memory does not depend on
how many there are. A difference seen once may be a change on its way; it counts when it is still
there after a second look.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import asyncpg
import numpy as np
import numpy.typing as npt
from elasticsearch import AsyncElasticsearch

from core.database import STATEMENT_ERRORS, UNAVAILABLE_ERRORS, Pool
from core.definitions import Recipe
from core.telemetry import logger
from indexer.changes import Key, Row, Stored
from indexer.errors import (
    TemporarilyUnavailableError,
    UnreadableEntityError,
    engine_within_reach,
)
from indexer.hydrator import digests_by_range
from indexer.pipeline import Hydrator, Store
from indexer.splice import RankView
from indexer.windows import SMALLEST_ID, Window, windows

log = logger("verification")

WINDOW_ROWS = 10_000
_PAGE = 10_000  # the engine's largest page
_AHEAD = 3  # windows that are read at the same time
_FIRST_PAUSE = 0.25  # seconds until a third look; twice as long until the fourth
_SECOND_LOOK_SIZE = 1_000

Digests = npt.NDArray[np.int64]  # shape (n, 2): id, digest; ascending by id
# One tuple of COPY BINARY with two bigint columns: count, then length and value of each.
_TUPLE = np.dtype([("n", ">i2"), ("l1", ">i4"), ("id", ">i8"), ("l2", ">i4"), ("digest", ">i8")])
_HEADER_BYTES = 19
_TRAILER_BYTES = 2


class Kind(StrEnum):
    """How an entity differs."""

    MISSING = "missing"  # the row should be found, but has no document
    GHOST = "ghost"  # the document has no row that should be found
    STALE = "stale"  # the document is not what hydration gives now
    UNREADABLE = "unreadable"  # hydration of the row fails


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One entity on which engine and database differ."""

    entity: str
    id: int
    kind: Kind

    @property
    def key(self) -> Key:
        """Entity type and id."""
        return self.entity, self.id

    @property
    def is_repairable(self) -> bool:
        """Whether indexing the entity again may help."""
        return self.kind is not Kind.UNREADABLE


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What comparing one window gave."""

    window: Window
    rows: int  # documents that hydration gives
    documents: int  # documents that the engine has
    differences: tuple[Difference, ...]  # seen once


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Compares one entity type with one index."""

    recipe: Recipe
    index: str  # generation or alias
    pool: Pool
    engine: AsyncElasticsearch
    ranks: RankView  # what documents have besides what the database holds

    async def run(self, *, start: int = SMALLEST_ID) -> AsyncIterator[Compared]:
        """Windows in order, a few of them read ahead."""
        ahead: deque[asyncio.Task[Compared]] = deque()
        try:
            async for window in windows(self.pool, self.recipe, rows=WINDOW_ROWS, start=start):
                ahead.append(asyncio.create_task(self.compare(window)))
                if len(ahead) == _AHEAD:
                    yield await ahead.popleft()
            while ahead:
                yield await ahead.popleft()
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def compare(self, window: Window) -> Compared:
        """Compare the ids of one window, once."""
        unreadable: list[int] = []
        rows, documents = await asyncio.gather(
            self._rows(window, unreadable), self._documents(window)
        )
        entity = self.recipe.entity
        failed = [Difference(entity=entity, id=one, kind=Kind.UNREADABLE) for one in unreadable]
        return Compared(
            window=window,
            rows=len(rows),
            documents=len(documents),
            differences=(*failed, *_differences(entity, rows, documents)),
        )

    async def _rows(self, window: Window, unreadable: list[int]) -> Digests:
        """Ids and digests of a window; halve it to find rows that cannot be read."""
        try:
            return await self._copy(window)
        except STATEMENT_ERRORS as error:
            raise UnreadableEntityError(
                f"hydration of {self.recipe.entity} fails: {error}; mend the definition that "
                f"{self.index} was built from (`disco index check`) and build it anew"
            ) from error
        except asyncpg.PostgresError as error:
            if window.end - window.start == 1:
                log.warning("row_unreadable", entity=self.recipe.entity, error=str(error))
                unreadable.append(window.start)
                return np.empty((0, 2), dtype=np.int64)
            middle = (window.start + window.end) // 2
            lower = await self._rows(Window(window.start, middle), unreadable)
            upper = await self._rows(Window(middle, window.end), unreadable)
            return np.concatenate((lower, upper))

    async def _copy(self, window: Window) -> Digests:
        received = bytearray()

        async def receive(data: bytes) -> None:
            received.extend(data)

        try:
            async with self.pool.acquire() as connection:
                await connection.copy_from_query(
                    digests_by_range(self.recipe), *window, output=receive, format="binary"
                )
        except UNAVAILABLE_ERRORS as error:
            raise TemporarilyUnavailableError("PostgreSQL", repr(error)) from error
        return self.ranks.marked(self.recipe, _parse_copy(received))

    async def _documents(self, window: Window) -> Digests:
        pages: list[list[list[int]]] = []
        after: list[int] | None = None
        while after is None or len(pages[-1]) == _PAGE:
            page = await self._page(window, after)
            pages.append(page)
            after = page[-1] if page else [window.end]
        flat = [pair for page in pages for pair in page]
        return np.array(flat, dtype=np.int64).reshape(-1, 2)

    async def _page(self, window: Window, after: list[int] | None) -> list[list[int]]:
        # Sort values come back without touching any stored field: all that is asked is in them.
        body: dict[str, Any] = {
            "index": self.index,
            "size": _PAGE,
            "query": {"range": {"id": {"gte": window.start, "lt": window.end}}},
            "sort": [{"id": "asc"}, {"digest": {"order": "asc", "missing": 0}}],
            "source": False,
            "stored_fields": "_none_",
            "track_total_hits": False,
            # A page without what one shard has would look like missing documents.
            "allow_partial_search_results": False,
            "filter_path": ["hits.hits.sort"],
        }
        if after is not None:
            body["search_after"] = after
        with engine_within_reach():
            answer = await self.engine.search(**body)
        return [hit["sort"] for hit in answer.get("hits", {}).get("hits", [])]


async def confirm(
    differences: Iterable[Difference], hydrator: Hydrator, store: Store, *, patience: float
) -> list[Difference]:
    """Look again at differences until they are gone, for at most `patience` seconds.

    The second look reads what the engine holds, searchable or not, and then the database behind
    the fence. Returned is what is still there, as it is then.
    """
    # Each once: a row that cannot be read looks like a ghost, too, if it has a document.
    suspects = [*dict.fromkeys(difference.key for difference in differences)]
    deadline = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while True:
        found = [one for chunk in _chunks(suspects) for one in await _look(chunk, hydrator, store)]
        if not found or time.monotonic() >= deadline:
            return found
        suspects = [difference.key for difference in found]
        await asyncio.sleep(pause)
        pause *= 2


async def _look(keys: list[Key], hydrator: Hydrator, store: Store) -> list[Difference]:
    stored = await store.read(keys)
    hydration = await hydrator.hydrate(keys)
    kinds = (
        (
            key,
            Kind.UNREADABLE
            if key in hydration.failures
            else _kind(hydration.rows.get(key), stored[key]),
        )
        for key in keys
    )
    return [Difference(entity=key[0], id=key[1], kind=kind) for key, kind in kinds if kind]


def _kind(row: Row | None, stored: Iterable[Stored]) -> Kind | None:
    digests = {one.digest for one in stored}
    wanted = None if row is None else row.digest
    if digests <= {wanted}:
        return None
    if row is None:
        return Kind.GHOST
    return Kind.MISSING if None in digests else Kind.STALE


def _chunks(keys: list[Key]) -> Iterable[list[Key]]:
    return (keys[at : at + _SECOND_LOOK_SIZE] for at in range(0, len(keys), _SECOND_LOOK_SIZE))


def _parse_copy(received: bytearray) -> Digests:
    """The tuples of a COPY BINARY stream with two bigint columns that are never NULL."""
    body = memoryview(received)[_HEADER_BYTES : len(received) - _TRAILER_BYTES]
    tuples = np.frombuffer(body, dtype=_TUPLE)
    return np.stack((tuples["id"], tuples["digest"]), axis=1).astype(np.int64)


def _differences(entity: str, rows: Digests, documents: Digests) -> Iterable[Difference]:
    """Compare two ascending lists. Equal ones, the usual case, cost one comparison."""
    if np.array_equal(rows, documents):
        return
    shared, in_rows, in_documents = np.intersect1d(rows[:, 0], documents[:, 0], return_indices=True)
    stale = shared[rows[in_rows, 1] != documents[in_documents, 1]]
    for kind, ids in (
        (Kind.MISSING, np.setdiff1d(rows[:, 0], shared)),
        (Kind.GHOST, np.setdiff1d(documents[:, 0], shared)),
        (Kind.STALE, stale),
    ):
        yield from (Difference(entity=entity, id=int(one), kind=kind) for one in ids)
