"""Page sessions: a person enters a key once, and pages that need one know the browser again.

The browser keeps a signed cookie, out of the reach of scripts and of other sites; the key is looked
up with every request, so that one that is revoked ends its sessions, too.
"""

import re
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from access.operations import Key, Scope
from query_api import forms, problems, session_cookie
from query_api.doorkeeper import Doorkeeper, check_scopes
from query_api.page_templates import PageTemplates
from query_api.problems import Code, QueryError
from query_api.session_cookie import SessionSigner

LOGIN_PATH: Final = "/login"
_HOME: Final = "/"
_MOST_BYTES: Final = 4096  # of a form
_MOST_FIELDS: Final = 10
_SEE_OTHER: Final = 303
# A path of ours, such as `/judge?set=first`: nothing that a browser could take for another host.
_OUR_PATH: Final = re.compile(r"/(?![/\\])[\w./~%?&=+:,-]{0,300}", re.ASCII)
_FROM_US: Final = frozenset({"same-origin", "none"})  # none: the person typed the address
_SAFE: Final = frozenset({"GET", "HEAD"})

Handler = Callable[[Request], Awaitable[Response]]
KeyedHandler = Callable[[Request, Key], Awaitable[Response]]


class PageSessions:
    """Lets people in to pages that are not for all."""

    def __init__(self, doorkeeper: Doorkeeper, secret: bytes, templates: PageTemplates) -> None:
        self._doorkeeper = doorkeeper
        self._signer = SessionSigner(secret)
        self._templates = templates

    def guarded(self, handler: KeyedHandler, *scopes: Scope) -> Handler:
        """A handler that is reached with a key alone that has one of the scopes.

        The key is that of the session, or comes as a bearer token. A browser without is sent to the
        form, and comes back; a program gets the problem. What another site has a browser send is
        refused unless it only reads.
        """

        async def guarded(request: Request) -> Response:
            try:
                key = await self._key(request)
                check_scopes(key, *scopes)
            except QueryError as error:
                if not _wants_page(request) or error.code is Code.SERVICE_UNAVAILABLE:
                    raise
                return self._away(request, error)
            return await handler(request, key)

        return guarded

    async def ask(self, request: Request) -> Response:
        """`GET /login`: the form for a key."""
        return self._form(_next(request.query_params.get("next", "")))

    async def enter(self, request: Request) -> Response:
        """`POST /login`: begin a session, and go on to where the person wanted."""
        _check_origin(request)
        given = await forms.read(request, most_bytes=_MOST_BYTES, most_fields=_MOST_FIELDS)
        following = _next(given.get("next", ""))
        try:
            key = await self._doorkeeper.recognise(given.get("key", "").strip())
        except QueryError as error:
            if error.code is not Code.UNAUTHORIZED:
                raise
            return self._form(following, error)
        response = RedirectResponse(following, _SEE_OTHER, {"Cache-Control": "no-store"})
        response.set_cookie(
            session_cookie.NAME,
            self._signer.build(key.id, now=time.time()),
            max_age=session_cookie.LIFETIME,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    async def leave(self, request: Request) -> Response:
        """`POST /logout`: the browser forgets the session."""
        _check_origin(request)
        response = RedirectResponse(LOGIN_PATH, _SEE_OTHER, {"Cache-Control": "no-store"})
        response.delete_cookie(session_cookie.NAME, httponly=True, samesite="strict")
        return response

    async def _key(self, request: Request) -> Key:
        if "authorization" in request.headers:
            return await self._doorkeeper.bearer(request)
        if request.method not in _SAFE:
            _check_origin(request)
        cookie = request.cookies.get(session_cookie.NAME, "")
        session = self._signer.parse(cookie, now=time.time())
        if session is None:
            raise QueryError(
                Code.UNAUTHORIZED,
                f"This needs a key: enter one at {LOGIN_PATH}, or send it as `Authorization: "
                "Bearer <key>`.",
            )
        return await self._doorkeeper.named(session.key_id)

    def _away(self, request: Request, error: QueryError) -> Response:
        """To the form; where there is a key that does not do, with the reason."""
        path, query = request.url.path, request.url.query
        following = _next(f"{path}?{query}" if query else path)
        if session_cookie.NAME in request.cookies or request.method not in _SAFE:
            return self._form(following, error)
        address = f"{LOGIN_PATH}?{urlencode({'next': following})}"
        return RedirectResponse(address, _SEE_OTHER, {"Cache-Control": "no-store"})

    def _form(self, following: str, error: QueryError | None = None) -> Response:
        return self._templates.render(
            "login.html",
            status=problems.status_of(error) if error else 200,
            following=following,
            problem=error.detail if error else "",
            q="",
        )


def _check_origin(request: Request) -> None:
    """Raises `QueryError` for what a page of another site has a browser send.

    Browsers say where a request comes from, and pages cannot change it; programs that say nothing
    bring no cookie that a person has in a browser.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        foreign = site not in _FROM_US
    else:
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        raise QueryError(Code.CROSS_SITE, "A page of another site cannot do this.")


def _next(wanted: str) -> str:
    """Where to go on: a path of ours; the start page for everything else."""
    return wanted if _OUR_PATH.fullmatch(wanted) else _HOME


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")
