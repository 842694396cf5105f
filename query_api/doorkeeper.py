"""The doorkeeper: lets a request do what its key has the scope for, and nothing else."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request

from access.operations import Key, KeyRegister, Scope, parse
from core.errors import ServiceUnavailableError
from query_api.database import Database
from query_api.problems import Code, QueryError

# Seconds that a key is known for: so long may one that was revoked still let somebody in.
LEASE: Final = 5.0
# Seconds that the session of a key goes on while keys cannot be looked up: who watches an outage of
# the database is not locked out by it.
GRACE: Final = 900.0
_PATIENCE: Final = 2.0  # seconds that a look-up may take
_MOST: Final = 1_000  # keys that are remembered
_SCHEME: Final = "bearer"


class Doorkeeper:
    """Knows keys again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # By text, or by id for sessions: until when, and what it is.
        self._known: dict[str, tuple[float, Key]] = {}

    async def require(self, request: Request, scope: Scope) -> Key:
        """The key of a request, which has the scope.

        Raises `QueryError`: there is no key, it is none of ours or does not hold any more, it has
        other scopes, or keys cannot be looked up right now.
        """
        key = await self.bearer(request)
        check_scopes(key, scope)
        return key

    async def bearer(self, request: Request) -> Key:
        """The key that a request shows, whatever its scopes; raises `QueryError` as `require`."""
        return await self.recognise(_bearer(request))

    async def recognise(self, text: str) -> Key:
        """The key of a text; raises `QueryError` as `require`."""
        return _holding(await self._key(text))

    async def named(self, key_id: str) -> Key:
        """The key of a session, which was recognised before; raises `QueryError` as `require`."""
        return _holding(
            await self._remembered(key_id, lambda register: register.find(key_id), grace=GRACE)
        )

    async def _key(self, text: str) -> Key | None:
        given = parse(text)
        return (
            await self._remembered(text, lambda register: register.verify(given)) if given else None
        )

    async def _remembered(
        self,
        name: str,
        look_up: Callable[[KeyRegister], Awaitable[Key | None]],
        *,
        grace: float = 0,
    ) -> Key | None:
        """What is looked up under a name, at most `LEASE` old, and `grace` where it cannot be."""
        now = time.monotonic()
        until, known = self._known.get(name, (0.0, None))
        if known is not None and now < until:
            return known
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await look_up(KeyRegister(await self._database.primary()))
        except (ServiceUnavailableError, TimeoutError) as error:
            if known is not None and now < until + grace:
                return known
            raise QueryError(
                Code.SERVICE_UNAVAILABLE, "Keys cannot be looked up right now. Try again."
            ) from error
        self._known.pop(name, None)
        if found is not None:
            while len(self._known) >= _MOST:
                self._known.pop(next(iter(self._known)))
            self._known[name] = (now + LEASE, found)
        return found


def check_scopes(key: Key, *scopes: Scope) -> None:
    """Raises `QueryError` for a key that has none of the scopes."""
    if not key.scopes & set(scopes):
        raise QueryError(
            Code.FORBIDDEN,
            f"The key has no scope {' or '.join(scopes)}; it has {', '.join(sorted(key.scopes))}.",
            allowed=tuple(map(str, scopes)),
        )


def _holding(key: Key | None) -> Key:
    """The key, if it is one that holds; raises `QueryError`."""
    if key is None or not key.holds(datetime.now(UTC)):
        raise QueryError(
            Code.UNAUTHORIZED,
            "The key is not one of this service's, or does not hold any more. `disco keys "
            "create` makes keys.",
        )
    return key


def _bearer(request: Request) -> str:
    """The text of the request's key; raises `QueryError` if it shows none."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not text.strip():
        raise QueryError(
            Code.UNAUTHORIZED,
            "This needs a key: send it as `Authorization: Bearer <key>`. `disco keys create` makes "
            "one.",
        )
    return text.strip()
