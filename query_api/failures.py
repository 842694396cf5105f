"""Failures: a request that ends in an exception, or not in time, still gets a proper answer.

A browser gets a page, everybody else problem JSON. `problems` says which status and text.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from elastic_transport import TransportError
from elasticsearch import ApiError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import telemetry
from core.engine import is_unavailable
from query_api import problems
from query_api.access import request_id_of, route_of
from query_api.problems import QueryError

# Where programs ask; never answered with a page, whatever they accept.
_PROGRAM_PATHS: Final = ("/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/static/")

# Renders the page that tells a person of an error.
ErrorPage = Callable[[Request, QueryError], Response]

_log = telemetry.logger("query_api")


class FailureAnswers:
    """Turns exceptions into answers."""

    def __init__(self, error_page: ErrorPage) -> None:
        self._error_page = error_page

    async def __call__(self, request: Request, error: Exception) -> Response:
        """The answer to a request that ended in `error`."""
        if _is_page(request.scope):
            return self._error_page(request, problems.error_from(error))
        return problems.response_from(error, request_id_of(request.scope))


class FailureMiddleware:
    """Ends requests that take too long, and answers what nothing below has answered."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        answers: FailureAnswers,
        time_limit: float,
        patient: Mapping[str, float],
    ) -> None:
        """Paths that begin with one of `patient` have its seconds, others `time_limit`."""
        self._app = app
        self._answers = answers
        self._time_limit = time_limit  # seconds
        self._patient = patient

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(self._limit(scope)):
                await self._app(scope, receive, watched)
        except Exception as error:
            _report(error, scope)
            if started:  # too late to say so in the answer
                raise
            response = await self._answers(Request(scope), error)
            await response(scope, receive, send)

    def _limit(self, scope: Scope) -> float:
        """Seconds that a request may take."""
        limits = (limit for path, limit in self._patient.items() if scope["path"].startswith(path))
        return next(limits, self._time_limit)


def _report(error: Exception, scope: Scope) -> None:
    """Log what only an operator can mend: briefly what passes by itself, with a trace what not."""
    fields = {"route": route_of(scope), "error": type(error).__name__}
    if is_unavailable(error) or isinstance(error, TimeoutError):
        _log.warning("engine_unavailable", **fields)
    elif isinstance(error, ApiError):
        _log.error("engine_refused", status=error.meta.status, body=error.body, **fields)
    elif isinstance(error, TransportError):
        _log.error("engine_call_failed", message=str(error), **fields)
    else:
        _log.exception("request_failed", **fields)


def _is_page(scope: Scope) -> bool:
    if scope["path"].startswith(_PROGRAM_PATHS):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")
