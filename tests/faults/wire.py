"""A wire: what connections to a service go through, and what can be wrong with it.

Bytes are never lost on it: a network that loses some sends them again, so that to those who talk
over it they are late, or the connection ends.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 65_536  # bytes
_AGAIN = 0.2  # seconds after which connections that came meanwhile are spoilt, too


class Wire:
    """A port of its own, from which all goes to the service's."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._delay = 0.0  # seconds that each piece takes
        self._passing = asyncio.Event()
        self._passing.set()
        self._links: set[asyncio.Task[None]] = set()
        self._upstream: set[asyncio.StreamWriter] = set()  # towards the service
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it is listened on."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Meanwhile each piece arrives that much later."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Meanwhile nothing arrives; afterwards all of it does."""
        self._passing.clear()
        try:
            yield
        finally:
            self._passing.set()

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        """Meanwhile connections end as soon as they are there."""
        async with self._again_and_again(self._cut_all):
            yield

    @asynccontextmanager
    async def half_closed(self) -> AsyncIterator[None]:
        """Meanwhile the service is told that nobody will say anything more."""
        async with self._again_and_again(self._half_close_all):
            yield

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def close(self) -> None:
        """Listen no more, and end what goes through it."""
        assert self._server is not None
        self._server.close()
        self._passing.set()
        self._cut_all()
        await asyncio.gather(*self._links, return_exceptions=True)

    def _cut_all(self) -> None:
        for link in self._links:
            link.cancel()

    def _half_close_all(self) -> None:
        for writer in self._upstream:
            with contextlib.suppress(OSError, RuntimeError):
                writer.write_eof()

    @asynccontextmanager
    async def _again_and_again(self, spoil: Callable[[], None]) -> AsyncIterator[None]:

        async def spoiling() -> None:
            while True:
                spoil()
                await asyncio.sleep(_AGAIN)

        task = asyncio.create_task(spoiling())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.create_task(self._link(reader, writer))
        self._links.add(link)
        link.add_done_callback(self._links.discard)
        await asyncio.gather(link, return_exceptions=True)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until both sides have ended it."""
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.transport.abort()
            return
        self._upstream.add(far_writer)
        try:
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        finally:
            self._upstream.discard(far_writer)
            for end in (writer, far_writer):
                end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(_CHUNK):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._passing.wait()
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
        except (OSError, RuntimeError):  # it broke, or was half closed
            writer.transport.abort()


@asynccontextmanager
async def laid(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to the service at `url`, and the address that leads through it."""
    parts = urlsplit(url)
    assert parts.hostname, url
    assert parts.port, url
    wire = Wire(parts.hostname, parts.port)
    await wire.open()
    try:
        whom, at, _ = parts.netloc.rpartition("@")
        yield wire, urlunsplit(parts._replace(netloc=f"{whom}{at}127.0.0.1:{wire.port}"))
    finally:
        await wire.close()
