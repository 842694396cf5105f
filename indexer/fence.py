"""The fence: what was committed before an event arrived is seen by the hydration that follows.

An event is published after its commit. So the primary's write-ahead log position, taken after the
event arrived, is beyond that commit; once the replica has replayed up to it, a hydration from the
replica is at least as new as the event. This holds for rows, for missing rows and for joined rows,
where comparing timestamps would help only the first.
"""

import asyncio
import time
from typing import NamedTuple

import asyncpg

from core.database import UNAVAILABLE_ERRORS, Databases, Pool, fetch_within
from core.telemetry import logger
from indexer.errors import TemporarilyUnavailableError
from indexer.metrics import FENCE_SECONDS, FENCE_TIMEOUTS

_POSITION = """
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now,
       pg_current_wal_flush_lsn()::text AS position
"""
_REPLAYED = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn"
_FIRST_PAUSE = 0.003  # about as long as a replica is behind that lags as little as it can
_LONGEST_PAUSE = 0.05
_SHORTEST_READ = 1.0  # seconds that any read from the replica is given
_GLANCE = 0.2  # seconds that a replica which lags or hangs may take to say how far it is

log = logger("fence")


class Position(NamedTuple):
    """A moment of the primary."""

    now: int  # its clock, microseconds
    lsn: str  # its write-ahead log position


class ReplicaFence:
    """Waits until the replica has replayed all that the primary had flushed.

    After `patience` seconds it gives up on the replica and sends hydration to the primary, and
    every further batch too until the replica is level again: late documents are worse than some
    load on the primary. A replica that hangs is no better than one that lags.
    """

    def __init__(self, databases: Databases, *, patience: float) -> None:
        self._databases = databases
        self._patience = patience
        self._lags = False
        self._reached = Position(0, "0/0")  # the newest that the replica was seen to have replayed

    async def wait(self) -> tuple[int, Pool]:
        """The primary's clock in microseconds, and the pool that sees all before it."""
        position = await self._position()
        if not self._databases.has_replica:
            return position.now, self._databases.primary
        with FENCE_SECONDS.time():
            replayed = await self._replayed(position)
        self._note(lags=not replayed)
        if replayed:
            self._reached = max(self._reached, position)
        return position.now, self._databases.replica if replayed else self._databases.primary

    async def beyond(self, moment: int) -> Pool:
        """The pool that sees all before a moment that `wait` gave.

        A replica that had replayed it is asked again, since one that crashed begins further back;
        only if it has not is there anything to wait for.
        """
        if self._reached.now >= moment and await self._replayed(self._reached):
            return self._databases.replica
        _, pool = await self.wait()
        return pool

    async def fetch(self, pool: Pool, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows from the pool that `wait` gave.

        Raises what asyncpg raises, and `TimeoutError` when the replica does not answer within the
        patience: the primary is asked next.
        """
        if pool is self._databases.primary:
            return await pool.fetch(statement, *arguments)
        seconds = max(self._patience, _SHORTEST_READ)
        try:
            return await fetch_within(seconds, pool, statement, *arguments)
        except TimeoutError:
            self._lags = True
            log.warning("replica_unavailable", error=f"no answer within {seconds:g} s")
            raise

    async def _position(self) -> Position:
        try:
            row = await self._databases.primary.fetchrow(_POSITION)
        except UNAVAILABLE_ERRORS as error:
            raise TemporarilyUnavailableError("PostgreSQL (primary)", repr(error)) from error
        assert row is not None
        return Position(row["now"], row["position"])

    async def _replayed(self, position: Position) -> bool:
        """Whether the replica has replayed the position, within the patience."""
        deadline = time.monotonic() + (0 if self._lags else self._patience)
        pause = _FIRST_PAUSE
        try:
            while not await self._has_replayed(position, deadline):
                if time.monotonic() >= deadline:
                    return False
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        except (*UNAVAILABLE_ERRORS, asyncpg.PostgresError) as error:
            log.warning("replica_unavailable", error=repr(error))
            return False
        return True

    async def _has_replayed(self, position: Position, deadline: float) -> bool:
        left = max(_GLANCE, deadline - time.monotonic())
        [row] = await fetch_within(left, self._databases.replica, _REPLAYED, position.lsn)
        return bool(row[0])

    def _note(self, *, lags: bool) -> None:
        if lags:
            FENCE_TIMEOUTS.inc()
        if lags != self._lags:
            log.warning("replica_lags" if lags else "replica_level", patience=self._patience)
        self._lags = lags
