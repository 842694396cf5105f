"""Serving: the application on a port, until SIGTERM."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from core import serving, telemetry
from core.settings import Settings
from suggest.app import SuggestApp
from suggest.current import Current, MakeFeed
from suggest.feed import Feed
from suggest.store import Store

_DRAIN_SECONDS: Final = 5  # what a request in progress may still take after SIGTERM

_log = telemetry.logger("suggest")


def serve(settings: Settings, *, on_listening: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in progress.

    `on_listening` gets the address once requests are answered; with port 0 it tells the port.
    Raises `UsageError` when the address cannot be listened on.
    """

    def tell(address: str) -> None:
        _log.info("suggest_listening", address=address)
        on_listening(address)

    address = serving.serve(
        SuggestApp(Current(Store(Path(settings.suggest_store)), _feeds(settings))),
        host=settings.suggest_host,
        port=settings.suggest_port,
        port_setting="DISCO_SUGGEST_PORT",
        drain_seconds=_DRAIN_SECONDS,
        trusted_proxies=settings.trusted_proxies,
        on_listening=tell,
        date_header=False,
    )
    _log.info("suggest_stopped", address=address)


def _feeds(settings: Settings) -> MakeFeed | None:
    return partial(Feed, settings) if settings.suggest_overlay_phrases else None
