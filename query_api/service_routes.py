"""Service routes: what machines ask about this process, `/healthz` to `/openapi.json`."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence

import orjson
from elasticsearch import AsyncElasticsearch
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core import telemetry
from query_api import openapi, readiness
from query_api.profiles import Profiles


class ServiceRoutes:
    """Tells probes, Prometheus and developers about the process."""

    def __init__(
        self,
        engine: AsyncElasticsearch,
        index_prefix: str,
        entities: Sequence[str],
        *,
        profiles: Callable[[], Awaitable[Profiles]],
        admin: bool,
    ) -> None:
        """`profiles` gives those that are in use."""
        self._engine = engine
        self._index_prefix = index_prefix
        self._entities = entities
        self._profiles = profiles
        self._admin = admin

    async def healthz(self, _request: Request) -> Response:
        """`GET /healthz`: the process lives; says nothing about the services it needs."""
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    async def readyz(self, _request: Request) -> Response:
        """`GET /readyz`: whether something can be searched, and what is missing."""
        found = await readiness.assess(self._engine, self._index_prefix, self._entities)
        return Response(
            orjson.dumps(readiness.body_of(found)),
            status_code=readiness.status_of(found),
            headers={"Cache-Control": "no-store"},
            media_type="application/json",
        )

    async def metrics(self, _request: Request) -> Response:
        """`GET /metrics`."""
        return Response(
            telemetry.render_metrics(),
            headers={"Content-Type": telemetry.METRICS_CONTENT_TYPE, "Cache-Control": "no-store"},
        )

    async def openapi(self, request: Request) -> Response:
        """`GET /openapi.json`."""
        document = orjson.dumps(openapi.document(await self._profiles(), admin=self._admin))
        etag = f'"{hashlib.sha256(document).hexdigest()[:16]}"'
        headers = {"ETag": etag, "Cache-Control": "public, max-age=300"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(document, headers=headers, media_type="application/json")
