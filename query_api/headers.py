"""Headers: what browsers are told about every answer. Who may read it, and what a page may load."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from query_api.access import REQUEST_ID_HEADER
from query_api.variants import Audience

API_PATH: Final = "/v1/"
ADMIN_PATH: Final = "/v1/admin/"
INTERACTIONS_PATH: Final = "/v1/interactions"
NOT_INDEXED_HEADER: Final = "Disco-Not-Indexed"
# How much may be asked for, and until when: the form that most services have.
LIMIT_HEADERS: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
# Who asks, for experiments: any text that stays the same for a user or a session.
USER_HEADER: Final = "Disco-User"
SESSION_HEADER: Final = "Disco-Session"

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
    """Lets pages of any origin read the API, and tell what people did, but not what operators do.

    They read public data only: a browser does not send keys across origins.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=("*",),
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=(REQUEST_ID_HEADER, USER_HEADER, SESSION_HEADER, "Content-Type"),
            expose_headers=(REQUEST_ID_HEADER, NOT_INDEXED_HEADER, "Retry-After", *LIMIT_HEADERS),
            max_age=86_400,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"] if scope["type"] == "http" else ""
        is_open = path.startswith(API_PATH) and not path.startswith(ADMIN_PATH)
        await (self._open if is_open else self._app)(scope, receive, send)


def audience_of(scope: Scope) -> Audience:
    """Who asks, as far as the request says so."""
    headers = Headers(scope=scope)
    return Audience(
        user=headers.get(USER_HEADER) or None, session=headers.get(SESSION_HEADER) or None
    )
