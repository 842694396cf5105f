"""docs/http.md names every address that the query API answers."""

import re

import pytest
from starlette.routing import Route

from core.settings import Settings
from query_api.app import create_app
from tests.unit.docs.markdown import page


def _routes() -> list[tuple[str, str]]:
    """Method and address of each route, as the page writes them."""
    routes = [route for route in create_app(Settings()).routes if isinstance(route, Route)]
    return sorted(
        (method, re.sub(r"\{(\w+)(?::\w+)?\}", r"<\1>", route.path))
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
    )


def test_there_are_routes() -> None:
    assert ("GET", "/v1/search") in _routes()


@pytest.mark.parametrize(("method", "address"), _routes())
def test_a_route_is_documented(method: str, address: str) -> None:
    assert any(
        span.partition("?")[0] == f"{method} {address}" for span in page("docs/http.md").spans
    )


def test_no_address_is_documented_that_is_not_answered() -> None:
    routes = {f"{method} {address}" for method, address in _routes()}
    rows = [row[0].strip("`") for row in page("docs/http.md").rows]
    named = {cell for cell in rows if re.match(r"(GET|POST|PUT|DELETE) /", cell)}
    assert named <= routes
