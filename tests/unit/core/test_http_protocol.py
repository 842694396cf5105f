"""Connections whose request's head is without end, or does not come, are ended."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from core import http_protocol
from core.http_protocol import LARGEST_HEAD, BoundedProtocol

PATIENCE = 10.0  # seconds


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """Says hello, once it has read the whole body."""
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        hello, http=BoundedProtocol, lifespan="off", ws="none", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await asyncio.wait_for(serving, PATIENCE)
    listener.close()


@contextlib.asynccontextmanager
async def connected(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_requests_on_one_connection_are_answered(port: int) -> None:
    async with connected(port) as (reader, writer), asyncio.timeout(PATIENCE):
        for _ in range(3):
            body = b"x" * 2 * LARGEST_HEAD  # a body is not a head
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(body))
            writer.write(body)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(5) == b"hello"


@pytest.mark.parametrize("piece", [b"x-many: headers\r\n", b"x" * 1_000], ids=["many", "long"])
async def test_a_head_without_end_is_refused(port: int, piece: bytes) -> None:
    async with connected(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\nx-first: ")
        with contextlib.suppress(OSError):
            for _ in range(4 * LARGEST_HEAD // len(piece)):
                writer.write(piece)
                await writer.drain()
        with contextlib.suppress(OSError):
            assert (await reader.read()).startswith(b"HTTP/1.1 431")


async def test_a_head_that_does_not_come_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.05)
    for beginning in (b"", b"GET / HTTP/1.1\r\nhost: a\r\n"):
        async with connected(port) as (reader, writer), asyncio.timeout(PATIENCE):
            writer.write(beginning)
            assert await reader.read() == b""
