"""Rate limits: so many requests a second for each key, and for each address without one.

A token bucket each: it holds as many tokens as are earned in `BURST` seconds, and a request takes
one. Buckets are forgotten, the longest unused first, before they take much memory: whoever was
silent for so long had a full one.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from query_api.doorkeeper import Doorkeeper
from query_api.failures import FailureAnswers
from query_api.headers import API_PATH, LIMIT_HEADERS
from query_api.metrics import REQUESTS_LIMITED
from query_api.problems import Code, QueryError

BURST: Final = 5.0  # seconds whose tokens can be spent at once
_MOST: Final = 50_000  # buckets of either kind
_NETWORK_V6: Final = 64  # bits of an address that one household or machine has to itself


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What came of asking for a token."""

    granted: bool
    limit: int  # tokens of a full bucket
    remaining: int  # tokens that are left
    reset: int  # seconds until the bucket is full
    retry: int  # seconds until there is a token, 1 at least


class Buckets:
    """Buckets by name, all of one rate. A rate of 0 is no limit."""

    def __init__(
        self, rate: float, *, most: int = _MOST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate  # tokens a second
        self._size = max(1.0, rate * BURST)
        self._most = most
        self._clock = clock
        self._filled: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when

    def __len__(self) -> int:
        return len(self._filled)

    def take(self, name: str) -> Taken | None:
        """Take a token; None where there is no limit."""
        if not self._rate:
            return None
        now = self._clock()
        tokens, since = self._filled.pop(name, (self._size, now))
        tokens = min(self._size, tokens + (now - since) * self._rate)
        granted = tokens >= 1.0
        left = tokens - granted
        self._filled[name] = (left, now)
        if len(self._filled) > self._most:
            self._filled.popitem(last=False)
        return Taken(
            granted=granted,
            limit=int(self._size),
            remaining=int(left),
            reset=math.ceil((self._size - left) / self._rate),
            retry=max(1, math.ceil((1.0 - left) / self._rate)),
        )


class RateLimitMiddleware:
    """Answers 429 to who asks too often, and tells everybody how much he may still ask."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        answers: FailureAnswers,
        doorkeeper: Doorkeeper,
        addresses: Buckets,
        keys: Buckets,
    ) -> None:
        self._app = app
        self._answers = answers
        self._doorkeeper = doorkeeper
        self._addresses = addresses
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Probes and metrics are not limited."""
        if scope["type"] != "http" or not _is_limited(scope["path"]):
            await self._app(scope, receive, send)
            return
        # Only a key that was found to be one of ours counts as one: made-up ones are no way out.
        key = self._doorkeeper.remembered(Request(scope))
        taken = self._keys.take(key) if key else self._addresses.take(_address(scope))
        if taken is None:
            await self._app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tell(MutableHeaders(scope=message), taken)
            await send(message)

        if taken.granted:
            await self._app(scope, receive, told)
            return
        REQUESTS_LIMITED.labels("key" if key else "address").inc()
        refusal = QueryError(
            Code.RATE_LIMITED, f"Too many requests. Come back in {taken.retry} s, and ask seldomer."
        )
        response = await self._answers(Request(scope), refusal)
        await response(scope, receive, told)


def _is_limited(path: str) -> bool:
    return path.startswith(API_PATH) or path == "/"


def _tell(headers: MutableHeaders, taken: Taken) -> None:
    told = (taken.limit, taken.remaining, taken.reset)
    headers.update(dict(zip(LIMIT_HEADERS, map(str, told), strict=True)))
    if not taken.granted:
        headers["Retry-After"] = str(taken.retry)


def _address(scope: Scope) -> str:
    """Whom a request comes from, as far as that tells one from another."""
    host = str(scope["client"][0]) if scope.get("client") else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, _NETWORK_V6), strict=False))
    return str(address)
