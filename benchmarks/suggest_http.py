"""Completions over HTTP: our service on one core, beside a constant answer and the engine's.

The service and the generator of the load have a core each. Saturation is what 16 connections get
that always wait for an answer; at a steady rate, requests are sent when they are due, and an answer
takes from then on. The constant answer is as long as ours are on average, and comes from the same
server. The engine's completion suggester has the same names and beginnings, on all cores, which it
shares with the generator.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import quote

import numpy as np

from benchmarks import completion_suggester, http_load, suggest_corpus
from benchmarks.environment import Say
from benchmarks.http_load import Load
from benchmarks.report import Bar, Report, medians
from core.errors import UsageError
from stack.loopback import call
from stack.waiting import wait_until
from suggest import builder
from suggest.phrases import Phrase
from suggest.store import Store

SEED: Final = 1
SERVICE_CORE: Final = 0
LOAD_CORE: Final = 1
_WARM_UP: Final = 2.0  # seconds
_SWAP_EVERY: Final = 4.0  # seconds
_SWAPS: Final = 4
_AFTERMATH: Final = 0.5  # seconds after a swap that count to it

Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured."""

    names: int
    queries: int
    runs: int
    seconds: float  # of each load


def measure(plan: Plan, *, stack: str, say: Say) -> Report:
    """Compare in `plan.runs` runs, ours, the constant answer and the engine in turn."""
    if not {SERVICE_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        raise UsageError("the service and the load need a core each: cores 0 and 1")
    say(f"making {plan.names:,} names")
    names = suggest_corpus.generated(plan.names)
    typed = [one.typed for one in suggest_corpus.query_log(names, plan.queries, SEED)]
    runs: list[Figures] = []
    with (
        TemporaryDirectory() as folder,
        completion_suggester.filled(stack, names, say) as engine,
    ):
        store = Store(Path(folder))
        editions = [_put(store, names), _put(store, names[1:])]
        for number in range(1, plan.runs + 1):
            store.publish(editions[0])
            figures = _ours(store, editions, typed, plan)
            figures |= _constant(figures, plan)
            figures |= _engine(engine, typed, plan)
            runs.append(figures)
            say(f"run {number} of {plan.runs} done")
    found = medians(runs)
    return Report(
        bench="suggest-http",
        corpus={"names": len(names), "queries": len(typed)},
        figures=found,
        bars=_bars(found),
        details={"runs": runs},
    )


def _put(store: Store, names: Sequence[suggest_corpus.Name]) -> str:
    phrases = [
        Phrase(name.text, name.weight, name.type, str(number), f"/{name.type}s/{number}")
        for number, name in enumerate(names)
    ]
    return store.put(builder.build(phrases).pieces)


def _ours(store: Store, editions: Sequence[str], typed: Sequence[str], plan: Plan) -> Figures:
    requests = {fuzzy: [_request(text, fuzzy) for text in typed] for fuzzy in (True, False)}
    figures: Figures = {}
    with _service(store) as address:
        _load(address, requests[True], _WARM_UP)
        for label, fuzzy in (("fuzzy", True), ("exact", False)):
            load = _load(address, requests[fuzzy], plan.seconds)
            figures |= _figures(label, load)
        steady = _load(address, requests[True], plan.seconds, rate=figures["fuzzy_per_second"] / 2)
        figures |= _figures("half", steady)
        figures["half_behind_ms"] = steady.behind * 1e3
        figures |= _swaps(store, editions, address, requests[True], figures)
    return figures


def _swaps(
    store: Store,
    editions: Sequence[str],
    address: str,
    requests: Sequence[bytes],
    figures: Figures,
) -> Figures:
    """Publish snapshots in turn under a steady load of half the saturation."""
    windows: list[tuple[float, float]] = []
    seconds = _SWAP_EVERY * (_SWAPS + 1)
    rate = figures["fuzzy_per_second"] / 2
    with http_load.start(address, requests, seconds=seconds, rate=rate, core=LOAD_CORE) as running:
        first = time.monotonic() + _SWAP_EVERY
        for number in range(_SWAPS):
            _sleep_until(first + number * _SWAP_EVERY)
            edition = editions[(number + 1) % 2]
            began = time.monotonic()
            store.publish(edition)
            wait_until(partial(_is_served, edition, address), within=60)
            windows.append((began, time.monotonic() + _AFTERMATH))
        load = running.finish()
    due, took = load.answers.T
    during = np.zeros(len(due), dtype=bool)
    for low, high in windows:
        during |= (due >= low) & (due < high)
    before = due < windows[0][0]
    return {
        "swap_failed": float(load.failed),
        "swap_before_p99_ms": float(np.percentile(took[before], 99)) * 1e3,
        "swap_during_p99_ms": float(np.percentile(took[during], 99)) * 1e3,
        "swap_longest_ms": float(took[during].max()) * 1e3,
        "swap_seconds": float(np.mean([high - low - _AFTERMATH for low, high in windows])),
    }


def _constant(figures: Figures, plan: Plan) -> Figures:
    command = [sys.executable, "-m", "benchmarks.constant_service"]
    size = round(figures["fuzzy_bytes"])
    with _process([*command, str(size)], {}) as line:
        requests = [_request("constant", fuzzy=True)]
        _load(line, requests, _WARM_UP)
        load = _load(line, requests, plan.seconds)
    return _figures("constant", load)


def _engine(engine: completion_suggester.Filled, typed: Sequence[str], plan: Plan) -> Figures:
    figures: Figures = {}
    for label, fuzzy in (("fuzzy", True), ("exact", False)):
        requests = [engine.request(text, fuzzy=fuzzy) for text in typed]
        http_load.run(engine.address, requests, seconds=_WARM_UP)
        load = http_load.run(engine.address, requests, seconds=plan.seconds)
        figures |= _figures(f"engine_{label}", load)
    return figures


def _figures(label: str, load: Load) -> Figures:
    if load.failed:
        raise AssertionError(f"{load.failed} requests of {label} failed")
    return {
        f"{label}_per_second": load.rate,
        f"{label}_p50_ms": load.percentile(50) * 1e3,
        f"{label}_p99_ms": load.percentile(99) * 1e3,
        f"{label}_bytes": load.mean_bytes,
    }


def _load(address: str, requests: Sequence[bytes], seconds: float, rate: float = 0.0) -> Load:
    return http_load.run(address, requests, seconds=seconds, rate=rate, core=LOAD_CORE)


def _request(typed: str, fuzzy: bool) -> bytes:
    path = f"/v1/suggest?q={quote(typed)}" + ("" if fuzzy else "&fuzzy=false")
    return f"GET {path} HTTP/1.1\r\nHost: suggest\r\n\r\n".encode()


@contextmanager
def _service(store: Store) -> Iterator[str]:
    """Our service on its core; its address."""
    disco = str(Path(sys.executable).with_name("disco"))
    settings = {
        "DISCO_SUGGEST_STORE": str(store.folder),
        "DISCO_SUGGEST_OVERLAY_PHRASES": "0",
        "DISCO_LOG_LEVEL": "error",
    }
    with _process([disco, "serve", "suggest", "--port", "0", "--json"], settings) as line:
        yield json.loads(line)["address"]


@contextmanager
def _process(command: Sequence[str], settings: dict[str, str]) -> Iterator[str]:
    """A program on the service's core; the first line that it prints."""
    with subprocess.Popen(
        ["taskset", "--cpu-list", str(SERVICE_CORE), *command],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | settings,
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _is_served(edition: str, address: str) -> bool:
    ready = call(int(address.rpartition(":")[2]), "/readyz")
    return bool(ready["snapshot"] == edition)


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _bars(found: Figures) -> dict[str, Bar]:
    bars = {
        "half_p99_ms": Bar(value=found["half_p99_ms"], bar=3, at_most=True),
        "times_constant": Bar(
            value=found["fuzzy_per_second"] / found["constant_per_second"], bar=0.7, at_most=False
        ),
        "swap_failed": Bar(value=found["swap_failed"], bar=0, at_most=True),
        "swap_p99_times": Bar(
            value=found["swap_during_p99_ms"] / found["swap_before_p99_ms"], bar=2, at_most=True
        ),
    }
    for label in ("fuzzy", "exact"):
        rate = found[f"{label}_per_second"] / found[f"engine_{label}_per_second"]
        slowness = found[f"{label}_p99_ms"] / found[f"engine_{label}_p99_ms"]
        bars[f"{label}_times_engine"] = Bar(value=rate, bar=2, at_most=False)
        bars[f"{label}_p99_times_engine"] = Bar(value=slowness, bar=0.5, at_most=True)
    return bars
