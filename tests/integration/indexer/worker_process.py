"""A worker as a process of its own: started, killed, stopped, asked for its metrics."""

import asyncio
import dataclasses
import itertools
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from prometheus_client.parser import text_string_to_metric_families

from core.settings import Settings
from stack.programs import _environment
from tests.integration.indexer.waiting import until

DISCO = Path(sys.executable).with_name("disco")
PRODUCT: Sequence[str] = (str(DISCO), "work", "indexer", "--metrics-port", "0")
LAUNCHER = Path(__file__).with_name("mutant_worker.py")

_ADDRESS = re.compile(r"^metrics: (http://\S+)$", re.MULTILINE)
_numbers = itertools.count(1)


class Metrics:
    """The metrics of one process at one moment; they can be added up."""

    def __init__(self, samples: Counter[tuple[str, frozenset[tuple[str, str]]]]) -> None:
        self._samples = samples

    @classmethod
    def parse(cls, text: str) -> "Metrics":
        """Counters, gauges and the sums and counts of histograms."""
        samples: Counter[tuple[str, frozenset[tuple[str, str]]]] = Counter()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                samples[sample.name, frozenset(sample.labels.items())] += sample.value  # type: ignore[assignment]
        return cls(samples)

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of all samples of `disco_indexer_<name>` that carry the labels."""
        wanted = labels.items()
        return sum(
            value
            for (sample, has), value in self._samples.items()
            if sample == f"disco_indexer_{name}" and wanted <= has
        )

    def __add__(self, other: "Metrics") -> "Metrics":
        return Metrics(self._samples + other._samples)


NO_METRICS = Metrics(Counter())


class Worker:
    """One process. Its log lines are JSON; it is killed when nobody stopped it."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process.poll() is None

    def lines(self, event: str = "") -> list[dict[str, Any]]:
        """The log lines so far; with `event`, those of that name."""
        raw = self.log.read_bytes().splitlines()
        parsed = [orjson.loads(line) for line in raw if line.startswith(b"{")]
        return [line for line in parsed if not event or line["event"] == event]

    def tail(self) -> str:
        """The end of the log, for messages."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return f"process {self.process.pid}, exit code {self.process.poll()}, log:\n{text[-4000:]}"

    async def ready(self, *, within: float = 60) -> None:
        """Wait until it consumes."""
        await until(self._is_ready, within=within, what="worker is ready", state=self.tail)

    async def _is_ready(self) -> bool:
        assert self.is_running, self.tail()
        return bool(self.lines("worker_ready"))

    async def metrics(self) -> Metrics:
        """What it counted so far; raises `OSError` when the process is gone."""
        return Metrics.parse(await asyncio.to_thread(self._read_metrics))

    async def last_metrics(self) -> Metrics:
        """The same, or nothing if it does not answer."""
        try:
            return await self.metrics()
        except (OSError, AssertionError):
            return NO_METRICS

    def _read_metrics(self) -> str:
        found = _ADDRESS.search(self.log.read_text(encoding="utf-8", errors="replace"))
        assert found, self.tail()
        with urllib.request.urlopen(found[1], timeout=5) as answer:  # noqa: S310 - its own address
            text: str = answer.read().decode()
        return text

    async def counted(self, least: float, name: str, *, within: float = 30, **labels: str) -> None:
        """Wait until a metric is `least` or more."""

        async def value() -> bool:
            assert self.is_running, self.tail()
            return (await self.metrics())(name, **labels) >= least

        await until(
            value, within=within, what=f"{name} {labels} reaches {least:g}", state=self.tail
        )

    async def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self.process.kill()
        await self.ended()

    async def stop(self, *, within: float = 40) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(within=within)

    async def ended(self, *, within: float = 30) -> int:
        """Wait for the end; the exit code."""
        try:
            return await asyncio.to_thread(self.process.wait, within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end within {within:g} s; {self.tail()}") from None


def spawn(
    settings: Settings, folder: Path, *, command: Sequence[str] = PRODUCT, **changes: Any
) -> Worker:
    """Start a worker; `changes` replace settings. Whoever spawns it must end it."""
    log = folder / f"worker-{next(_numbers)}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(dataclasses.replace(settings, **changes)),
            cwd=folder,
            start_new_session=True,
        )
    return Worker(process, log)


@asynccontextmanager
async def working(
    settings: Settings, folder: Path, *, command: Sequence[str] = PRODUCT, **changes: Any
) -> AsyncIterator[Worker]:
    """A worker that is ready; killed at the end unless it has ended.

    Its sweep is off unless `changes` say otherwise, so that it cannot mend what a test looks at.
    """
    worker = spawn(settings, folder, command=command, **({"sweep_rate": 0} | changes))
    try:
        await worker.ready()
        yield worker
    finally:
        if worker.is_running:
            await worker.kill()


def launcher(mutation: str, **faults: float) -> Sequence[str]:
    """The command of a worker with a mutation, and with faults of its own (`mutant_worker.py`)."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in faults.items()]
    return (sys.executable, str(LAUNCHER), mutation, *options)
