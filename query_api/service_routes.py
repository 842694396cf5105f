"""Service routes: what machines ask about this process, `/healthz` to `/openapi.json`."""

import hashlib

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
        self, engine: AsyncElasticsearch, index_prefix: str, profiles: Profiles, *, admin: bool
    ) -> None:
        self._engine = engine
        self._index_prefix = index_prefix
        self._profiles = profiles
        self._document = orjson.dumps(openapi.document(profiles, admin=admin))
        self._etag = f'"{hashlib.sha256(self._document).hexdigest()[:16]}"'

    async def healthz(self, _request: Request) -> Response:
        """`GET /healthz`: the process lives; says nothing about the services it needs."""
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    async def readyz(self, _request: Request) -> Response:
        """`GET /readyz`: whether something can be searched, and what is missing."""
        found = await readiness.assess(self._engine, self._index_prefix, self._profiles)
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
        headers = {"ETag": self._etag, "Cache-Control": "public, max-age=300"}
        if request.headers.get("if-none-match") == self._etag:
            return Response(status_code=304, headers=headers)
        return Response(self._document, headers=headers, media_type="application/json")
