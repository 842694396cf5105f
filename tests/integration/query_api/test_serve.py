"""`disco serve query-api` as a process."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from access.operations import Scope, open_keys
from core.operation_log import Actor
from core.settings import Settings

DISCO = Path(sys.executable).with_name("disco")
PATIENCE = 30  # seconds


@contextmanager
def serving(*arguments: str, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address; it is killed if the test has not stopped it."""
    command = [str(DISCO), "serve", "query-api", "--port", "0", "--json", *arguments]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DISCO_")}
    with subprocess.Popen(
        command,
        env=environment | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())["address"]
        finally:
            process.kill()


@contextmanager
def silent_engine() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def address_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_it_serves_until_sigterm_and_ends_well() -> None:
    with (
        silent_engine() as engine,
        serving(DISCO_ENGINE_URL=address_of(engine)) as (
            process,
            address,
        ),
    ):
        assert httpx.get(f"{address}/healthz").text == "ok\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        log = process.stderr.read()
        assert "query_api_listening" in log
        assert address in log
        assert "query_api_stopped" in log


def test_a_request_in_progress_is_answered_before_it_ends() -> None:
    with (
        silent_engine() as engine,
        serving(DISCO_ENGINE_URL=address_of(engine), DISCO_SEARCH_DEADLINE="0.5") as running,
        ThreadPoolExecutor(1) as other,
    ):
        process, address = running
        answer = other.submit(httpx.get, f"{address}/v1/search?q=rain", timeout=PATIENCE)
        engine.settimeout(PATIENCE)
        with engine.accept()[0]:  # the search is on its way to the engine, which stays silent
            process.send_signal(signal.SIGTERM)
            assert answer.result(PATIENCE).status_code == 504
        assert process.wait(PATIENCE) == 0


def test_an_address_that_is_taken_is_bad_usage() -> None:
    with silent_engine() as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [str(DISCO), "serve", "query-api", "--port", port],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert ended.returncode == 2
    assert f"port {port}" in ended.stderr
    assert "--port" in ended.stderr


def test_whoever_watches_the_dashboard_does_not_keep_it_from_ending(settings: Settings) -> None:
    key = asyncio.run(_watchers_key(settings))
    with serving(DISCO_DATABASE_URL=settings.database_url) as (process, address):
        headers = {"Authorization": f"Bearer {key}"}
        stream = httpx.stream("GET", f"{address}/dashboard/events", headers=headers, timeout=10)
        with stream as response:
            pieces = response.iter_lines()
            assert any(line == "event: panels" for line in pieces)
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0  # sooner than requests in progress are given up


async def _watchers_key(settings: Settings) -> str:
    async with open_keys(settings, Actor(name="tests", via="cli")) as keys:
        return (await keys.create("hall", [Scope.DASHBOARD_READ])).text
