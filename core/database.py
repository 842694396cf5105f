"""Connections to PostgreSQL: the primary, which has the clock, and the replica, which is read."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from core.errors import ServiceUnavailableError
from core.settings import Settings

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:  # at run time, asyncpg's classes are not generic
    Pool = asyncpg.Pool
    Connection = asyncpg.pool.PoolConnectionProxy

# What a lost, refused or restarting server looks like: wait and try again.
UNAVAILABLE_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
    asyncpg.InterfaceError,
    # What asyncpg says of a connection whose server died just as it was about to be used.
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    # A replica cancels a query that holds up replay, or that a restart cut.
    asyncpg.SerializationError,
)
# What is wrong with the statement itself is wrong for every id: looking for the culprit is vain.
STATEMENT_ERRORS = (asyncpg.SyntaxOrAccessError, asyncpg.InvalidCachedStatementError)


@dataclass(frozen=True, kw_only=True)
class Databases:
    """The pools of a process. Without a replica both are the same."""

    primary: Pool  # truth, clock and write-ahead log position
    replica: Pool  # what documents are hydrated from

    @property
    def has_replica(self) -> bool:
        """Whether reads go to another server than writes."""
        return self.replica is not self.primary


@asynccontextmanager
async def open_databases(
    settings: Settings, *, application: str, size: int = 6
) -> AsyncIterator[Databases]:
    """Pools of up to `size` connections each; raises `ServiceUnavailableError`."""
    async with (
        open_pool(settings.database_url, application=application, size=size) as primary,
        _open_replica(settings, primary, application=application, size=size) as replica,
    ):
        yield Databases(primary=primary, replica=replica)


@asynccontextmanager
async def open_pool(url: str, *, application: str, size: int = 6) -> AsyncIterator[Pool]:
    """One pool. `application` is what the server shows as the name of its connections."""
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            timeout=10,
            command_timeout=60,
            server_settings={"application_name": application, "timezone": "UTC"},
            reset=_keep,
        )
    except (
        *UNAVAILABLE_ERRORS,
        asyncpg.InvalidCatalogNameError,
        asyncpg.InvalidAuthorizationSpecificationError,
    ) as error:
        raise ServiceUnavailableError(
            f"PostgreSQL at {_address(url)} does not answer ({error}); "
            "start it (`disco stack up`) or set DISCO_DATABASE_URL"
        ) from error
    try:
        yield pool
    finally:
        # A pool that waits for a connection that will never come back would hang the stop.
        pool.terminate()


async def fetch_within(
    seconds: float, pool: Pool, statement: str, *arguments: object
) -> list[asyncpg.Record]:
    """Rows; raises `TimeoutError` when there is no answer in time, even from a server that hangs.

    The connection is given up then: a server that hangs would not acknowledge a cancellation.
    """
    async with pool.acquire(timeout=seconds) as connection:
        try:
            return await connection.fetch(statement, *arguments, timeout=seconds)
        except TimeoutError:
            connection.terminate()
            raise


@contextmanager
def within_reach(what_fails: str) -> Iterator[None]:
    """Raises `ServiceUnavailableError`, which says what fails, where the database is away."""
    try:
        yield
    except UNAVAILABLE_ERRORS as error:
        raise ServiceUnavailableError(
            f"{what_fails}: PostgreSQL does not answer ({error!r}); start it"
        ) from error


@asynccontextmanager
async def _open_replica(
    settings: Settings, primary: Pool, *, application: str, size: int
) -> AsyncIterator[Pool]:
    if settings.replica_url is None:
        yield primary
        return
    async with open_pool(settings.replica_url, application=application, size=size) as replica:
        yield replica


async def _keep(_connection: object) -> None:
    """Leave a session as it is when its connection goes back to the pool.

    asyncpg rolls back what was left open, and would then, with one more round trip after every
    statement, reset what none of ours sets. Who takes a lock of the session gives it back.
    """


def _address(url: str) -> str:
    return url.rpartition("@")[2]
