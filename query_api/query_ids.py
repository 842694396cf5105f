"""Query ids: they name a search, and can be told from what anybody else made up.

Grammar: 12 hex digits of milliseconds (48 bits, so that ids sort by time), 16 random ones, and 16
of a signature over both (HMAC-SHA256, cut to 64 bits). `new` and `check` are each other's inverse.
"""

import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime
from typing import Final

#: Seconds after a search in which it can be said what people did with it.
LIFETIME: Final = 86_400
_SIGNATURE_BYTES: Final = 8
_GRAMMAR: Final = re.compile(r"[0-9a-f]{44}")
_TIME_DIGITS: Final = 12
_SIGNED_DIGITS: Final = 28


class QueryIds:
    """Makes and checks the ids that carry one secret's signature."""

    def __init__(self, secret: bytes) -> None:
        # The key is derived, so that a secret shared with other uses never signs for them.
        self._key = hashlib.sha256(b"disco query id\0" + secret).digest()

    def new(self, now: float) -> str:
        """A new id, of a search at `now` (Unix seconds)."""
        signed = f"{int(now * 1000):012x}{secrets.token_hex(8)}"
        return signed + self._sign(signed)

    def check(self, text: str) -> datetime | None:
        """When the search of an id was made; None: the id was not made here."""
        if not _GRAMMAR.fullmatch(text):
            return None
        signed, signature = text[:_SIGNED_DIGITS], text[_SIGNED_DIGITS:]
        if not hmac.compare_digest(signature, self._sign(signed)):
            return None
        return time_of(text)

    def _sign(self, signed: str) -> str:
        return hmac.digest(self._key, signed.encode(), "sha256")[:_SIGNATURE_BYTES].hex()


def time_of(query_id: str) -> datetime:
    """When the search of an id of ours was made."""
    return datetime.fromtimestamp(int(query_id[:_TIME_DIGITS], 16) / 1000, UTC)
