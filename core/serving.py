"""Serving: an ASGI application on a port, until SIGTERM."""

import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import uvicorn

from core.errors import UsageError
from core.http_protocol import BoundedProtocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_KEEP_ALIVE_SECONDS: Final = 30
_BACKLOG: Final = 2048


def serve(
    app: "ASGIApp",
    *,
    host: str,
    port: int,
    port_setting: str,
    drain_seconds: int,
    trusted_proxies: str = "127.0.0.1",
    on_listening: Callable[[str], None],
    on_stopping: Callable[[], None] = lambda: None,
    date_header: bool = True,
) -> str:
    """Serve until SIGTERM or SIGINT, then finish the requests in progress; the address.

    `on_listening` gets the address once requests are answered; with port 0 it tells the port.
    `on_stopping` is called before the requests in progress are waited for, to end those that would
    go on by themselves. A request in progress may take `drain_seconds` after the signal. What
    `trusted_proxies` say of whom a request comes from is believed. Raises `UsageError`, which names
    `port_setting`, when the address cannot be listened on.
    """
    listener = _listen(host, port, port_setting)
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        forwarded_allow_ips=trusted_proxies,
        access_log=False,  # the applications have their own logs and metrics
        log_config=None,
        log_level="warning",
        server_header=False,
        date_header=date_header,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=drain_seconds,
    )
    # Uvicorn raises the signal again when it has shut down; to be stopped is no failure.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: None)
    _AnnouncedServer(config, address, on_listening, on_stopping).run(sockets=[listener])
    return address


class _AnnouncedServer(uvicorn.Server):
    """Says when and where it answers, and when it is about to stop."""

    def __init__(
        self,
        config: uvicorn.Config,
        address: str,
        on_listening: Callable[[str], None],
        on_stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._address = address
        self._on_listening = on_listening
        self._on_stopping = on_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self._on_listening(self._address)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell, then stop."""
        self._on_stopping()
        await super().shutdown(sockets)


def _listen(host: str, port: int, port_setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"cannot listen on {host} port {port} ({error}); give another --port, or set "
            f"{port_setting}"
        ) from error
