"""The doorkeeper: lets a request do what its key has the scope for, and nothing else."""

import time
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request

from access.operations import Key, KeyRegister, Scope, parse
from core.errors import ServiceUnavailableError
from query_api.database import Database
from query_api.problems import Code, QueryError

# Seconds that a key is known for: so long may one that was revoked still let somebody in.
LEASE: Final = 5.0
_MOST: Final = 1_000  # keys that are remembered
_SCHEME: Final = "bearer"


class Doorkeeper:
    """Knows keys again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, Key]] = {}  # by text: until when, and what it is

    async def require(self, request: Request, scope: Scope) -> Key:
        """The key of a request, which has the scope.

        Raises `QueryError`: there is no key, it is none of ours or does not hold any more, it has
        other scopes, or keys cannot be looked up right now.
        """
        key = await self._key(_bearer(request))
        if key is None or not key.holds(datetime.now(UTC)):
            raise QueryError(
                Code.UNAUTHORIZED,
                "The key is not one of this service's, or does not hold any more. `disco keys "
                "create` makes keys.",
            )
        if scope not in key.scopes:
            raise QueryError(
                Code.FORBIDDEN,
                f"The key has no scope {scope}; it has {', '.join(sorted(key.scopes))}.",
                allowed=(str(scope),),
            )
        return key

    async def _key(self, text: str) -> Key | None:
        """The key of that text, at most `LEASE` old."""
        now = time.monotonic()
        until, known = self._known.get(text, (0.0, None))
        if known is not None and now < until:
            return known
        found = await self._looked_up(text)
        self._known.pop(text, None)
        if found is not None:
            while len(self._known) >= _MOST:
                self._known.pop(next(iter(self._known)))
            self._known[text] = (now + LEASE, found)
        return found

    async def _looked_up(self, text: str) -> Key | None:
        given = parse(text)
        if given is None:
            return None
        try:
            return await KeyRegister(await self._database.primary()).verify(given)
        except ServiceUnavailableError as error:
            raise QueryError(
                Code.SERVICE_UNAVAILABLE, "Keys cannot be looked up right now. Try again."
            ) from error


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
