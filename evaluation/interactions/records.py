"""Records: what the query API tells of a search that it answered, and of what people did then.

They travel as JSON, many in a message, and become rows as they are: the names of the fields are
those of the columns. No record has an address, and none has the id of a user or session in clear.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import orjson

_PSEUDONYM_BYTES: Final = 16


class Kind(StrEnum):
    """What somebody did with a hit."""

    IMPRESSION = "impression"  # it came into sight
    CLICK = "click"  # it was opened
    PLAY = "play"  # it was listened to
    DWELL = "dwell"  # somebody stayed with it, for so many seconds


#: What says that somebody wanted the hit.
CLICKS: Final = (Kind.CLICK, Kind.PLAY)


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """One thing that somebody did with a hit."""

    day: date  # of the search, in UTC
    query_id: str  # of the search
    id: str  # the client's own; the same id of the same search is the same interaction
    kind: Kind
    entity_type: str
    entity_id: str
    position: int  # from 1, as the client says; what was shown there is known from the search
    done_at: datetime  # by the client's clock, but not before the search, nor after `received_at`
    received_at: datetime
    seconds: float | None = None  # how long, of a play or a dwell


@dataclass(frozen=True, kw_only=True)
class ShownSearch:
    """One page of a search that was answered: an impression of each of its hits."""

    day: date  # of the search's first page, in UTC
    query_id: str
    first: int  # hits on the pages before
    searched_at: datetime
    text: str  # folded: what differs in case alone is the same
    types: Sequence[str]  # that were searched
    every_type: bool  # whether these are all there are
    total: int  # hits on all pages, counted up to 10,000
    took_ms: int
    hit_types: Sequence[str]  # of the hits, best first
    hit_ids: Sequence[str]
    teams: Sequence[str] | None  # whose hit each is, where two variants were interleaved
    variant: str
    experiment: str | None  # that chose the variant
    generations: Mapping[str, str]  # index that answered, by type
    edition: str | None  # rank edition that counted; None: none, or not known
    user_hash: str | None
    session_hash: str | None


Record = Interaction | ShownSearch
_NAMES: Final[Mapping[type, str]] = {Interaction: "interaction", ShownSearch: "search"}


def encode(record: Record) -> bytes:
    """A record as JSON."""
    return orjson.dumps({"record": _NAMES[type(record)], **vars(record)})


def body_of(encoded: Iterable[bytes]) -> bytes:
    """The body of a message of many records."""
    return b"[" + b",".join(encoded) + b"]"


def split(body: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The searches and the interactions of a message's body; raises `ValueError` for another's."""
    content = orjson.loads(body)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in _NAMES.values()}
    for one in content if isinstance(content, list) else [content]:
        name = one.get("record") if isinstance(one, dict) else None
        if name not in found:
            raise ValueError(f"no record of ours: {str(one)[:200]!r}")
        date.fromisoformat(str(one.get("day")))
        found[name].append(one)
    return found["search"], found["interaction"]


class Pseudonyms:
    """Stand-ins for ids of users and sessions. Whose they are is not to be told from them."""

    def __init__(self, secret: str) -> None:
        """Without a secret they last as long as the process."""
        self._key = secret.encode() or secrets.token_bytes(32)

    def user(self, text: str | None) -> str | None:
        """The stand-in for a user's id."""
        return self._of("user", text)

    def session(self, text: str | None) -> str | None:
        """The stand-in for a session's id."""
        return self._of("session", text)

    def _of(self, what: str, text: str | None) -> str | None:
        if text is None:
            return None
        digest = hmac.digest(self._key, f"disco {what}\0{text}".encode(), hashlib.sha256)
        return digest[:_PSEUDONYM_BYTES].hex()
