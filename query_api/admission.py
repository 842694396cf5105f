"""Admission: as many requests at a time as can be answered in time; the others are told so at once.

A process that takes in everything answers nothing: each request would wait behind all that came
before it, until nobody waits for its answer any more. So a bounded number is worked on, a few wait
a moment, and the rest is refused with little work. Probes always get in; what nobody waits for
has a quarter of the room, and no place in the queue.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from query_api.failures import FailureAnswers
from query_api.metrics import REQUESTS_SHED, REQUESTS_WAITING
from query_api.problems import Code, QueryError

PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
# Where nobody searches and waits.
_BACKGROUND: Final = ("/v1/admin/", "/v1/judgments", "/dashboard")
_BACKGROUND_SHARE: Final = 4  # one part in so many


class Shed(StrEnum):
    """Why a request is sent away."""

    QUEUE_FULL = "queue_full"  # too many wait already
    WAITED = "waited"  # none of those inside was done in time
    BACKGROUND = "background"  # nobody waits for it, and its share of the room is taken


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much there is."""

    inside: int  # requests worked on at a time
    queue: int  # requests that may wait
    patience: float  # seconds that one may wait


class OverloadedError(Exception):
    """There is no room for a request."""

    def __init__(self, why: Shed) -> None:
        super().__init__(str(why))
        self.why = why


class Door:
    """Counts who is inside, and has others wait in order of arrival."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._inside = 0
        self._background = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def inside(self, *, background: bool = False) -> AsyncIterator[None]:
        """Around the work on one request; raises `OverloadedError` instead of letting it in."""
        await (self._enter_background() if background else self._enter())
        self._background += background
        try:
            yield
        finally:
            self._background -= background
            self._leave()

    async def _enter_background(self) -> None:
        share = max(1, self._room.inside // _BACKGROUND_SHARE)
        if self._background >= share or self._inside >= self._room.inside:
            raise OverloadedError(Shed.BACKGROUND)
        self._inside += 1

    async def _enter(self) -> None:
        if self._inside < self._room.inside:
            self._inside += 1
            return
        if len(self._queue) >= self._room.queue:
            raise OverloadedError(Shed.QUEUE_FULL)
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(ticket)
        REQUESTS_WAITING.inc()
        try:
            async with asyncio.timeout(self._room.patience):
                await ticket
        except BaseException as error:
            if ticket.done() and not ticket.cancelled():  # let in, and gone in the same moment
                self._leave()
            else:
                with contextlib.suppress(ValueError):  # passed over already by who left
                    self._queue.remove(ticket)
            if isinstance(error, TimeoutError):
                raise OverloadedError(Shed.WAITED) from None
            raise
        finally:
            REQUESTS_WAITING.dec()

    def _leave(self) -> None:
        """Give the place to the first who waits, or leave it empty."""
        while self._queue:
            ticket = self._queue.popleft()
            if not ticket.done():
                ticket.set_result(None)
                return
        self._inside -= 1


class AdmissionMiddleware:
    """Lets requests in, and sends away those for which there is no room."""

    def __init__(
        self, app: ASGIApp, *, answers: FailureAnswers, room: Room, uncounted: frozenset[str]
    ) -> None:
        """Requests for paths of `uncounted` always get in, and take no room."""
        self._app = app
        self._uncounted = uncounted
        self._answers = answers
        self._door = Door(room)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in self._uncounted:
            await self._app(scope, receive, send)
            return
        try:
            async with self._door.inside(background=scope["path"].startswith(_BACKGROUND)):
                await self._app(scope, receive, send)
        except OverloadedError as error:
            REQUESTS_SHED.labels(str(error.why)).inc()
            refusal = QueryError(
                Code.OVERLOADED, "More requests came in than can be answered in time. Try again."
            )
            response = await self._answers(Request(scope), refusal)
            await response(scope, receive, send)
