"""Operations: how the command line starts the query API."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core import serving, telemetry
from core.settings import Settings
from indexer.operations import Prober, Services
from query_api import offline
from query_api.app import create_app
from query_api.offline import Found, Rankings
from query_api.temporary_index import TemporaryIndex, temporary_index

__all__ = [
    "Found",
    "Rankings",
    "TemporaryIndex",
    "gate_prober",
    "rank_by_defaults",
    "rank_offline",
    "serve",
    "temporary_index",
]

_DRAIN_SECONDS: Final = 10  # what a request in progress may still take after SIGTERM

_log = telemetry.logger("query_api")


def serve(settings: Settings, *, on_listening: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in progress.

    `on_listening` gets the address once requests are answered; with port 0 it tells the port.
    Raises `UsageError` when the address cannot be listened on.
    """

    def tell(address: str) -> None:
        _log.info("query_api_listening", address=address)
        on_listening(address)

    app = create_app(settings)
    address = serving.serve(
        app,
        host=settings.query_api_host,
        port=settings.query_api_port,
        port_setting="DISCO_QUERY_API_PORT",
        drain_seconds=_DRAIN_SECONDS,
        trusted_proxies=settings.trusted_proxies,
        on_listening=tell,
        on_stopping=app.state.end_streams,
    )
    _log.info("query_api_stopped", address=address)


async def rank_offline(
    settings: Settings, variants: Sequence[str], queries: Mapping[str, str], *, depth: int
) -> Mapping[str, Rankings]:
    """What variants answer to queries, by variant and query; see `offline.rank`."""
    return await offline.rank(settings, variants, queries, depth=depth)


async def rank_by_defaults(
    settings: Settings, queries: Mapping[str, str], *, depth: int
) -> Rankings:
    """What the engine finds by itself, by query; see `offline.rank_by_defaults`."""
    return await offline.rank_by_defaults(settings, queries, depth=depth)


def gate_prober(services: Services) -> Prober:
    """What searches generations as the query API does, for the gates of the indexer."""
    from query_api.gate_probes import GateProber  # noqa: PLC0415 - the server needs no measures

    return GateProber(services)
