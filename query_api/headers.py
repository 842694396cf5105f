"""Headers: what browsers are told about every answer. Who may read it, and what a page may load."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from query_api.access import REQUEST_ID_HEADER

API_PATH: Final = "/v1/"
NOT_INDEXED_HEADER: Final = "Disco-Not-Indexed"

# Everything that a page needs comes from here; nothing inline runs, so that text from the
# catalogue could not become script even if it were not escaped.
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        *("script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"),
    )
)
_ALWAYS: Final = {"X-Content-Type-Options": "nosniff"}
_ON_PAGES: Final = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "same-origin"}


class SecurityHeadersMiddleware:
    """Adds the security headers, on pages the strict ones."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_ALWAYS)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.update(_ON_PAGES)
            await send(message)

        await self._app(scope, receive, secured if scope["type"] == "http" else send)


class ApiCorsMiddleware:
    """Lets pages of any origin read the API. It holds public data and knows no credentials."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=("*",),
            allow_methods=("GET", "HEAD"),
            allow_headers=(REQUEST_ID_HEADER,),
            expose_headers=(REQUEST_ID_HEADER, NOT_INDEXED_HEADER, "Retry-After"),
            max_age=86_400,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_api = scope["type"] == "http" and scope["path"].startswith(API_PATH)
        await (self._open if is_api else self._app)(scope, receive, send)
