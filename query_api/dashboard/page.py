"""The page `/dashboard`, and the stream that keeps it up to date."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from access.operations import Key
from query_api.dashboard.panels import board
from query_api.dashboard.sampler import Sample, Sampler
from query_api.page_templates import PageTemplates
from query_api.problems import Code, QueryError
from query_api.trials import FollowedTrials

PATH: Final = "/dashboard"
STREAM_PATH: Final = "/dashboard/events"
#: Seconds that a stream lasts; browsers then begin another, and the key is looked at again.
STREAM_SECONDS: Final = 300.0
_EVENTS: Final = "text/event-stream"
_MOST_STREAMS: Final = 50
_RETRY: Final = b"retry: 3000\n\n"  # milliseconds until a browser begins another stream


class Dashboard:
    """Shows how the service does."""

    def __init__(self, sampler: Sampler, trials: FollowedTrials, templates: PageTemplates) -> None:
        self._sampler = sampler
        self._trials = trials
        self._templates = templates
        self._task: asyncio.Task[None] | None = None
        self._streams = 0
        self._ending = asyncio.Event()
        self._rendered: tuple[Sample | None, bytes] = (None, b"")

    def start(self) -> None:
        """Begin to sample; in the loop that serves."""
        self._task = asyncio.create_task(self._sampler.run())

    async def close(self) -> None:
        """End sampling, and close what was opened."""
        self.end_streams()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._sampler.close()

    def end_streams(self) -> None:
        """Have all streams end: they would otherwise keep a server from stopping."""
        self._ending.set()

    async def show(self, _request: Request, key: Key) -> Response:
        """`GET /dashboard`: the page, complete without scripts."""
        sample = await self._sampler.watch()
        return self._templates.render(
            "dashboard.html",
            board=board(sample, self._sampler.history, self._trials.current()),
            key=key.name,
            q="",
        )

    async def stream(self, request: Request, _key: Key) -> Response:
        """`GET /dashboard/events`: the panels as HTML, whenever there are new numbers."""
        if self._streams >= _MOST_STREAMS:
            raise QueryError(Code.SERVICE_UNAVAILABLE, "Too many watch this already.")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if request.method == "HEAD":  # asks what there is, and reads none of it
            return Response(headers=headers, media_type=_EVENTS)
        return StreamingResponse(self._events(), media_type=_EVENTS, headers=headers)

    async def _events(self) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            yield _RETRY
            until = time.monotonic() + STREAM_SECONDS
            while time.monotonic() < until and not self._ending.is_set():
                sample = await self._sampler.watch()
                yield self._event(sample)
                await self._next(sample)
        finally:
            self._streams -= 1

    async def _next(self, sample: Sample) -> None:
        """Wait until there is another sample, or streams are to end."""
        waits = [
            asyncio.ensure_future(self._sampler.changed(sample)),
            asyncio.ensure_future(self._ending.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    def _event(self, sample: Sample) -> bytes:
        """A sample as an event; all who watch get the same bytes."""
        if self._rendered[0] is not sample:
            shown = board(sample, self._sampler.history, self._trials.current())
            html = self._templates.fragment("dashboard_panels.html", board=shown)
            lines = "".join(f"data: {line}\n" for line in html.splitlines())
            self._rendered = (sample, f"event: panels\n{lines}\n".encode())
        return self._rendered[1]
