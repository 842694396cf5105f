"""The register of keys, in the service's own schema."""

from datetime import datetime
from typing import Final

import asyncpg

from access.keys import Key, KeyText, Scope, matches
from core import own_schema
from core.database import Pool, within_reach

_AWAY: Final = "keys cannot be looked up"
_NOBODY: Final = bytes(32)  # compared with when there is no such key, so that it takes as long


class KeyRegister:
    """The keys there are. Raises `ServiceUnavailableError` where the database does not answer."""

    def __init__(self, primary: Pool) -> None:
        self._pool = primary

    async def add(
        self, text: KeyText, *, name: str, scopes: frozenset[Scope], expires_at: datetime | None
    ) -> Key:
        """Keep what is needed to know the key again."""
        await own_schema.migrate(self._pool)
        with within_reach(_AWAY):
            row = await self._pool.fetchrow(
                "INSERT INTO disco.api_keys (id, name, secret_hash, scopes, expires_at)"
                " VALUES ($1, $2, $3, $4, $5) RETURNING *",
                *(text.id, name, text.secret_hash, sorted(scopes), expires_at),
            )
        assert row is not None
        return _read(row)

    async def list(self) -> list[Key]:
        """All keys, also those that do not hold any more, oldest first."""
        await own_schema.migrate(self._pool)
        with within_reach(_AWAY):
            rows = await self._pool.fetch("SELECT * FROM disco.api_keys ORDER BY created_at, id")
        return [_read(row) for row in rows]

    async def revoke(self, key_id: str) -> Key | None:
        """Have a key let nobody in any more, for good; None if there is no such key."""
        with within_reach(_AWAY):
            row = await self._pool.fetchrow(
                "UPDATE disco.api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp())"
                " WHERE id = $1 RETURNING *",
                key_id,
            )
        return _read(row) if row else None

    async def expire(self, key_id: str, moment: datetime) -> None:
        """Have a key end at that time, unless it ends before."""
        with within_reach(_AWAY):
            await self._pool.execute(
                "UPDATE disco.api_keys SET expires_at = least(expires_at, $2) WHERE id = $1",
                *(key_id, moment),
            )

    async def verify(self, given: KeyText) -> Key | None:
        """The key that a bearer shows, also if it does not hold any more; None: not one of ours."""
        row = await self._row(given.id)
        known = matches(given, row["secret_hash"] if row else _NOBODY)
        return _read(row) if row and known else None

    async def find(self, key_id: str) -> Key | None:
        """The key of that id, also if it does not hold any more; None: there is none."""
        row = await self._row(key_id)
        return _read(row) if row else None

    async def _row(self, key_id: str) -> asyncpg.Record | None:
        with within_reach(_AWAY):
            try:
                return await self._pool.fetchrow(
                    "SELECT * FROM disco.api_keys WHERE id = $1", key_id
                )
            except asyncpg.UndefinedTableError:  # no key was ever made
                return None


def _read(row: asyncpg.Record) -> Key:
    return Key(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(map(Scope, row["scopes"])),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
