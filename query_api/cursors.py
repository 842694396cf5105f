"""Cursors: where the next page of a search begins, as an opaque, signed, URL-safe text.

Grammar: `base64url(signature[16] · veiled payload)` without padding. The payload is the JSON list
`[version, issued at (s), fingerprint, query id, position, variant, experiment, indices,
widening or null, after…]`; the signature is HMAC-SHA256 over it, cut to 16 bytes. The payload is
veiled by a stream that the key and the signature give (as in the mode SIV), for it holds values
that no hit shows, such as ranks. `build` and `parse` are each other's inverse.

A cursor belongs to its search: the fingerprint covers everything that decides which hits there are
and in which order, so a cursor cannot be used with another query, type or profile. The page size
may change on the way. The indices of the first page answer all others, too: positions in one index
mean nothing in another.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from query_api import widening
from query_api.problems import Code, QueryError
from query_api.widening import Widening

LIFETIME: Final = (
    3600  # seconds; scores drift as the index changes, so an old position means little
)
LONGEST: Final = 3072  # characters; more cannot be a cursor of ours
_VERSION: Final = 3
_SIGNATURE_BYTES: Final = 16
_RESTART = "Start again without `cursor`."


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The place behind the last hit of a page."""

    fingerprint: str  # of the search that it belongs to
    query_id: str  # of the search's first page: all pages are one search
    position: int  # hits on the pages before
    variant: str  # what answers the search
    experiment: str | None  # that chose the variant; None: none did
    indices: Mapping[str, str]  # that are searched, by entity type
    widening: Widening | None = None  # how the search was widened; None: it was not
    after: tuple[Any, ...]  # sort values of the last hit, as the engine gave them

    def check(self, fingerprint: str) -> None:
        """Raises `QueryError` if it belongs to another search than the one of the fingerprint."""
        if fingerprint != self.fingerprint:
            raise _error(
                Code.CURSOR_MISMATCH,
                "The cursor belongs to a search with other parameters, or was made before the "
                f"search changed. {_RESTART}",
            )


class CursorSigner:
    """Builds and parses the cursors that carry one secret's signature."""

    def __init__(self, secret: bytes) -> None:
        # The key is derived, so that a secret shared with other uses never signs for them.
        self._key = hashlib.sha256(b"disco cursor\0" + secret).digest()
        self._veil_key = hashlib.sha256(b"disco cursor veil\0" + secret).digest()

    def build(self, cursor: Cursor, *, now: float) -> str:
        """The text of a cursor, issued at `now` (Unix seconds)."""
        payload = orjson.dumps(
            [
                *(_VERSION, int(now), cursor.fingerprint, cursor.query_id, cursor.position),
                *(cursor.variant, cursor.experiment, dict(cursor.indices)),
                cursor.widening.state() if cursor.widening else None,
                *cursor.after,
            ]
        )
        signature = self._sign(payload)
        return _encode(signature + self._veiled(signature, payload))

    def parse(self, text: str, *, now: float) -> Cursor:
        """The cursor that `build` made `text` of; still to be held against its search.

        Raises `QueryError`: not a cursor of ours, or expired.
        """
        version, issued_at, *rest = orjson.loads(self._verified(text))
        if version != _VERSION or now - issued_at > LIFETIME:
            raise _error(
                Code.CURSOR_EXPIRED, f"The cursor has expired; it lasts an hour. {_RESTART}"
            )
        fingerprint, query_id, position, variant, experiment, indices, widened, *after = rest
        return Cursor(
            fingerprint=fingerprint,
            query_id=query_id,
            position=position,
            variant=variant,
            experiment=experiment,
            indices=indices,
            widening=widening.of_state(widened) if widened else None,
            after=tuple(after),
        )

    def _verified(self, text: str) -> bytes:
        raw = _decode(text)
        signature = raw[:_SIGNATURE_BYTES]
        payload = self._veiled(signature, raw[_SIGNATURE_BYTES:])
        if not hmac.compare_digest(signature, self._sign(payload)):
            raise _error(
                Code.CURSOR_INVALID,
                f"The cursor is damaged or was not made by this service. {_RESTART}",
            )
        return payload

    def _veiled(self, signature: bytes, payload: bytes) -> bytes:
        """The payload behind its veil, or from behind it."""
        veil = hashlib.shake_256(self._veil_key + signature).digest(len(payload))
        return bytes(one ^ other for one, other in zip(payload, veil, strict=True))

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, "sha256")[:_SIGNATURE_BYTES]


def gone() -> QueryError:
    """The error of a cursor whose index was deleted."""
    return _error(
        Code.CURSOR_EXPIRED, f"The index that the cursor belongs to was replaced. {_RESTART}"
    )


def _decode(text: str) -> bytes:
    try:
        padded = text + "=" * (-len(text) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except ValueError:  # not ASCII, or not base64
        raw = b""
    # Base64 ignores the spare bits of its last character: only the text we made is accepted.
    if not raw or _encode(raw) != text:
        raise _error(Code.CURSOR_INVALID, f"The cursor is not one of this service's. {_RESTART}")
    return raw


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _error(code: Code, detail: str) -> QueryError:
    return QueryError(code, detail, parameter="cursor")
