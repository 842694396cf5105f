"""The service as a bare ASGI application: answers take microseconds, so nothing surrounds them."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any, Final

import orjson
from prometheus_client import Counter

from core import telemetry
from suggest import metrics
from suggest.current import Current
from suggest.feed import State
from suggest.layers import Layers
from suggest.pressure import Pressure
from suggest.requests import BadRequestError, parse, problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_JSON: Final = (b"content-type", b"application/json")
_PROBLEM: Final = (b"content-type", b"application/problem+json")
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_METRICS: Final = (b"content-type", telemetry.METRICS_CONTENT_TYPE.encode())
# It holds public data and knows no credentials.
_OPEN: Final = (b"access-control-allow-origin", b"*")
_PLAIN: Final = (b"x-content-type-options", b"nosniff")
# A moment, so that what was deleted vanishes; after it, the edition tells whether anything changed.
_BRIEFLY: Final = (b"cache-control", b"public, max-age=1")
_NEVER: Final = (b"cache-control", b"no-store")
_PREFLIGHT: Final[Headers] = [
    _OPEN,
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"if-none-match"),
    (b"access-control-max-age", b"86400"),
]
_ALLOW: Final = (b"allow", b"GET, HEAD, OPTIONS")
_NOBODY: Final = b""
# How far the answer follows the database.
_OVERLAY: Final = {state: (b"x-disco-overlay", state.encode()) for state in State}


class SuggestApp:
    """Answers `GET /v1/suggest`, `/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, current: Current, pressure: Pressure | None = None) -> None:
        self._current = current
        self._pressure = pressure or Pressure()
        self._following: asyncio.Task[None] | None = None
        self._routes = {
            "/v1/suggest": self._suggest,
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or start and stop with the server."""
        if scope["type"] == "http":
            await self._answer(scope, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _answer(self, scope: Scope, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        route = self._routes.get(path)
        if route is None:
            status, headers, body = _not_found()
        elif method == "OPTIONS":
            status, headers, body = 204, _PREFLIGHT, _NOBODY
        elif method not in {"GET", "HEAD"}:
            status, headers, body = _not_allowed()
        else:
            status, headers, body = route(scope)
        _count(path if route else "none", status).inc()
        length = (b"content-length", b"%d" % len(body))
        # What has no body must not tell of one.
        sized = headers if status in {204, 304} else [*headers, length]
        await send({"type": "http.response.start", "status": status, "headers": [*sized, _PLAIN]})
        shown = _NOBODY if method == "HEAD" else body
        await send({"type": "http.response.body", "body": shown})

    def _suggest(self, scope: Scope) -> tuple[int, Headers, bytes]:
        layers = self._current.layers
        if layers is None:
            return _unready(self._current.missing)
        if self._pressure.is_high:
            return _overloaded()
        try:
            request = parse(scope["query_string"])
        except BadRequestError as error:
            body = problem(422, "Invalid request", error.code, str(error), error.parameter)
            return 422, [_PROBLEM, _OPEN, _NEVER], body
        tag = b'"%b"' % layers.tag
        headers = [_JSON, _OPEN, _BRIEFLY, (b"etag", tag), _OVERLAY[self._current.state]]
        if _matches(scope["headers"], tag):
            return 304, headers[1:], _NOBODY
        return 200, headers, _complete(layers, request)

    def _healthz(self, _scope: Scope) -> tuple[int, Headers, bytes]:
        return 200, [_TEXT, _NEVER], b"ok\n"

    def _readyz(self, _scope: Scope) -> tuple[int, Headers, bytes]:
        layers, missing = self._current.layers, self._current.missing
        body = {
            "state": "unready" if missing else "ready",
            "missing": missing,
            "snapshot": layers.base.edition if layers else None,
            "overlay": self._current.state,
        }
        return 503 if missing else 200, [_JSON, _NEVER], orjson.dumps(body)

    def _metrics(self, _scope: Scope) -> tuple[int, Headers, bytes]:
        self._current.report()
        return 200, [_METRICS, _NEVER], telemetry.render_metrics()

    async def _live(self, receive: Receive, send: Send) -> None:
        """Load the snapshot before the first request, and follow the pointer until the end."""
        await receive()
        await self._current.look()
        self._following = asyncio.create_task(self._current.follow())
        self._pressure.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pressure.stop()
        self._following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._following
        await self._current.close()
        await send({"type": "lifespan.shutdown.complete"})


@cache
def _count(path: str, status: int) -> Counter:
    """The counter of a route and status: to look it up takes as long as to find completions."""
    return metrics.REQUESTS.labels(path, status)


def _complete(layers: Layers, request: Any) -> bytes:
    began = time.perf_counter()
    body = layers.answer(
        request.typed, limit=request.limit, types=request.types, fuzzy=request.fuzzy
    )
    metrics.LOOKUP_SECONDS.observe(time.perf_counter() - began)
    return body


def _matches(headers: Headers, tag: bytes) -> bool:
    for name, value in headers:
        if name == b"if-none-match":
            return value.strip() == b"*" or tag in [
                one.strip().removeprefix(b"W/") for one in value.split(b",")
            ]
    return False


def _not_found() -> tuple[int, Headers, bytes]:
    body = problem(404, "Not found", "not_found", "There is nothing here; try GET /v1/suggest?q=…")
    return 404, [_PROBLEM, _OPEN, _NEVER], body


def _not_allowed() -> tuple[int, Headers, bytes]:
    body = problem(405, "Method not allowed", "method_not_allowed", "Use GET.")
    return 405, [_PROBLEM, _OPEN, _ALLOW, _NEVER], body


def _overloaded() -> tuple[int, Headers, bytes]:
    detail = "More requests came in than can be answered in time. Try again."
    body = problem(503, "Too much is asked for", "overloaded", detail)
    return 503, [_PROBLEM, _OPEN, _NEVER, (b"retry-after", b"1")], body


def _unready(missing: list[str]) -> tuple[int, Headers, bytes]:
    body = problem(503, "Not ready", "not_ready", "; ".join(missing))
    return 503, [_PROBLEM, _OPEN, _NEVER, (b"retry-after", b"2")], body
