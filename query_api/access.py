"""Access: what surrounds every request. Its id, its log line and its metrics.

One pure ASGI middleware, outermost: whatever happens below, the answer carries the request's id,
and the request is counted once.
"""

import re
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import telemetry
from query_api import metrics

REQUEST_ID_HEADER: Final = "X-Request-Id"
NO_ROUTE: Final = "none"
_ACCEPTED_ID: Final = re.compile(
    r"[A-Za-z0-9._:/+=-]{1,128}"
)  # nothing that could forge a log line
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_QUIET_ROUTES: Final = frozenset({"/healthz", "/readyz", "/metrics", "/static/{name}"})
_CLIENT_CLOSED: Final = 499  # nobody waits for the answer any more; nginx's convention

_log = telemetry.logger("query_api")


class AccessMiddleware:
    """Gives every HTTP request its id, and accounts for it once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        with structlog.contextvars.bound_contextvars(request_id=exchange.request_id):
            metrics.REQUESTS_IN_PROGRESS.inc()
            try:
                await self._app(scope, receive, exchange.send)
            finally:
                metrics.REQUESTS_IN_PROGRESS.dec()
                exchange.account()


class _Exchange:
    """One request and what became of it."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.status: int | None = None  # of the answer, once it began
        self.request_id = _request_id(scope)
        self._scope = scope
        self._send = send
        self._started = time.perf_counter()
        scope.setdefault("state", {})["request_id"] = self.request_id

    async def send(self, message: Message) -> None:
        """Pass a message on; the first one gets the request's id and tells the status."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)[REQUEST_ID_HEADER] = self.request_id
        await self._send(message)

    def account(self) -> None:
        """Count the request and write its log line."""
        seconds = time.perf_counter() - self._started
        route, method = route_of(self._scope), self._scope["method"]
        status = _CLIENT_CLOSED if self.status is None else self.status
        label = method if method in _METHODS else "other"
        metrics.REQUESTS.labels(route, label, status).inc()
        metrics.REQUEST_SECONDS.labels(route).observe(seconds)
        write: Callable[..., Any] = _log.debug if route in _QUIET_ROUTES else _log.info
        # The path, but never the query string: what people search for is not for the access log.
        write(
            "request",
            method=label,
            path=self._scope["path"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
        )


def route_of(scope: Scope) -> str:
    """The template of the route that took the request, e.g. `/v1/search`."""
    route = scope.get("route")
    return getattr(route, "path", NO_ROUTE)


def request_id_of(scope: Scope) -> str:
    """The id of the request that `scope` belongs to."""
    return str(scope["state"]["request_id"])


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get(REQUEST_ID_HEADER)
    if given is not None and _ACCEPTED_ID.fullmatch(given):
        return given
    return secrets.token_hex(8)
