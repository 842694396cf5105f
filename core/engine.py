"""The client of the engine (Elasticsearch), and what its failures mean to us."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from elastic_transport import AsyncTransport, ConnectionTimeout, TransportError
from elastic_transport import ConnectionError as TransportConnectionError
from elastic_transport.client_utils import DEFAULT
from elasticsearch import ApiError, AsyncElasticsearch, OrjsonSerializer

from core.errors import ServiceUnavailableError
from core.settings import Settings, shown

UNAVAILABLE_STATUSES = frozenset({429, 502, 503, 504})


def create_engine(
    settings: Settings,
    *,
    request_seconds: float = 30.0,
    transport_class: type[AsyncTransport] = AsyncTransport,
) -> AsyncElasticsearch:
    """A client that never retries by itself; close it after use.

    Writers hydrate again before they send again (ADR 0001), so a retry below them would send
    what may have become stale. `request_seconds` is the longest that one request may take.
    """
    authentication = None
    if settings.engine_username is not None:
        authentication = (settings.engine_username, settings.engine_password or "")
    return AsyncElasticsearch(
        settings.engine_url,
        basic_auth=authentication,
        ca_certs=settings.engine_ca_file or DEFAULT,
        request_timeout=request_seconds,
        max_retries=0,
        retry_on_timeout=False,
        # A client that marks its only node as dead would refuse calls after the node is back.
        dead_node_backoff_factor=0,
        serializers={"application/json": OrjsonSerializer()},
        transport_class=transport_class,
    )


@asynccontextmanager
async def engine_client(
    settings: Settings, *, request_seconds: float = 30.0
) -> AsyncIterator[AsyncElasticsearch]:
    """A client that is closed at the end, checked to answer at the start."""
    engine = create_engine(settings, request_seconds=request_seconds)
    try:
        await check_engine(engine, settings)
        yield engine
    finally:
        await engine.close()


async def check_engine(engine: AsyncElasticsearch, settings: Settings) -> None:
    """Raises `ServiceUnavailableError` when the engine does not answer."""
    try:
        await engine.info()
    except (TransportError, ApiError) as error:
        raise ServiceUnavailableError(
            f"Elasticsearch at {shown(settings.engine_url)} does not answer ({error}); "
            "start it (`disco stack up`) or set DISCO_ENGINE_URL"
        ) from error


def is_unavailable(error: BaseException) -> bool:
    """Whether the engine could not take the request now, but may take it later."""
    if isinstance(error, TransportConnectionError | ConnectionTimeout):
        return True
    return isinstance(error, ApiError) and error.meta.status in UNAVAILABLE_STATUSES
