"""Problems: every way in which a request can fail, in one table, as RFC 9457 JSON.

A problem's `code` is stable: clients may branch on it. Its `detail` is for people and may change.
This module is the one place where an error becomes an HTTP status.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import orjson
from elastic_transport import ConnectionTimeout, TransportError
from elasticsearch import ApiError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from core.errors import DiscoError

MEDIA_TYPE: Final = "application/problem+json"


class Code(StrEnum):
    """What went wrong. The values are part of the API."""

    UNKNOWN_PARAMETER = "unknown_parameter"
    REPEATED_PARAMETER = "repeated_parameter"
    INVALID_VALUE = "invalid_value"
    CURSOR_INVALID = "cursor_invalid"
    CURSOR_MISMATCH = "cursor_mismatch"
    CURSOR_EXPIRED = "cursor_expired"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    CROSS_SITE = "cross_site"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BAD_REQUEST = "bad_request"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    VARIANT_UNAVAILABLE = "variant_unavailable"
    SERVICE_UNAVAILABLE = "service_unavailable"
    NOT_INDEXED = "not_indexed"
    ENGINE_UNREACHABLE = "engine_unreachable"
    ENGINE_OVERLOADED = "engine_overloaded"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is the same for every problem of one code."""

    status: int  # HTTP status
    title: str  # one line for people, the same every time
    retry_after: int | None = None  # seconds; given when waiting may help


KINDS: Final[Mapping[Code, Kind]] = {
    Code.UNKNOWN_PARAMETER: Kind(status=422, title="Unknown parameter"),
    Code.REPEATED_PARAMETER: Kind(status=422, title="Parameter given more than once"),
    Code.INVALID_VALUE: Kind(status=422, title="Invalid value of a parameter"),
    Code.CURSOR_INVALID: Kind(status=422, title="Not a cursor of this service"),
    Code.CURSOR_MISMATCH: Kind(status=422, title="Cursor of another search"),
    Code.CURSOR_EXPIRED: Kind(status=422, title="Expired cursor"),
    Code.UNAUTHORIZED: Kind(status=401, title="A key is needed"),
    Code.FORBIDDEN: Kind(status=403, title="The key does not allow that"),
    Code.CROSS_SITE: Kind(status=403, title="Asked for by another site"),
    Code.NOT_FOUND: Kind(status=404, title="Not found"),
    Code.METHOD_NOT_ALLOWED: Kind(status=405, title="Method not allowed"),
    Code.BAD_REQUEST: Kind(status=400, title="Bad request"),
    Code.REFUSED: Kind(status=409, title="Refused"),
    Code.BODY_TOO_LARGE: Kind(status=413, title="Body too large"),
    Code.UNSUPPORTED_MEDIA_TYPE: Kind(status=415, title="Unsupported media type"),
    Code.RATE_LIMITED: Kind(status=429, title="Too many requests", retry_after=1),
    Code.OVERLOADED: Kind(status=503, title="Too much is asked for", retry_after=1),
    Code.VARIANT_UNAVAILABLE: Kind(status=503, title="Variant is unavailable", retry_after=10),
    Code.SERVICE_UNAVAILABLE: Kind(status=503, title="A service is unavailable", retry_after=2),
    Code.NOT_INDEXED: Kind(status=503, title="Not indexed yet", retry_after=10),
    Code.ENGINE_UNREACHABLE: Kind(status=503, title="Search is unavailable", retry_after=2),
    Code.ENGINE_OVERLOADED: Kind(status=503, title="Search is overloaded", retry_after=1),
    Code.DEADLINE_EXCEEDED: Kind(status=504, title="Search took too long"),
    Code.INTERNAL_ERROR: Kind(status=500, title="Internal error"),
}

# A page of results forgives them, for people keep links.
CURSOR_CODES: Final = frozenset({Code.CURSOR_INVALID, Code.CURSOR_MISMATCH, Code.CURSOR_EXPIRED})
DEADLINE_DETAIL: Final = (
    "The search did not finish within its time limit. Try fewer or longer words, or try again."
)
_INTERNAL_DETAIL: Final = "Something broke on our side. The request id names it in our logs."
_HTTP_DETAILS: Final = {
    Code.NOT_FOUND: "There is nothing at this address. GET /openapi.json lists what there is.",
    Code.METHOD_NOT_ALLOWED: "This address does not take that method; the Allow header names those "
    "it takes.",
}
_BY_EXIT_CODE: Final = {1: Code.REFUSED, 2: Code.INVALID_VALUE, 3: Code.SERVICE_UNAVAILABLE}
_HTTP_CODES: Final = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED}
_OVERLOADED_STATUS: Final = 429
_TIMED_OUT_STATUS: Final = 504
_TIMED_OUT_TYPE: Final = "search_timeout_exception"


class QueryError(DiscoError):
    """The root of this package's errors: a request cannot be answered.

    `code` says why; `parameter` and `allowed` what to change, where the request is at fault.
    """

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        parameter: str | None = None,
        allowed: tuple[str, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.parameter = parameter
        self.allowed = allowed


class Problem(BaseModel):
    """The body of every answer that is not a success (RFC 9457)."""

    model_config = ConfigDict(frozen=True)

    type: Annotated[str, Field(description="URI that identifies the code.")]
    title: Annotated[str, Field(description="The code in words; the same every time.")]
    status: Annotated[int, Field(description="The HTTP status.")]
    code: Annotated[Code, Field(description="Stable name of what went wrong; branch on this.")]
    detail: Annotated[str, Field(description="What went wrong this time, and what to do.")]
    parameter: Annotated[
        str | None, Field(description="The parameter at fault, where there is one.")
    ] = None
    allowed: Annotated[
        list[str] | None, Field(description="Names or values that would have been right.")
    ] = None
    request_id: Annotated[str, Field(description="Names this request in our logs.")]


def error_from(error: Exception) -> QueryError:
    """The error of ours that tells a client about any exception; never leaks its text."""
    if isinstance(error, QueryError):
        return error
    if isinstance(error, HTTPException):
        code = _HTTP_CODES.get(error.status_code, Code.BAD_REQUEST)
        return QueryError(code, _HTTP_DETAILS.get(code, error.detail))
    if isinstance(error, TransportError | ApiError):
        return _from_engine(error)
    if isinstance(error, TimeoutError):
        return QueryError(Code.DEADLINE_EXCEEDED, DEADLINE_DETAIL)
    return QueryError(Code.INTERNAL_ERROR, _INTERNAL_DETAIL)


def refusal(error: DiscoError) -> QueryError:
    """The error that tells a client why an operation of another package was not done."""
    if isinstance(error, QueryError):
        return error
    return QueryError(_BY_EXIT_CODE[error.exit_code], str(error))


def problem_from(error: QueryError, request_id: str) -> Problem:
    """The body that tells of an error."""
    kind = KINDS[error.code]
    return Problem(
        type=f"urn:disco:problem:{error.code}",
        title=kind.title,
        status=kind.status,
        code=error.code,
        detail=error.detail,
        parameter=error.parameter,
        allowed=list(error.allowed) or None,
        request_id=request_id,
    )


def status_of(error: QueryError) -> int:
    """The HTTP status that answers an error."""
    return KINDS[error.code].status


def headers_of(error: QueryError) -> dict[str, str]:
    """The headers that go with an error: never cached, and when to come back."""
    headers = {"Cache-Control": "no-store"}
    if error.code is Code.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="disco"'
    if (seconds := KINDS[error.code].retry_after) is not None:
        headers["Retry-After"] = str(seconds)
    return headers


def response_from(error: Exception, request_id: str) -> Response:
    """The answer to a request that ended in `error`, as problem JSON."""
    known = error_from(error)
    problem = problem_from(known, request_id)
    headers = headers_of(known)
    if isinstance(error, HTTPException):  # a 405 names the methods that are allowed
        headers |= dict(error.headers or {})
    return Response(
        orjson.dumps(problem.model_dump(mode="json", exclude_none=True)),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def _from_engine(error: TransportError | ApiError) -> QueryError:
    status = error.meta.status if isinstance(error, ApiError) else None
    if (
        isinstance(error, ConnectionTimeout)
        or status == _TIMED_OUT_STATUS
        or _ran_out_of_time(error)
    ):
        return QueryError(Code.DEADLINE_EXCEEDED, DEADLINE_DETAIL)
    if status == _OVERLOADED_STATUS:
        return QueryError(
            Code.ENGINE_OVERLOADED, "More searches came in than can be answered. Try again."
        )
    if status is None or status >= 500:
        return QueryError(
            Code.ENGINE_UNREACHABLE, "The search engine does not answer right now. Try again."
        )
    # The engine refused what we planned: that is our mistake, not the client's.
    return QueryError(Code.INTERNAL_ERROR, _INTERNAL_DETAIL)


def _ran_out_of_time(error: TransportError | ApiError) -> bool:
    """Whether a shard ended a search at its deadline: a 429 whose cause is not overload."""
    body = error.body if isinstance(error, ApiError) else None
    if not isinstance(body, dict) or not isinstance(body.get("error"), dict):
        return False
    causes = body["error"].get("root_cause", ())
    return any(cause.get("type") == _TIMED_OUT_TYPE for cause in causes)
