"""`disco serve suggest` as a process: hundreds of requests while snapshots change below it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from suggest import builder
from suggest.phrases import Phrase
from suggest.store import Store

DISCO = Path(sys.executable).with_name("disco")
PATIENCE = 120.0  # seconds; the kernel may have to be compiled


def publish(store: Store, word: str, count: int = 20_000) -> str:
    phrases = [Phrase(f"{word} {n}", count - n, "sound", str(n), f"/{n}") for n in range(count)]
    edition = store.put(builder.build(phrases).pieces)
    store.publish(edition)
    return edition


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@contextmanager
def serving(store: Store) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DISCO_")}
    with subprocess.Popen(
        [str(DISCO), "serve", "suggest", "--port", "0", "--json"],
        env=environment | {"DISCO_SUGGEST_STORE": str(store.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = json.loads(process.stdout.readline())["address"]
            with httpx.Client(base_url=address, timeout=PATIENCE) as client:
                yield process, client
        finally:
            process.kill()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    waiting = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        waiting.wait(0.01)


def snapshot_of(client: httpx.Client) -> str | None:
    edition: str | None = client.get("/readyz").json()["snapshot"]
    return edition


def test_it_serves_until_sigterm_and_ends_well(store: Store) -> None:
    edition = publish(store, "rain", 10)
    with serving(store) as (process, client):
        assert client.get("/healthz").text == "ok\n"
        assert client.get("/v1/suggest?q=rai").json()["snapshot"] == edition
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        log = process.stderr.read()
    assert "suggest_listening" in log
    assert "snapshot_served" in log
    assert "suggest_stopped" in log


def test_a_first_publication_makes_it_ready(store: Store) -> None:
    with serving(store) as (_, client):
        assert client.get("/readyz").status_code == 503
        edition = publish(store, "rain", 10)
        until(lambda: snapshot_of(client) == edition)
        assert len(client.get("/v1/suggest?q=rain").json()["completions"]) == 10


def test_no_request_is_dropped_while_snapshots_change(store: Store) -> None:
    editions = [publish(store, "rain")]
    failures: list[str] = []
    answered: list[str] = []
    done = threading.Event()

    with serving(store) as (_, client):

        def ask() -> None:
            with httpx.Client(base_url=client.base_url, timeout=PATIENCE) as own:
                while not done.is_set():
                    answer = own.get("/v1/suggest?q=rai")
                    if answer.status_code != 200:
                        failures.append(answer.text)
                        continue
                    body = answer.json()
                    answered.append(body["snapshot"])
                    if len(body["completions"]) != 10:
                        failures.append(answer.text)

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        try:
            for word in ("rainy", "raisin", "rail"):
                editions.append(publish(store, word))
                until(lambda: answered[-1:] == editions[-1:])
            store.rollback()
            until(lambda: answered[-1:] == editions[-2:-1])
        finally:
            done.set()
            for asker in askers:
                asker.join(PATIENCE)
    assert failures == []
    assert set(answered) == set(editions)


def test_a_damaged_snapshot_is_refused_and_the_former_stays(store: Store) -> None:
    good = publish(store, "rain", 50)
    with serving(store) as (process, client):
        # As a copy that was cut on its way, named by a pointer that came whole.
        bad = store.put(builder.build([Phrase("snow", 1, None, None, None)]).pieces)
        store.path_of(bad).write_bytes(store.path_of(bad).read_bytes()[:-1])
        store.pointer.write_text(f"{good}\n{bad}\n")
        until(lambda: 'outcome="refused"} 1.0' in client.get("/metrics").text)
        assert snapshot_of(client) == good
        assert len(client.get("/v1/suggest?q=rai").json()["completions"]) == 10
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert "snapshot_refused" in process.stderr.read()
