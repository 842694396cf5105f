"""The doorkeeper: lets a request do what its key or token has the scope for, and nothing else."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request

from access.operations import Key, KeyRegister, Scope, Tokens, parse
from core.errors import ServiceUnavailableError
from query_api.database import Database
from query_api.problems import Code, QueryError

# Seconds that a key is known for: so long may one that was revoked still let somebody in.
LEASE: Final = 5.0
# Seconds that the session of a key goes on while keys cannot be looked up: who watches an outage of
# the database is not locked out by it.
GRACE: Final = 900.0
_MOST: Final = 1_000  # keys that are remembered
_SCHEME: Final = "bearer"


class Doorkeeper:
    """Knows keys again, and tokens of the issuer that is trusted, if there is one."""

    def __init__(self, database: Database, tokens: Tokens | None = None) -> None:
        self._database = database
        self._tokens = tokens
        # By digest of the text, or of the id for sessions: until when, and what it is. How long it
        # takes to find one, or that there is none, says nothing of any text.
        self._known: dict[bytes, tuple[float, Key]] = {}

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

        async def find() -> Key | None:
            return await self._database.ask(lambda pool: KeyRegister(pool).find(key_id))

        # No header can have that: an id, which may be told, is never taken for a key's text.
        return _holding(await self._remembered(f"session\0{key_id}", find, grace=GRACE))

    def remembered(self, request: Request) -> str | None:
        """The id of the request's key if it is one that was recognised a moment ago."""
        _, text = _credentials(request)
        until, known = self._known.get(_digest(text), (0.0, None))
        return known.id if known is not None and time.monotonic() < until else None

    async def _key(self, text: str) -> Key | None:
        given, tokens = parse(text), self._tokens

        async def verify() -> Key | None:
            if given is not None:
                return await self._database.ask(lambda pool: KeyRegister(pool).verify(given))
            return await tokens.verify(text) if tokens else None

        return await self._remembered(text, verify) if given or tokens else None

    async def _remembered(
        self, text: str, look_up: Callable[[], Awaitable[Key | None]], *, grace: float = 0
    ) -> Key | None:
        """What is looked up for a text, at most `LEASE` old, and `grace` where it cannot be."""
        name, now = _digest(text), time.monotonic()
        until, known = self._known.get(name, (0.0, None))
        if known is not None and now < until:
            return known
        try:
            found = await look_up()
        except ServiceUnavailableError as error:
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
    scheme, text = _credentials(request)
    if scheme != _SCHEME or not text:
        raise QueryError(
            Code.UNAUTHORIZED,
            "This needs a key: send it as `Authorization: Bearer <key>`. `disco keys create` makes "
            "one.",
        )
    return text


def _credentials(request: Request) -> tuple[str, str]:
    """Scheme, in lower case, and text of what a request shows; both empty if it shows nothing."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return scheme.lower(), text.strip()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
