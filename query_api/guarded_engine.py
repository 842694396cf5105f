"""The engine's client of the query API: every call of the engine goes through one breaker."""

from typing import Any

from elastic_transport import AsyncTransport, ConnectionTimeout, TransportApiResponse
from elastic_transport import ConnectionError as TransportConnectionError
from elasticsearch import AsyncElasticsearch

from core.engine import create_engine
from core.settings import Settings
from query_api.breaker import Breaker, BreakerOpenError


class GuardedTransport(AsyncTransport):
    """Refuses calls at once, as if the engine were unreachable, while its breaker is open."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._breaker = Breaker("engine", (TransportConnectionError, ConnectionTimeout))

    async def perform_request(  # type: ignore[override] # the options are those of the client
        self, method: str, target: str, **options: Any
    ) -> TransportApiResponse:
        """One request; an answer of whatever status is one."""
        try:
            with self._breaker.call():
                return await super().perform_request(method, target, **options)
        except BreakerOpenError as error:
            raise TransportConnectionError(str(error)) from error


def create_guarded_engine(settings: Settings, *, request_seconds: float) -> AsyncElasticsearch:
    """As `create_engine`, behind a breaker."""
    return create_engine(
        settings, request_seconds=request_seconds, transport_class=GuardedTransport
    )
