"""The health of PostgreSQL: the primary, which has the clock, and the replica, which is read."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from core.database import UNAVAILABLE_ERRORS
from core.settings import Settings
from indexer.health import Chart, Observation

OLDEST_VERSION = 130_000  # as the server numbers itself
CLOCK_WARNING = 1.0  # seconds between the database's clock and this machine's

_CONNECT_SECONDS = 5.0
_LOOK_SECONDS = 0.02
_FACTS = """
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS number,
       pg_is_in_recovery() AS recovers,
       current_setting('transaction_read_only')::bool AS is_read_only,
       current_setting('synchronous_commit') AS commits,
       (SELECT system_identifier FROM pg_control_system()) AS cluster
"""
_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"
_POSITION = "SELECT pg_current_wal_flush_lsn()::text"
_BEHIND = "SELECT pg_wal_lsn_diff($1::text::pg_lsn, pg_last_wal_replay_lsn())::bigint"

Connection = Any  # asyncpg's connections have no common, typed interface


async def examine(settings: Settings) -> list[Observation]:
    """Observations of the primary, then of the replica if there is one."""
    primary, replica = Chart("PostgreSQL primary"), Chart("PostgreSQL replica")
    async with _connection(primary, settings.database_url, "DISCO_DATABASE_URL") as connection:
        cluster = (
            None
            if connection is None
            else await _look_at_primary(primary, connection, settings.database_url)
        )
        if settings.replica_url is None:
            replica.ok("connection", "none is set: documents are read from the primary")
        else:
            await _look_at_replica(replica, settings, connection, cluster)
    return primary.observations + replica.observations


@asynccontextmanager
async def _connection(chart: Chart, url: str, setting: str) -> AsyncIterator[Connection | None]:
    """A connection, closed at the end; None, and the reason in the chart, when there is none."""
    connection = None
    try:
        connection = await asyncpg.connect(
            url, timeout=_CONNECT_SECONDS, command_timeout=_CONNECT_SECONDS
        )
    except UNAVAILABLE_ERRORS as error:
        chart.unreachable(
            f"{_address(url)} does not answer ({str(error) or type(error).__name__})",
            f"start it (`disco stack up`) or set {setting}",
        )
    except asyncpg.PostgresError as error:
        chart.problem("connection", f"{_address(url)} refuses us: {error}", f"correct {setting}")
    try:
        yield connection
    finally:
        if connection is not None:
            connection.terminate()


async def _look_at_primary(chart: Chart, connection: Connection, url: str) -> int:
    """Fill the chart; return the identity of the server's data."""
    facts = await connection.fetchrow(_FACTS)
    _note_version(chart, facts, url)
    if facts["recovers"]:
        chart.problem(
            "writable",
            "it is a replica, and has neither the newest rows nor the clock",
            "set DISCO_DATABASE_URL to the primary",
        )
    elif facts["is_read_only"]:
        chart.problem(
            "writable",
            "it takes no writes: transactions are read-only",
            "turn default_transaction_read_only off, for the server, the database and the user",
        )
    else:
        chart.ok("writable", "takes writes")
    if facts["commits"] == "off":
        chart.problem(
            "commits",
            "synchronous_commit is off: an event can be sent before its commit is on disk, and "
            "its change be missed until the sweep",
            "turn synchronous_commit on for whoever writes the catalogue",
        )
    await _note_clock(chart, connection)
    return int(facts["cluster"])


def _note_version(chart: Chart, facts: asyncpg.Record, url: str) -> None:
    what = f"{_address(url)}, version {facts['version'].partition(' ')[0]}"
    if facts["number"] < OLDEST_VERSION:
        chart.problem("connection", what, "use PostgreSQL 13 or newer")
    else:
        chart.ok("connection", what)


async def _note_clock(chart: Chart, connection: Connection) -> None:
    before = time.time()
    theirs = await connection.fetchval(_CLOCK)
    after = time.time()
    ahead = theirs - (before + after) / 2
    doubt = (after - before) / 2  # the answer may have been made at any time in between
    what = f"{abs(ahead):.3f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    if abs(ahead) - doubt > CLOCK_WARNING:
        chart.warning(
            "clock",
            what,
            "set both by NTP: versions follow the database's clock, names of indices and log "
            "lines this machine's",
        )
    else:
        chart.ok("clock", what)


async def _look_at_replica(
    chart: Chart, settings: Settings, primary: Connection | None, cluster: int | None
) -> None:
    url = settings.replica_url
    assert url is not None
    async with _connection(chart, url, "DISCO_REPLICA_URL, or unset it") as connection:
        if connection is None:
            return
        facts = await connection.fetchrow(_FACTS)
        _note_version(chart, facts, url)
        if not facts["recovers"]:
            chart.problem(
                "recovery",
                "it is not a replica: it replays nothing",
                "set DISCO_REPLICA_URL to a streaming replica of the primary, or unset it",
            )
        elif cluster is not None and facts["cluster"] != cluster:
            chart.problem(
                "recovery",
                "it is a replica of another server than the primary",
                "set DISCO_REPLICA_URL to a replica of the server that DISCO_DATABASE_URL names",
            )
        else:
            chart.ok("recovery", "replays the primary's log" if primary else "replays a log")
            if primary is not None:
                await _note_lag(chart, primary, connection, settings.replica_patience)


async def _note_lag(
    chart: Chart, primary: Connection, replica: Connection, patience: float
) -> None:
    """How long the replica takes to have all that the primary has now."""
    position = await primary.fetchval(_POSITION)
    began = time.monotonic()
    while (behind := await replica.fetchval(_BEHIND, position)) > 0:
        if time.monotonic() - began > patience:
            chart.warning(
                "lag",
                f"more than {patience:g} s behind ({behind:,} bytes): documents are read from "
                "the primary meanwhile",
                "see what holds up its replay (long queries, its disk, the network); "
                "docs/operations.md, “Replica”",
            )
            return
        await asyncio.sleep(_LOOK_SECONDS)
    chart.ok("lag", f"level with the primary after {time.monotonic() - began:.3f} s")


def _address(url: str) -> str:
    return url.rpartition("@")[2]
