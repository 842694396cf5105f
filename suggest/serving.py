"""Serving: the application on a port, until SIGTERM."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn

from core import telemetry
from core.errors import UsageError
from core.settings import Settings
from suggest.app import SuggestApp
from suggest.current import Current
from suggest.store import Store

_DRAIN_SECONDS: Final = 5  # what a request in progress may still take after SIGTERM
_KEEP_ALIVE_SECONDS: Final = 30
_BACKLOG: Final = 2048

_log = telemetry.logger("suggest")


def serve(settings: Settings, *, on_listening: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in progress.

    `on_listening` gets the address once requests are answered; with port 0 it tells the port.
    Raises `UsageError` when the address cannot be listened on.
    """
    listener = _listen(settings.suggest_host, settings.suggest_port)
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    config = uvicorn.Config(
        SuggestApp(Current(Store(Path(settings.suggest_store)))),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        interface="asgi3",
        access_log=False,  # a line for each key that is pressed would say nothing
        log_config=None,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    # Uvicorn raises the signal again when it has shut down; to be stopped is no failure.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: None)
    _AnnouncedServer(config, address, on_listening).run(sockets=[listener])
    _log.info("suggest_stopped", address=address)


class _AnnouncedServer(uvicorn.Server):
    """Says when and where it answers."""

    def __init__(
        self, config: uvicorn.Config, address: str, on_listening: Callable[[str], None]
    ) -> None:
        super().__init__(config)
        self._address = address
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        _log.info("suggest_listening", address=self._address)
        self._on_listening(self._address)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"cannot listen on {host} port {port} ({error}); give another --port, or set "
            "DISCO_SUGGEST_PORT"
        ) from error
