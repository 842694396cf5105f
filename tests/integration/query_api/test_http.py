"""The manners of the service: headers, ids, caching, metrics, documents about itself."""

import httpx
import pytest

from tests.integration.query_api.catalogue import sound
from tests.integration.query_api.conftest import Write

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module", autouse=True)
def _documents(write: Write) -> None:
    write([sound(number, f"Rain {number}") for number in range(30)])


def test_a_request_keeps_the_id_it_brings(api: httpx.Client) -> None:
    given = api.get("/v1/search", headers={"X-Request-Id": "trace-7f/1"})
    assert given.headers["x-request-id"] == "trace-7f/1"
    refused = api.get("/v1/search?nope=1", headers={"X-Request-Id": "trace-8"})
    assert refused.json()["request_id"] == "trace-8"


def test_a_request_without_an_id_gets_one_of_its_own(api: httpx.Client) -> None:
    ids = {api.get("/healthz").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


def test_searches_are_never_cached(api: httpx.Client) -> None:
    for path in ("/v1/search?q=rain", "/?q=rain", "/v1/search?nope=1", "/ana/sound-1"):
        assert api.get(path).headers["cache-control"] == "no-store"


def test_the_api_may_be_read_by_pages_of_any_origin(api: httpx.Client) -> None:
    origin = {"Origin": "https://player.example"}
    for path in ("/v1/search?q=rain", "/v1/search?nope=1", "/v1/nothing"):
        response = api.get(path, headers=origin)
        assert response.headers["access-control-allow-origin"] == "*"
        assert "X-Request-Id" in response.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in api.get("/?q=rain", headers=origin).headers


def test_a_browser_may_ask_first(api: httpx.Client) -> None:
    asked = {
        "Origin": "https://player.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "X-Request-Id",
    }
    response = api.options("/v1/search", headers=asked)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"


def test_pages_run_nothing_but_our_own_files(api: httpx.Client) -> None:
    for path in ("/", "/?q=rain", "/ana/sound-1", "/nobody"):
        page = api.get(path, headers=HTML)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "style=" not in page.text
        assert "<style" not in page.text
        assert "http://" not in page.text
        assert "https://" not in page.text


def test_assets_are_kept_for_good_under_their_version(api: httpx.Client) -> None:
    page = api.get("/").text
    for name in ("search.css", "search.js", "icon.svg"):
        address = page.partition(f"/static/{name}")[2].partition('"')[0]
        asset = api.get(f"/static/{name}{address}")
        assert asset.status_code == 200
        assert "immutable" in asset.headers["cache-control"]
        again = api.get(f"/static/{name}", headers={"If-None-Match": asset.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert "immutable" not in again.headers["cache-control"]
    assert api.get("/static/nothing.css").status_code == 404


def test_answers_are_compressed_for_those_who_ask(api: httpx.Client) -> None:
    packed = api.get("/v1/search?q=rain&limit=30", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    plain = api.get("/v1/search?q=rain&limit=30", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert packed.json()["hits"] == plain.json()["hits"]


def test_unknown_addresses_are_problems_for_programs_and_pages_for_people(
    api: httpx.Client,
) -> None:
    for path in ("/v1/nothing", "/nobody", "/v1/search/"):
        assert api.get(path).headers["content-type"] == "application/problem+json"
    assert api.get("/nobody", headers=HTML).headers["content-type"].startswith("text/html")
    api_path = api.get("/v1/nothing", headers=HTML)
    assert api_path.headers["content-type"] == "application/problem+json"


def test_a_method_that_is_not_allowed_is_told_those_that_are(api: httpx.Client) -> None:
    response = api.post("/v1/search")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_a_head_request_has_no_body(api: httpx.Client) -> None:
    response = api.head("/v1/search?q=rain")
    assert (response.status_code, response.content) == (200, b"")


def test_the_openapi_document_is_served_and_revalidated(api: httpx.Client) -> None:
    document = api.get("/openapi.json")
    assert document.json()["openapi"].startswith("3.1")
    etag = document.headers["etag"]
    assert api.get("/openapi.json", headers={"If-None-Match": etag}).status_code == 304


def test_requests_are_counted_by_route_and_never_by_text(api: httpx.Client) -> None:
    secret = "verysecretwords"
    api.get("/v1/search", params={"q": secret})
    api.get("/", params={"q": secret})
    api.get(f"/{secret}")
    metrics = api.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    line = 'disco_query_api_requests_total{method="GET",route="/v1/search",status="200"}'
    assert line in metrics.text
    assert 'disco_query_api_request_seconds_bucket{le="0.05",route="/v1/search"}' in metrics.text
    assert secret not in metrics.text


def test_the_service_is_ready(api: httpx.Client) -> None:
    assert api.get("/healthz").text == "ok\n"
    assert api.get("/readyz").json() == {"state": "ready", "missing": []}
