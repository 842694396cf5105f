"""Requests: what a query string asks for, and what is wrong with it. Bytes in, no I/O."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote_to_bytes

import orjson

from suggest.errors import SuggestError
from suggest.kernel.memory import DEFAULT_LIMIT, MOST_RESULTS

LONGEST: Final = 1_000  # characters of `q`
_MOST_TYPES: Final = 64
_YES: Final = frozenset({"true", "1", "yes"})
_NO: Final = frozenset({"false", "0", "no"})
_PARAMETERS: Final = frozenset({"q", "type", "limit", "fuzzy"})
_PLAIN: Final = {name.encode(): name for name in _PARAMETERS}  # as nearly everybody writes them


class Code(StrEnum):
    """What is wrong. The values are part of the API, and mean what they mean in the query API."""

    UNKNOWN_PARAMETER = "unknown_parameter"
    REPEATED_PARAMETER = "repeated_parameter"
    INVALID_VALUE = "invalid_value"


class BadRequestError(SuggestError):
    """A query string cannot be answered. `parameter` names what to mend."""

    exit_code = 2

    def __init__(self, code: Code, parameter: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.parameter = parameter


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question."""

    typed: str
    types: tuple[str, ...]  # none: all
    limit: int
    fuzzy: bool


def parse(query_string: bytes) -> Request:
    """The request that a query string stands for; raises `BadRequestError`."""
    values = _values(query_string)
    return Request(
        typed=_typed(values.get("q", "")),
        types=_types(values.get("type", "")),
        limit=_limit(values.get("limit")),
        fuzzy=_flag("fuzzy", values["fuzzy"]) if "fuzzy" in values else True,
    )


def _values(query_string: bytes) -> dict[str, str]:
    values: dict[str, str] = {}
    for field in query_string.split(b"&"):
        if not field:
            continue
        raw_name, _, raw_value = field.partition(b"=")
        name = _PLAIN.get(raw_name) or _text("the name of a parameter", raw_name)
        if name not in _PARAMETERS:
            known = ", ".join(sorted(_PARAMETERS))
            raise BadRequestError(
                Code.UNKNOWN_PARAMETER, name[:60], f"There is no {name[:60]!r}; there are {known}."
            )
        if name in values:
            raise BadRequestError(Code.REPEATED_PARAMETER, name, f"Give {name!r} once.")
        values[name] = _text(name, raw_value)
    return values


def _text(name: str, raw: bytes) -> str:
    try:
        if b"%" in raw or b"+" in raw:
            raw = unquote_to_bytes(raw.replace(b"+", b" "))
        return raw.decode()
    except UnicodeDecodeError:
        raise BadRequestError(Code.INVALID_VALUE, name, f"{name} is not UTF-8.") from None


def _typed(text: str) -> str:
    if len(text) > LONGEST:
        raise BadRequestError(
            Code.INVALID_VALUE, "q", f"q has {len(text):,} characters; send {LONGEST:,} at most."
        )
    return text


def _types(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    types = tuple(dict.fromkeys(part for part in text.split(",") if part))
    if len(types) > _MOST_TYPES or not types:
        raise BadRequestError(Code.INVALID_VALUE, "type", "Give types such as sound,user.")
    return types


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST_RESULTS:
        return int(text)
    raise BadRequestError(
        Code.INVALID_VALUE, "limit", f"limit is {text[:20]!r}; use 1 to {MOST_RESULTS}."
    )


def _flag(name: str, text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise BadRequestError(Code.INVALID_VALUE, name, f"{name} is {text[:20]!r}; use true or false.")


def problem(status: int, title: str, code: str, detail: str, parameter: str | None = None) -> bytes:
    """A problem as RFC 9457 JSON."""
    fields = {"type": "about:blank", "title": title, "status": status, "code": code}
    fields |= {"detail": detail} | ({"parameter": parameter} if parameter else {})
    return orjson.dumps(fields)
