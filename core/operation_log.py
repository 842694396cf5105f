"""The operation log: what operators did. A row for every action, with who, what, before, after.

It stands in the service's own schema (`own_schema.py`), so that every command and every process
writes and reads the same one. An action that cannot be recorded is not begun.
"""

import asyncio
import contextlib
import getpass
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import asyncpg
import orjson

from core import own_schema, telemetry
from core.database import UNAVAILABLE_ERRORS, Pool, within_reach
from core.errors import DiscoError, UsageError

_AWAY: Final = "the operation log cannot be reached"
HEARTBEAT_SECONDS: Final = 5.0
_LOCK_CLASS: Final = 0x_D15C  # first half of the advisory locks of subjects
_LONGEST_ERROR: Final = 2_000  # characters

_log = telemetry.logger("operations")


class Outcome(StrEnum):
    """How an operation stands."""

    RUNNING = "running"  # it is under way
    DONE = "done"  # all of it was done
    REFUSED = "refused"  # nothing was begun: the error says why
    FAILED = "failed"  # it was begun and not finished: the error says why
    ABANDONED = "abandoned"  # its process ended without a word


class OperationInProgressError(DiscoError):
    """Somebody else is changing the same thing at this moment. See what came of it; try again."""


class UnknownOperationError(UsageError):
    """No operation has that number. The history lists those there are."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who does something."""

    name: str  # a person at a machine, or a key
    via: str  # the way in: `cli` or `http`

    @classmethod
    def of_this_process(cls) -> "Actor":
        """The person who started this process."""
        try:
            person = getpass.getuser()
        except (KeyError, OSError):  # a user id without a name, as in containers
            person = "unknown"
        return cls(name=f"{person}@{socket.gethostname()}", via="cli")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One action of an operator, as the log has it."""

    id: int
    action: str  # <area>.<verb>, such as index.promote
    subject: str  # what it is about: an entity type, an edition, a key
    actor: str  # who
    via: str  # by which way in
    started_at: datetime
    finished_at: datetime | None  # None: not yet
    outcome: Outcome
    before: Mapping[str, Any] | None  # what was there; None: nothing
    after: Mapping[str, Any] | None  # what is there then; None: nothing, or not known so far
    progress: Mapping[str, Any] | None  # how far it has come, in its own words
    override_reason: str | None  # why a check that had failed was overridden
    error: str | None  # why it was refused, or failed


@dataclass(kw_only=True)
class Entry:
    """An operation that is under way, for whoever carries it out."""

    id: int
    progress: Mapping[str, Any] | None = None  # told with the next heartbeat
    planned: bool = field(default=False, init=False)  # whether anything was begun
    _pool: Pool

    async def plan(
        self, *, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
    ) -> None:
        """Note what is about to change, before it does: a process that dies leaves it behind."""
        await self._pool.execute(
            "UPDATE disco.operations SET before = $2, after = $3 WHERE id = $1",
            *(self.id, _json(before), _json(after)),
        )
        self.planned = True

    async def heard(self) -> None:
        """Tell that it goes on, and how far it is."""
        await self._pool.execute(
            "UPDATE disco.operations SET heard_at = clock_timestamp(), progress = $2 WHERE id = $1",
            *(self.id, _json(self.progress)),
        )


@dataclass(frozen=True, kw_only=True)
class _Exclusive:
    """What only one operation at a time may change."""

    subject: str | None  # None: whatever is in the area
    area: str

    @property
    def name(self) -> str:
        """For people, and for the lock."""
        return f"any {self.area}" if self.subject is None else self.subject


class OperationLog:
    """Records what an operator does, and tells what operators did."""

    def __init__(self, primary: Pool, actor: Actor) -> None:
        self._pool = primary
        self._actor = actor

    @asynccontextmanager
    async def record(
        self,
        action: str,
        subject: str,
        *,
        alone: bool = False,
        whole_area: bool = False,
        override: str | None = None,
    ) -> AsyncIterator[Entry]:
        """Whatever is done within is one operation, and its end is the operation's.

        `alone`: nobody else may do so to the same subject meanwhile, and with `whole_area` to no
        subject of the action's area; raises `OperationInProgressError` then, which is recorded as
        refused. An error of ours before `Entry.plan` was called is a refusal, any other a failure.
        Raises `ServiceUnavailableError`, and `OwnSchemaError`, before anything is done.
        """
        entry = await self._begin(action, subject, override)
        heart = asyncio.create_task(self._beat(entry))
        area = action.partition(".")[0]
        what = _Exclusive(subject=None if whole_area else subject, area=area)
        try:
            async with self._alone(entry, what) if alone else contextlib.nullcontext():
                yield entry
        except BaseException as error:
            refused = isinstance(error, DiscoError) and not entry.planned
            await self._end(entry, Outcome.REFUSED if refused else Outcome.FAILED, _told(error))
            raise
        else:
            await self._end(entry, Outcome.DONE, None)
        finally:
            heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await heart

    async def history(
        self, *, subject: str | None = None, area: str | None = None, limit: int = 50
    ) -> list[Operation]:
        """The last operations, newest first; of one subject, or of one area (`index`), or of all.

        Raises as `record`.
        """
        await own_schema.migrate(self._pool)
        with within_reach(_AWAY):
            rows = await self._pool.fetch(
                "SELECT * FROM disco.operation_history"
                " WHERE ($1::text IS NULL OR subject = $1)"
                " AND ($2::text IS NULL OR split_part(action, '.', 1) = $2)"
                " ORDER BY id DESC LIMIT $3",
                *(subject, area, limit),
            )
        return [_read(row) for row in rows]

    async def find(self, number: int) -> Operation:
        """The operation of that number; raises `UnknownOperationError`, and as `record`."""
        await own_schema.migrate(self._pool)
        with within_reach(_AWAY):
            row = await self._pool.fetchrow(
                "SELECT * FROM disco.operation_history WHERE id = $1", number
            )
        if row is None:
            raise UnknownOperationError(f"there is no operation {number}")
        return _read(row)

    async def _begin(self, action: str, subject: str, override: str | None) -> Entry:
        await own_schema.migrate(self._pool)
        with within_reach(_AWAY):
            number = await self._pool.fetchval(
                "INSERT INTO disco.operations (action, subject, actor, via, override_reason)"
                " VALUES ($1, $2, $3, $4, $5) RETURNING id",
                *(action, subject, self._actor.name, self._actor.via, override),
            )
        return Entry(id=number, _pool=self._pool)

    @asynccontextmanager
    async def _alone(self, entry: Entry, what: "_Exclusive") -> AsyncIterator[None]:
        """Hold its lock; it goes with the connection, whatever becomes of the process."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(
                "SELECT pg_try_advisory_xact_lock($1, hashtext($2))", _LOCK_CLASS, what.name
            ):
                raise OperationInProgressError(await self._others(entry, what))
            yield

    async def _others(self, entry: Entry, what: "_Exclusive") -> str:
        row = await self._pool.fetchrow(
            "SELECT id, action, actor FROM disco.operations"
            " WHERE ($1::text IS NULL OR subject = $1)"
            " AND ($1::text IS NOT NULL OR split_part(action, '.', 1) = $2)"
            " AND outcome = 'running' AND id <> $3 AND before IS NOT NULL"
            " ORDER BY id DESC LIMIT 1",
            *(what.subject, what.area, entry.id),
        )
        who = f"{row['actor']} ({row['action']}, operation {row['id']})" if row else "somebody"
        return f"{who} is changing {what.name} at this moment; see what came of it, then try again"

    async def _beat(self, entry: Entry) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            with contextlib.suppress(*UNAVAILABLE_ERRORS):
                await entry.heard()

    async def _end(self, entry: Entry, outcome: Outcome, error: str | None) -> None:
        """Note the end. What was done is done, so a lost database is told to the log alone."""
        try:
            await self._pool.execute(
                "UPDATE disco.operations SET outcome = $2, error = $3, progress = $4,"
                " finished_at = clock_timestamp(), heard_at = clock_timestamp() WHERE id = $1",
                *(entry.id, outcome, error, _json(entry.progress)),
            )
        except UNAVAILABLE_ERRORS as lost:
            _log.error("operation_end_unrecorded", operation=entry.id, outcome=outcome,
                       error=repr(lost))  # fmt: skip


def _json(document: Mapping[str, Any] | None) -> str | None:
    return None if document is None else orjson.dumps(document).decode()


def _told(error: BaseException) -> str:
    if isinstance(error, DiscoError):
        return str(error)[:_LONGEST_ERROR]
    if isinstance(error, asyncio.CancelledError | KeyboardInterrupt | SystemExit | GeneratorExit):
        return "interrupted"
    return repr(error)[:_LONGEST_ERROR]


def _read(row: asyncpg.Record) -> Operation:
    read: dict[str, Any] = dict(row)
    for name in ("before", "after", "progress"):
        read[name] = None if read[name] is None else orjson.loads(read[name])
    return Operation(**read | {"outcome": Outcome(row["outcome"])})
