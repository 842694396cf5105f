from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from suggest.app import SuggestApp
from suggest.current import Current
from suggest.store import Store
from tests.unit.suggest.conftest import Pieces


@asynccontextmanager
async def client_of(current: Current) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=SuggestApp(current))
    async with httpx.AsyncClient(transport=transport, base_url="http://suggest") as client:
        yield client


@pytest.fixture
def store(folder: Path, pieces: Pieces) -> Store:
    store = Store(folder)
    store.publish(store.put(pieces("Rain", "Rainbow", "Björk", "<b>&\"'\\")))
    return store


@pytest.fixture
async def current(store: Store) -> Current:
    current = Current(store)
    await current.look()
    return current


@pytest.fixture
async def client(current: Current) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(current) as client:
        yield client


async def suggest(client: httpx.AsyncClient, **parameters: Any) -> list[str]:
    answer = await client.get("/v1/suggest", params=parameters)
    assert answer.status_code == 200, answer.text
    return [one["text"] for one in answer.json()["completions"]]


async def test_it_completes(client: httpx.AsyncClient, store: Store) -> None:
    answer = await client.get("/v1/suggest", params={"q": "rain", "limit": 1})
    assert answer.json() == {
        "completions": [
            {
                "type": "sound",
                "id": "0",
                "text": "Rain",
                "highlight": [[0, 4]],
                "permalink": "/0",
                "corrected": False,
            }
        ],
        "snapshot": store.published(),
    }
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=1"
    assert answer.headers["x-disco-overlay"] == "off"


async def test_parameters_count(client: httpx.AsyncClient) -> None:
    assert await suggest(client, q="rian") == ["Rain", "Rainbow"]
    assert await suggest(client, q="rian", fuzzy="false") == []
    assert await suggest(client, q="rain", type="user,group") == []
    assert await suggest(client, q="rain", type="user,sound", limit=1) == ["Rain"]
    assert await suggest(client, q="") == []
    assert await suggest(client, q="<b>&") == ["<b>&\"'\\"]


async def test_the_edition_is_the_tag(client: httpx.AsyncClient, store: Store) -> None:
    first = await client.get("/v1/suggest?q=rain")
    assert first.headers["etag"] == f'"{store.published()}"'
    for value in (first.headers["etag"], f'"x", W/{first.headers["etag"]}', "*"):
        again = await client.get("/v1/suggest?q=rain", headers={"If-None-Match": value})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == first.headers["etag"]
    other = await client.get("/v1/suggest?q=rain", headers={"If-None-Match": '"x"'})
    assert other.status_code == 200


async def test_a_bad_request_is_told_as_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/suggest?q=rain&limit=-1")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Invalid request",
        "status": 422,
        "code": "invalid_value",
        "detail": "limit is '-1'; use 1 to 100.",
        "parameter": "limit",
    }


async def test_methods(client: httpx.AsyncClient) -> None:
    head = await client.head("/v1/suggest?q=rain")
    assert head.status_code == 200
    assert head.content == b""
    assert int(head.headers["content-length"]) > 0
    options = await client.options("/v1/suggest")
    assert options.status_code == 204
    assert options.headers["access-control-allow-methods"] == "GET, HEAD"
    post = await client.post("/v1/suggest", content=b"q=rain")
    assert post.status_code == 405
    assert "GET" in post.headers["allow"]
    assert (await client.get("/v1/nothing")).status_code == 404


async def test_without_a_snapshot_it_lives_but_is_not_ready(folder: Path) -> None:
    async with client_of(Current(Store(folder))) as client:
        assert (await client.get("/healthz")).text == "ok\n"
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert "disco suggest publish" in ready.json()["missing"][0]
        answer = await client.get("/v1/suggest?q=rain")
        assert answer.status_code == 503
        assert answer.json()["code"] == "not_ready"


async def test_ready_names_the_snapshot(client: httpx.AsyncClient, store: Store) -> None:
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "state": "ready",
            "missing": [],
            "snapshot": store.published(),
            "overlay": "off",
        },
    )


async def test_metrics_count_requests_without_what_was_typed(client: httpx.AsyncClient) -> None:
    await client.get("/v1/suggest?q=secretquery")
    text = (await client.get("/metrics")).text
    assert 'disco_suggest_requests_total{route="/v1/suggest",status="200"}' in text
    assert "secretquery" not in text


async def test_it_follows_what_is_published(
    client: httpx.AsyncClient, current: Current, store: Store, pieces: Pieces
) -> None:
    store.publish(store.put(pieces("Snow")))
    await current.look()
    assert await suggest(client, q="sno") == ["Snow"]
    assert await suggest(client, q="rain") == []
    store.rollback()
    await current.look()
    assert await suggest(client, q="rain", limit=1) == ["Rain"]


async def test_a_damaged_file_is_refused_and_the_former_stays(
    client: httpx.AsyncClient, current: Current, store: Store, pieces: Pieces
) -> None:
    next_edition = store.put(pieces("Snow"))
    content = store.path_of(next_edition).read_bytes()
    store.publish(next_edition)
    store.path_of(next_edition).write_bytes(content[:-1])
    await current.look()
    assert await suggest(client, q="rain", limit=1) == ["Rain"]
    assert (await client.get("/readyz")).status_code == 200
    # Once it is mended and published again, it is served.
    store.path_of(next_edition).write_bytes(content)
    store.publish(next_edition)
    await current.look()
    assert await suggest(client, q="sno") == ["Snow"]
