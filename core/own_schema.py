"""The service's own schema in the primary, `disco`: made and changed by numbered SQL files.

Everything else in the database is the application's, and is only read.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from core.database import UNAVAILABLE_ERRORS, Connection, Pool
from core.errors import DiscoError, ServiceUnavailableError

FOLDER: Final = Path(__file__).parent / "sql"
_FILE: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LOCK: Final = 0x_D15C_0001  # advisory; whoever changes the schema holds it
_REGISTER: Final = """
CREATE TABLE disco.migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    digest text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


class OwnSchemaError(DiscoError):
    """The schema `disco` cannot be used as it is; the message says what to do."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One step from an empty schema to the present one."""

    number: int  # 1, 2, 3 … in the order in which they are applied
    name: str  # what it is about
    sql: str

    @property
    def digest(self) -> str:
        """Short text that changes whenever the SQL does."""
        return hashlib.sha256(self.sql.encode()).hexdigest()[:16]


def read(folder: Path = FOLDER) -> list[Migration]:
    """The migrations of a folder, in order; raises `OwnSchemaError` for a gap or a bad name."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None or int(match[1]) != len(found) + 1:
            raise OwnSchemaError(
                f"{path}: the name must be {len(found) + 1:04}_what_it_is_about.sql; numbers have "
                "no gap"
            )
        sql = path.read_text(encoding="utf-8")
        found.append(Migration(number=int(match[1]), name=match[2], sql=sql))
    return found


async def migrate(primary: Pool, migrations: Sequence[Migration] | None = None) -> list[Migration]:
    """Bring the schema to the present; the migrations that were applied, none when it was.

    Of several processes at once one does it, and the others wait. Raises `OwnSchemaError` when
    the role may not create it, or when the schema is another program's or of a later version, and
    `ServiceUnavailableError`.
    """
    try:
        async with primary.acquire() as connection:
            return await bring_up(connection, read() if migrations is None else migrations)
    except UNAVAILABLE_ERRORS as error:
        raise ServiceUnavailableError(
            f"PostgreSQL does not answer ({error!r}); start it"
        ) from error


async def bring_up(connection: Connection, wanted: Sequence[Migration]) -> list[Migration]:
    """The same by one connection, which is in no transaction."""
    try:
        if not _lacking(await _applied(connection), wanted):
            return []
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            return await _apply(connection, wanted)
    except asyncpg.InsufficientPrivilegeError as error:
        raise OwnSchemaError(
            f"the schema disco cannot be brought up to date: {error}; let the role of "
            "DISCO_DATABASE_URL own it (docs/operations.md, “Permissions”)"
        ) from error


async def _apply(connection: Connection, wanted: Sequence[Migration]) -> list[Migration]:
    if not await connection.fetchval("SELECT to_regnamespace('disco') IS NOT NULL"):
        await connection.execute("CREATE SCHEMA disco")
    if not await connection.fetchval("SELECT to_regclass('disco.migrations') IS NOT NULL"):
        await connection.execute(_REGISTER)
    lacking = _lacking(await _applied(connection), wanted)
    for one in lacking:
        await connection.execute(one.sql)
        await connection.execute(
            "INSERT INTO disco.migrations (number, name, digest) VALUES ($1, $2, $3)",
            *(one.number, one.name, one.digest),
        )
    return lacking


async def _applied(connection: Connection) -> dict[int, str]:
    """Digests of the migrations that the database has, by number."""
    if not await connection.fetchval("SELECT to_regclass('disco.migrations') IS NOT NULL"):
        return {}
    rows = await connection.fetch("SELECT number, digest FROM disco.migrations")
    return {row["number"]: row["digest"] for row in rows}


def _lacking(applied: Mapping[int, str], wanted: Sequence[Migration]) -> list[Migration]:
    """The migrations still to apply; raises `OwnSchemaError` if the others are not as ours."""
    known = {one.number: one for one in wanted}
    if later := sorted(applied.keys() - known.keys()):
        raise OwnSchemaError(
            f"the schema disco has migration {later[-1]}, and this program knows {len(known)}: it "
            "was changed by a later version; run that one"
        )
    for number, digest in applied.items():
        if digest != known[number].digest:
            raise OwnSchemaError(
                f"migration {number} ({known[number].name}) was changed after it had been applied; "
                "put its file back, and write what is to change into a new one"
            )
    return [one for one in wanted if one.number not in applied]
