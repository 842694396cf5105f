"""A served query API that logs, and a worker that stores what it logs."""

import asyncio
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from core.engine import create_engine
from core.settings import Settings
from evaluation import interaction_operations
from tests.integration.query_api import catalogue
from tests.integration.query_api.serving import served

PATIENCE = 60.0  # seconds

Fetch = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def logging_settings(settings: Settings) -> Settings:
    return logged_place(settings)


def logged_place(settings: Settings) -> Settings:
    """Settings of a place with a few documents, whose searches are logged."""

    async def fill() -> None:
        async with create_engine(settings) as engine:
            await catalogue.create_indices(engine, settings)
            documents = [catalogue.sound(number, f"Rain {number}") for number in range(1, 6)]
            await catalogue.write(engine, settings, documents)

    asyncio.run(fill())
    return dataclasses.replace(settings, interactions_secret="salt", cursor_secret="sign")


@contextmanager
def storing(settings: Settings) -> Iterator[None]:
    """A worker of interactions, in a thread; it must end in order."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    ended: list[BaseException | None] = []

    def work() -> None:
        try:
            loop.run_until_complete(interaction_operations.work(settings, stop))
        except BaseException as error:  # noqa: BLE001 - told by the assertion below
            ended.append(error)
        finally:
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        if not ended:
            loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
    assert not thread.is_alive(), "the worker did not stop"
    assert not ended, ended


@pytest.fixture(scope="module")
def _stored(logging_settings: Settings) -> Iterator[None]:
    with storing(logging_settings):
        yield


@pytest.fixture(scope="module")
def address(logging_settings: Settings, _stored: None) -> Iterator[str]:
    with served(logging_settings) as at:
        yield at


@pytest.fixture
def api(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def fetch(logging_settings: Settings) -> Fetch:
    """Rows of a query once there are as many as wanted; none if the tables are not there yet."""
    return lambda statement, *arguments, rows: fetched(
        logging_settings, statement, *arguments, rows=rows
    )


def fetched(settings: Settings, statement: str, *arguments: Any, rows: int) -> list[dict[str, Any]]:
    async def once() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(settings.database_url)
        try:
            return [dict(row) for row in await connection.fetch(statement, *arguments)]
        except asyncpg.UndefinedTableError:
            return []
        finally:
            await connection.close()

    async def wait() -> list[dict[str, Any]]:
        deadline = time.monotonic() + PATIENCE
        while len(found := await once()) < rows:
            assert time.monotonic() < deadline, f"{len(found)} of {rows} rows"
            await asyncio.sleep(0.02)
        return found

    return asyncio.run(wait())
