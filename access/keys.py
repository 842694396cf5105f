"""Keys: what a program shows to be let in, and what is kept of it.

Grammar of a key: `disco_<id>_<secret>`, with an id of 12 hexadecimal digits, which may be told, and
a secret of 43 characters, which nobody keeps. `build` and `parse` are each other's inverse.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from core.errors import UsageError

LONGEST: Final = 128  # characters; more cannot be a key of ours
_GRAMMAR: Final = re.compile(r"disco_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32


class UnknownScopeError(UsageError):
    """There is no scope of that name. The message lists those there are."""


class Scope(StrEnum):
    """What a key lets its bearer do beyond what is open to all."""

    SEARCH_READ = "search:read"  # choose the variant that a search is answered by
    PRIVATE_READ = "private:read"  # see what is not public
    FEEDBACK_WRITE = "feedback:write"  # tell what people did with results
    DASHBOARD_READ = "dashboard:read"  # see how the service does
    ADMIN = "admin"  # everything that an operator does


@dataclass(frozen=True, kw_only=True)
class KeyText:
    """A key as its bearer has it. Its secret is in no `repr`."""

    id: str  # 12 hexadecimal digits
    secret: str = field(repr=False)  # 256 random bits, in base64url

    @classmethod
    def new(cls) -> "KeyText":
        """A key that nobody has."""
        return cls(id=secrets.token_hex(_ID_BYTES), secret=secrets.token_urlsafe(_SECRET_BYTES))

    def build(self) -> str:
        """The text that the bearer sends."""
        return f"disco_{self.id}_{self.secret}"

    @property
    def secret_hash(self) -> bytes:
        """What is kept of the secret.

        Plain SHA-256, for the secret is random: a slow hash protects what people make up.
        """
        return hashlib.sha256(self.secret.encode()).digest()


@dataclass(frozen=True, kw_only=True)
class Key:
    """What is known of a key."""

    id: str
    name: str  # whose it is, or what for
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None  # None: never
    revoked_at: datetime | None  # None: not revoked
    user_id: str | None = None  # on whose behalf the bearer acts, where a token says so

    def holds(self, now: datetime) -> bool:
        """Whether it lets anybody in at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def parse(text: str) -> KeyText | None:
    """The key that `build` made the text of; None if it cannot be one."""
    match = _GRAMMAR.fullmatch(text) if len(text) <= LONGEST else None
    return KeyText(id=match[1], secret=match[2]) if match else None


def matches(given: KeyText, secret_hash: bytes) -> bool:
    """Whether the secret is the one that was hashed; takes as long whatever the answer is."""
    return hmac.compare_digest(given.secret_hash, secret_hash)


def scopes_of(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes of these names, at least one; raises `UnknownScopeError`."""
    known = {str(scope): scope for scope in Scope}
    wanted = set(names)
    if not wanted or (unknown := sorted(wanted - known.keys())):
        given = repr(unknown[0]) if wanted else "nothing"
        raise UnknownScopeError(f"{given} is no scope; there are: {', '.join(known)}")
    return frozenset(known[name] for name in wanted)
