"""Tokens: what an issuer that is trusted says of a user (OAuth 2.0 bearer, JWT as RFC 9068 has it).

The issuer, the audience and the algorithms are pinned by the settings. The issuer's public keys are
read from its key set (JWKS) when a token names one that is not known, but not more often than every
`AGAIN` seconds: made-up tokens must not make us ask without end.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import jwt

from access.keys import Key, Scope
from core.errors import ServiceUnavailableError
from core.settings import Settings
from core.telemetry import logger

LONGEST: Final = 8_192  # characters of a token
AGAIN: Final = 10.0  # seconds between two looks at the key set
FRESH: Final = 300.0  # seconds after which it is looked at again: a key may have been withdrawn
_PATIENCE: Final = 2.0  # seconds in which the issuer has to answer
_LARGEST_SET: Final = 262_144  # bytes
# Operators show keys of this service: they can be revoked here.
_NEVER: Final = frozenset({Scope.ADMIN})
_REQUIRED: Final = ("exp", "iat", "iss", "aud", "sub")

_log = logger("access")


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whose tokens are believed."""

    issuer: str  # `iss` of its tokens, exactly
    audience: str  # `aud` that names this service
    key_set: str  # https address of its keys, or a file
    algorithms: tuple[str, ...]  # signatures that are accepted
    leeway: float  # seconds that its clock may differ


def trust_of(settings: Settings) -> Trust | None:
    """Whom the settings trust; None: nobody."""
    if not settings.oauth_issuer:
        return None
    return Trust(
        issuer=settings.oauth_issuer,
        audience=settings.oauth_audience,
        key_set=settings.oauth_key_set,
        algorithms=tuple(settings.oauth_algorithms.split(",")),
        leeway=settings.oauth_leeway,
    )


class Tokens:
    """Verifies tokens of one issuer."""

    def __init__(self, trust: Trust, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._trust = trust
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def verify(self, text: str) -> Key | None:
        """What a token lets its bearer do, as a key that nobody keeps; None: it is not valid.

        Raises `ServiceUnavailableError` where the issuer's keys were never read and cannot be.
        """
        header = self._header(text)
        if header is None:
            return None
        key = await self._key(str(header["kid"]))
        if key is None:
            return None
        try:
            claims = jwt.decode(
                text,
                key.key,
                algorithms=[header["alg"]],
                audience=self._trust.audience,
                issuer=self._trust.issuer,
                leeway=self._trust.leeway,
                options={"require": list(_REQUIRED)},
            )
        except (jwt.InvalidTokenError, jwt.InvalidKeyError, TypeError, ValueError):
            return None
        return self._bearer(claims)

    def _header(self, text: str) -> Mapping[str, Any] | None:
        """What a token says of its signature; None for one that cannot be accepted."""
        if len(text) > LONGEST or text.count(".") != 2:
            return None
        try:
            header = jwt.get_unverified_header(text)
        except jwt.InvalidTokenError:
            return None
        is_pinned = header.get("alg") in self._trust.algorithms
        return header if is_pinned and isinstance(header.get("kid"), str) else None

    def _bearer(self, claims: Mapping[str, Any]) -> Key | None:
        subject, scope = claims["sub"], claims.get("scope", "")
        if not isinstance(subject, str) or not subject or not isinstance(scope, str):
            return None
        granted = frozenset(one for one in Scope if str(one) in scope.split()) - _NEVER
        digest = hashlib.sha256(f"{self._trust.issuer}\n{subject}".encode()).hexdigest()
        return Key(
            id=f"user-{digest[:12]}",
            name=f"user {subject[:100]}",
            scopes=granted,
            created_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"] + self._trust.leeway, UTC),
            revoked_at=None,
            user_id=subject,
        )

    async def _key(self, name: str) -> jwt.PyJWK | None:
        """The issuer's key of that name."""
        async with self._reading:
            age = self._clock() - self._read_at
            if age > FRESH or (name not in self._keys and age > AGAIN):
                await self._read()
            return self._keys.get(name)

    async def _read(self) -> None:
        """Read the key set. If it cannot be, what is known goes on to hold."""
        self._read_at = self._clock()
        try:
            found = _usable(await _content(self._trust.key_set))
        except (OSError, TimeoutError, aiohttp.ClientError, jwt.PyJWTError, ValueError) as error:
            _log.warning("key_set_unreadable", key_set=self._trust.key_set, error=repr(error))
            if not self._keys:
                raise ServiceUnavailableError(
                    f"the issuer's keys cannot be read from {self._trust.key_set}; "
                    "look at DISCO_OAUTH_KEY_SET"
                ) from error
            return
        self._keys = found


def _usable(content: bytes) -> Mapping[str, jwt.PyJWK]:
    """The keys of a set, by name, that are there to verify signatures."""
    keys = jwt.PyJWKSet.from_json(content.decode()).keys
    return {key.key_id: key for key in keys if key.key_id and key.public_key_use in {None, "sig"}}


async def _content(place: str) -> bytes:
    if not place.startswith(("https://", "http://")):
        return Path(place).read_bytes()
    timeout = aiohttp.ClientTimeout(total=_PATIENCE)
    async with (
        aiohttp.ClientSession(timeout=timeout) as client,
        client.get(place, allow_redirects=False) as response,
    ):
        response.raise_for_status()
        content = await response.content.read(_LARGEST_SET + 1)
    if response.status != 200 or len(content) > _LARGEST_SET:
        raise ValueError(f"it answers with {response.status} and {len(content)} bytes")
    return content
