"""The door of `access`: what the command line and the HTTP API may ask of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from access.keys import Key, KeyText, Scope, UnknownScopeError, parse, scopes_of
from access.register import KeyRegister
from access.tokens import Tokens, trust_of
from core.database import open_pool
from core.errors import UsageError
from core.operation_log import Actor, OperationLog
from core.settings import Settings

__all__ = [
    "Created",
    "Key",
    "KeyEndedError",
    "KeyRegister",
    "Keys",
    "Scope",
    "Tokens",
    "UnknownKeyError",
    "UnknownScopeError",
    "document_of",
    "open_keys",
    "parse",
    "planned",
    "scopes_of",
    "trust_of",
]
_LONGEST_NAME: Final = 200  # characters


class UnknownKeyError(UsageError):
    """There is no key of that id. `disco keys list` has the ids."""


class KeyEndedError(UsageError):
    """A key that was revoked or has expired cannot be exchanged for another."""


class KeyNameError(UsageError):
    """The name of a key is empty or too long."""


@dataclass(frozen=True, kw_only=True)
class Created:
    """A key that was made. Its text is told once, now: nobody keeps it."""

    key: Key
    text: str = field(repr=False)


class Keys:
    """Makes, lists and revokes keys; each change is an operation of its actor's."""

    def __init__(self, register: KeyRegister, log: OperationLog) -> None:
        self._register = register
        self._log = log

    async def create(self, name: str, scopes: Sequence[str], *, days: int | None = None) -> Created:
        """Make a key that holds for so many days, or for good; raises `UnknownScopeError`."""
        wanted = planned(name, scopes)
        text = KeyText.new()
        expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
        async with self._log.record("keys.create", text.id) as entry:
            await entry.plan(before=None, after={"name": name, "scopes": sorted(wanted)})
            key = await self._register.add(text, name=name, scopes=wanted, expires_at=expires_at)
        return Created(key=key, text=text.build())

    async def list(self) -> list[Key]:
        """All keys, oldest first."""
        return await self._register.list()

    async def revoke(self, key_id: str, *, dry_run: bool = False) -> Key:
        """Have a key let nobody in any more; the key. Raises `UnknownKeyError`."""
        if dry_run:
            return await self._named(key_id)
        async with self._log.record("keys.revoke", key_id) as entry:
            before = await self._named(key_id)
            await entry.plan(before=document_of(before), after=None)
            return await self._register.revoke(key_id) or before

    async def rotate(
        self, key_id: str, *, grace: timedelta, dry_run: bool = False
    ) -> tuple[Key, Created | None]:
        """Make another key that may do the same, and have the old one end after `grace`.

        The old key as it was, and the new one, None in a dry run. The new key holds for as long
        as the old one was made for. Raises `UnknownKeyError`, and `KeyEndedError` for a key that
        does not hold any more.
        """
        now = datetime.now(UTC)
        if dry_run:
            return await self._holding(key_id, now), None
        text = KeyText.new()
        async with self._log.record("keys.rotate", key_id) as entry:
            old = await self._holding(key_id, now)
            await entry.plan(before=document_of(old), after={"id": text.id, "grace": str(grace)})
            lifetime = old.expires_at - old.created_at if old.expires_at else None
            new = await self._register.add(
                text,
                name=old.name,
                scopes=old.scopes,
                expires_at=now + lifetime if lifetime else None,
            )
            await self._register.expire(key_id, now + grace)
        return old, Created(key=new, text=text.build())

    async def _holding(self, key_id: str, now: datetime) -> Key:
        key = await self._named(key_id)
        if not key.holds(now):
            raise KeyEndedError(
                f"key {key_id} does not hold any more; make one: `disco keys create`"
            )
        return key

    async def _named(self, key_id: str) -> Key:
        for key in await self._register.list():
            if key.id == key_id:
                return key
        raise UnknownKeyError(f"there is no key {key_id!r}; `disco keys list` has the ids")


@asynccontextmanager
async def open_keys(settings: Settings, actor: Actor) -> AsyncIterator[Keys]:
    """The keys of an installation; raises `ServiceUnavailableError`."""
    async with open_pool(settings.database_url, application="disco keys", size=2) as primary:
        yield Keys(KeyRegister(primary), OperationLog(primary, actor))


def planned(name: str, scopes: Sequence[str]) -> frozenset[Scope]:
    """The scopes that a key of that name would have; raises `UsageError` as `Keys.create`."""
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise KeyNameError(
            f"the name of a key has 1 to {_LONGEST_NAME} characters: say whose it is, or what for"
        )
    return scopes_of(scopes)


def document_of(key: Key) -> dict[str, Any]:
    """What may be told of a key."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "holds": key.holds(datetime.now(UTC)),
    }
