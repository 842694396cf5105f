"""The scan: the source that synthesises a creation event for every row.

It feeds a new generation with the rows' own times as versions, so that every live event wins over
it. Documents pass from the database to the engine as they are: JSON text by COPY, cut into bulk
bodies, several under way at a time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg

from core.database import STATEMENT_ERRORS, UNAVAILABLE_ERRORS, Pool
from core.definitions import Recipe
from indexer.builds import Range, Tally
from indexer.bulk_lines import DELIMITER, QUOTE, Body, Cutter, bulk_lines, ranked_bulk_lines
from indexer.bulk_loader import Loader
from indexer.errors import ScanRejectedError, TemporarilyUnavailableError
from indexer.generation import Generation
from indexer.splice import RankView

# A range takes seconds. One that takes longer waits for an engine that has no room.
_LONGEST_COPY = 300.0
# The database sends 8 kB at a time, and to be woken for each costs more than all else that is done
# here. So after a small piece the next ones are given some time to come together.
_SMALL_READ = 64_000  # bytes
_PAUSE = 0.004  # seconds


async def scan_range(
    pool: Pool, generation: Generation, ids: Range, loader: Loader, ranks: RankView
) -> Tally:
    """Write every document of a range of ids; `pool` must see what was before every lease began.

    Raises `ScanRejectedError` for what another definition alone can mend, and
    `TemporarilyUnavailableError`: do the range again, from the database on.
    """
    reader = _Reader(generation, loader, ranks)
    try:
        async with asyncio.TaskGroup() as sends:
            await reader.read(pool, ids, sends)
    except ExceptionGroup as group:
        raise group.exceptions[0] from group
    return Tally(outcomes=reader.outcomes)


Receive = Callable[[bytes], Coroutine[Any, Any, None]]


class _Reader:
    """Reads one range, and has its bodies sent while it reads on."""

    def __init__(self, generation: Generation, loader: Loader, ranks: RankView) -> None:
        self.outcomes: Counter[str] = Counter()
        self._index = generation.index
        self._recipe: Recipe = generation.recipe
        self._loader = loader
        self._ranks = ranks

    async def read(self, pool: Pool, ids: Range, sends: asyncio.TaskGroup) -> None:
        cutter = Cutter()

        async def receive(data: bytes) -> None:
            for body in cutter.add(data, self._loader.body_bytes):
                await self._send(body, sends)
            if len(data) < _SMALL_READ:
                await asyncio.sleep(_PAUSE)

        await self._copy(pool, ids, receive)
        for body in cutter.rest():
            await self._send(body, sends)

    async def _copy(self, pool: Pool, ids: Range, receive: Receive) -> None:
        window = self._ranks.window(self._recipe, ids.start, ids.end)
        ranked = bool(window[0])
        try:
            async with pool.acquire() as connection:
                await connection.copy_from_query(
                    ranked_bulk_lines(self._recipe) if ranked else bulk_lines(self._recipe),
                    *(ids.start, ids.end, *(window if ranked else ())),
                    output=receive,
                    timeout=_LONGEST_COPY,
                    format="csv",
                    delimiter=DELIMITER,
                    quote=QUOTE,
                )
        except (*UNAVAILABLE_ERRORS, asyncpg.QueryCanceledError) as error:
            raise TemporarilyUnavailableError("PostgreSQL", repr(error)) from error
        except asyncpg.PostgresError as error:
            hint = "" if isinstance(error, STATEMENT_ERRORS) else " for one of its rows"
            raise ScanRejectedError(
                f"hydration of {self._recipe.entity} ids {ids.start} to {ids.end} fails{hint}: "
                f"{error}; mend the definition (`disco index check {self._recipe.entity}`)"
            ) from error

    async def _send(self, body: Body, sends: asyncio.TaskGroup) -> None:
        await self._loader.admit()
        # A task that is cancelled before it has begun must give its turn back, too.
        sends.create_task(self._load(body)).add_done_callback(lambda _: self._loader.release())

    async def _load(self, body: Body) -> None:
        self.outcomes += await self._loader.load(self._index, body)
