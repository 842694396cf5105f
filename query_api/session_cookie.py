"""The cookie of a page session: whose key was entered, until when, and our signature.

Grammar: `<key id>.<Unix seconds>.<signature>`, the signature being HMAC-SHA256 in 64 hexadecimal
digits over what stands before it. `build` and `parse` are each other's inverse. It has no part of
the key's secret: who reads the cookie can use pages until it ends, and nothing else.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

NAME: Final = "disco_session"
LIFETIME: Final = 12 * 3600  # seconds; a working day
_GRAMMAR: Final = re.compile(r"([0-9a-f]{12}\.([0-9]{1,12}))\.([0-9a-f]{64})")
_LONGEST: Final = 128  # characters


@dataclass(frozen=True, kw_only=True)
class PageSession:
    """Somebody who has entered a key."""

    key_id: str
    ends_at: int  # Unix seconds


class SessionSigner:
    """Builds and parses the cookies that carry one secret's signature."""

    def __init__(self, secret: bytes) -> None:
        # The key is derived, so that a secret shared with other uses never signs for them.
        self._key = hashlib.sha256(b"disco page session\0" + secret).digest()

    def build(self, key_id: str, *, now: float) -> str:
        """The cookie of a session that begins at `now` (Unix seconds)."""
        payload = f"{key_id}.{int(now) + LIFETIME}"
        return f"{payload}.{self._sign(payload)}"

    def parse(self, text: str, *, now: float) -> PageSession | None:
        """The session that `build` made `text` of; None: it is none of ours, or has ended."""
        match = _GRAMMAR.fullmatch(text) if len(text) <= _LONGEST else None
        if match is None or not hmac.compare_digest(match[3], self._sign(match[1])):
            return None
        session = PageSession(key_id=match[1].partition(".")[0], ends_at=int(match[2]))
        return session if now < session.ends_at else None

    def _sign(self, payload: str) -> str:
        return hmac.digest(self._key, payload.encode(), "sha256").hex()
