"""Pages that need a key: a person enters it once; other sites and other keys get nowhere."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from access.operations import Key, Scope, open_keys
from core.operation_log import Actor
from core.settings import Settings
from query_api import problems
from query_api.access import AccessMiddleware, request_id_of
from query_api.assets import Assets
from query_api.database import Database
from query_api.doorkeeper import Doorkeeper
from query_api.page_sessions import LOGIN_PATH, PageSessions
from query_api.page_templates import PageTemplates
from query_api.problems import QueryError
from query_api.session_cookie import NAME

GUARDED = "/guarded?set=first"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def keys(settings: Settings) -> dict[str, str]:
    """Keys by scope, and one that was revoked."""

    async def make() -> dict[str, str]:
        async with open_keys(settings, Actor(name="tests", via="cli")) as opened:
            scopes = (Scope.DASHBOARD_READ, Scope.SEARCH_READ)
            made = {str(one): (await opened.create(f"of {one}", [one])).text for one in scopes}
            gone = await opened.create("of nobody", [Scope.DASHBOARD_READ])
            await opened.revoke(gone.key.id)
            return {**made, "revoked": gone.text}

    return asyncio.run(make())


@pytest.fixture
async def browser(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A browser before an application with one page that is not for all."""
    database = Database(settings)
    sessions = PageSessions(Doorkeeper(database), b"secret", PageTemplates(Assets()))

    async def page(request: Request, key: Key) -> Response:
        return PlainTextResponse(f"{request.method} by {key.name}")

    async def problem(request: Request, error: Exception) -> Response:
        return problems.response_from(error, request_id_of(request.scope))

    guarded = sessions.guarded(page, Scope.DASHBOARD_READ, Scope.ADMIN)
    app = Starlette(
        routes=[
            Route("/guarded", guarded, methods=["GET", "POST"]),
            Route(LOGIN_PATH, sessions.ask),
            Route(LOGIN_PATH, sessions.enter, methods=["POST"]),
            Route("/logout", sessions.leave, methods=["POST"]),
        ],
        middleware=[Middleware(AccessMiddleware)],
        exception_handlers={QueryError: problem},
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="https://disco.example",
        headers={"Accept": "text/html"},
    ) as client:
        yield client
    await database.close()


async def enter(browser: httpx.AsyncClient, key: str, following: str = GUARDED) -> httpx.Response:
    form = urlencode({"key": key, "next": following})
    return await browser.post(LOGIN_PATH, content=form, headers=FORM)


async def test_who_enters_a_key_comes_back_to_the_page(
    browser: httpx.AsyncClient, keys: dict[str, str]
) -> None:
    sent = await browser.get(GUARDED)
    assert sent.status_code == 303
    form = await browser.get(sent.headers["location"])
    assert '<input type="hidden" name="next" value="/guarded?set=first">' in form.text
    entered = await enter(browser, f" {keys['dashboard:read']} ")
    assert (entered.status_code, entered.headers["location"]) == (303, GUARDED)
    assert (await browser.get(GUARDED)).text == "GET by of dashboard:read"


async def test_the_cookie_is_out_of_reach_and_tells_no_secret(
    browser: httpx.AsyncClient, keys: dict[str, str]
) -> None:
    cookie = (await enter(browser, keys["dashboard:read"])).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Secure", "Path=/"} <= set(cookie.split("; "))
    assert keys["dashboard:read"].rpartition("_")[2] not in cookie


async def test_to_leave_ends_it(browser: httpx.AsyncClient, keys: dict[str, str]) -> None:
    await enter(browser, keys["dashboard:read"])
    await browser.post("/logout")
    assert NAME not in browser.cookies
    assert (await browser.get(GUARDED)).status_code == 303


@pytest.mark.parametrize("key", ["revoked", "disco_0123456789ab_" + "x" * 43, "nonsense", ""])
async def test_a_key_that_does_not_hold_gets_the_form_again(
    browser: httpx.AsyncClient, keys: dict[str, str], key: str
) -> None:
    refused = await enter(browser, keys.get(key, key))
    assert refused.status_code == 401
    assert "disco keys create" in refused.text
    assert "set-cookie" not in refused.headers


async def test_a_key_of_another_scope_gets_the_form_with_the_reason(
    browser: httpx.AsyncClient, keys: dict[str, str]
) -> None:
    await enter(browser, keys["search:read"])
    refused = await browser.get(GUARDED)
    assert refused.status_code == 403
    assert "dashboard:read or admin; it has search:read" in refused.text


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil"}])
async def test_another_site_can_neither_act_nor_enter(
    browser: httpx.AsyncClient, keys: dict[str, str], headers: dict[str, str]
) -> None:
    form = urlencode({"key": keys["dashboard:read"]})
    entered = await browser.post(LOGIN_PATH, content=form, headers={**FORM, **headers})
    assert entered.json()["code"] == "cross_site"
    await enter(browser, keys["dashboard:read"])
    acted = await browser.post("/guarded", headers=headers)
    assert acted.status_code == 403
    own = await browser.post("/guarded", headers={"Origin": "https://disco.example"})
    assert own.text == "POST by of dashboard:read"


@pytest.mark.parametrize("following", ["//evil.example/", "/\\evil.example", "https://evil", "x"])
async def test_nobody_is_sent_elsewhere(
    browser: httpx.AsyncClient, keys: dict[str, str], following: str
) -> None:
    entered = await enter(browser, keys["dashboard:read"], following)
    assert entered.headers["location"] == "/"


async def test_programs_show_their_key_and_get_problems(
    browser: httpx.AsyncClient, keys: dict[str, str]
) -> None:
    shown = {"Authorization": f"Bearer {keys['dashboard:read']}"}
    assert (await browser.get(GUARDED, headers=shown)).text == "GET by of dashboard:read"
    without = await browser.get(GUARDED, headers={"Accept": "application/json"})
    assert (without.status_code, without.json()["code"]) == (401, "unauthorized")


async def test_a_form_that_is_too_large_is_not_read(browser: httpx.AsyncClient) -> None:
    refused = await enter(browser, "x" * 5000)
    assert refused.status_code == 413
