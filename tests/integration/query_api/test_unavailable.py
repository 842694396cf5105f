"""What clients and operators are told while something is missing."""

import asyncio
import dataclasses
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from access.keys import KeyText
from core.engine import create_engine
from core.settings import Settings
from query_api.breaker import FAILURES
from query_api.database import PATIENCE
from query_api.problems import Problem
from tests.integration.query_api import catalogue
from tests.integration.query_api.catalogue import sound, user
from tests.integration.query_api.serving import served

HTML = {"Accept": "text/html"}


@contextmanager
def client_of(settings: Settings) -> Iterator[httpx.Client]:
    with served(settings) as address, httpx.Client(base_url=address, timeout=20) as client:
        yield client


def index(settings: Settings, *entities: str) -> None:
    async def create() -> None:
        async with create_engine(settings) as engine:
            await catalogue.create_indices(engine, settings, entities)
            documents = [sound(1, "Rain"), user(1, "Rain Man")]
            wanted = [document for document in documents if document["type"] in entities]
            if wanted:
                await catalogue.write(engine, settings, wanted)

    asyncio.run(create())


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # taken, but not listening: connections are refused
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def silence() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_an_unreachable_engine_is_told_and_waited_for(nobody: str) -> None:
    with client_of(Settings(engine_url=nobody)) as client:
        response = client.get("/v1/search", params={"q": "rain"})
        problem = Problem.model_validate(response.json())
        assert (response.status_code, problem.code) == (503, "engine_unreachable")
        assert int(response.headers["retry-after"]) > 0
        assert problem.request_id == response.headers["x-request-id"]
        page = client.get("/", params={"q": "rain"}, headers=HTML)
        assert page.status_code == 503
        assert "Search is unavailable" in page.text
        assert 'value="rain"' in page.text
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert "search engine" in ready.json()["missing"][0]


def test_a_silent_engine_costs_no_more_than_the_deadline(silence: str) -> None:
    with client_of(Settings(engine_url=silence, search_deadline=0.3)) as client:
        started = time.monotonic()
        response = client.get("/v1/search", params={"q": "rain"})
        assert time.monotonic() - started < 2.5
        assert response.status_code == 504
        assert Problem.model_validate(response.json()).code == "deadline_exceeded"


def test_a_silent_engine_is_left_alone_after_some_calls(silence: str) -> None:
    with client_of(Settings(engine_url=silence, search_deadline=0.1)) as client:
        codes = [client.get("/v1/search", params={"q": "rain"}).json()["code"] for _ in range(6)]
        assert codes == ["deadline_exceeded"] * FAILURES + ["engine_unreachable"]
        started = time.monotonic()
        refused = client.get("/v1/search", params={"q": "rain"})
        assert time.monotonic() - started < 0.3
        assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)
        assert client.get("/healthz").status_code == 200


def test_a_silent_database_keeps_nobody_waiting_and_searches_go_on(
    fresh_settings: Settings, silence: str
) -> None:
    index(fresh_settings, "sound")
    database = silence.replace("http", "postgresql", 1) + "/disco"
    key = {"Authorization": f"Bearer {KeyText.new().build()}"}
    with client_of(dataclasses.replace(fresh_settings, database_url=database)) as client:
        for _ in range(FAILURES):
            refused = client.get("/v1/search", params={"variant": "live"}, headers=key)
            assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
            assert int(refused.headers["retry-after"]) > 0
            assert client.get("/v1/search", params={"q": "rain"}).status_code == 200
        started = time.monotonic()
        assert client.get("/v1/search", params={"variant": "live"}, headers=key).status_code == 503
        assert time.monotonic() - started < PATIENCE / 2, "the breaker is open"


def test_who_asks_too_often_is_told_when_to_come_back(fresh_settings: Settings) -> None:
    index(fresh_settings, "sound")
    with client_of(dataclasses.replace(fresh_settings, address_rate_limit=0.4)) as client:
        first, second, third = (client.get("/v1/search", params={"q": "rain"}) for _ in range(3))
        assert [first.status_code, second.status_code] == [200, 200]
        assert first.headers["ratelimit-limit"] == "2"
        assert second.headers["ratelimit-remaining"] == "0"
        assert (third.status_code, third.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(third.headers["retry-after"]) <= int(third.headers["ratelimit-reset"])
        forged = {"Authorization": f"Bearer {KeyText.new().build()}"}
        assert client.get("/v1/search", headers=forged).status_code == 429
        page = client.get("/", params={"q": "rain"}, headers=HTML)
        assert (page.status_code, "Too many requests" in page.text) == (429, True)
        assert client.get("/healthz").status_code == 200


def test_nothing_indexed_is_no_empty_answer(fresh_settings: Settings) -> None:
    with client_of(fresh_settings) as client:
        response = client.get("/v1/search", params={"q": "rain"})
        assert response.status_code == 503
        assert Problem.model_validate(response.json()).code == "not_indexed"
        assert "disco index reindex" in response.json()["detail"]
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["state"]) == (503, "unready")
        assert len(ready.json()["missing"]) == 4


def test_types_without_an_index_are_left_out_and_named(fresh_settings: Settings) -> None:
    index(fresh_settings, "sound", "user")
    with client_of(fresh_settings) as client:
        response = client.get("/v1/search", params={"q": "rain"})
        assert response.status_code == 200
        assert {hit["type"] for hit in response.json()["hits"]} == {"sound", "user"}
        assert response.headers["disco-not-indexed"] == "set,group"
        alone = client.get("/v1/search", params={"q": "rain", "type": "set"})
        assert (alone.status_code, alone.json()["code"]) == (503, "not_indexed")
        page = client.get("/", params={"q": "rain"}, headers=HTML)
        assert "Still being indexed" in page.text
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["state"]) == (200, "degraded")
        (of_sets, of_groups) = ready.json()["missing"]
        assert f"{fresh_settings.index_prefix}-set" in of_sets
        assert f"{fresh_settings.index_prefix}-group" in of_groups
        index(fresh_settings, "set", "group")
        assert client.get("/readyz").json() == {"state": "ready", "missing": []}
        complete = client.get("/v1/search", params={"q": "rain"})
        assert "disco-not-indexed" not in complete.headers
