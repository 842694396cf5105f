"""The project's own programs as processes: the demo and the benchmarks run them like this."""

import dataclasses
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.settings import CONFIG_VARIABLE, PREFIX, Settings
from stack import ports
from stack.errors import StackError
from stack.loopback import LOOPBACK
from stack.waiting import wait_until

_LAST_LINES = 15


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that runs and serves HTTP on the loopback address."""

    name: str
    process: subprocess.Popen[bytes]
    port: int  # where it serves; the metrics of all programs are at /metrics
    log: Path

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://{LOOPBACK}:{self.port}"

    def ended(self) -> bool:
        """Whether it has ended, asked for or not."""
        return self.process.poll() is not None

    def stop(self, *, within: float = 30) -> None:
        """SIGTERM, and SIGKILL when that is not heeded `within` seconds."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_lines(self) -> str:
        """What it said last."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:])


@contextmanager
def worker(settings: Settings, logs: Path) -> Iterator[Program]:
    """A worker of the indexer, ready to consume; stopped at the end."""
    port = ports.choose(seed=str(os.getpid()))
    command = ["work", "indexer", "--metrics-port", str(port)]
    with _running(
        "indexer",
        command,
        port,
        settings,
        logs,
        ready="/metrics",
        says="disco_indexer_consuming 1.0",
    ) as program:
        yield program


@contextmanager
def interactions_worker(settings: Settings, logs: Path) -> Iterator[Program]:
    """The worker that stores searches and interactions, ready to consume; stopped at the end."""
    port = ports.choose(seed=f"interactions {os.getpid()}")
    command = ["work", "interactions", "--metrics-port", str(port)]
    with _running(
        "interactions",
        command,
        port,
        settings,
        logs,
        ready="/metrics",
        says="disco_evaluation_consuming 1.0",
    ) as program:
        yield program


@contextmanager
def query_api(
    settings: Settings, logs: Path, *, port: int | None = None, ready: str = "/readyz"
) -> Iterator[Program]:
    """The query API, once it answers at the path `ready`; stopped at the end."""
    port = port or ports.choose(seed=str(os.getpid()))
    command = ["serve", "query-api", "--port", str(port)]
    with _running("query-api", command, port, settings, logs, ready=ready) as program:
        yield program


@contextmanager
def _running(
    name: str,
    arguments: Sequence[str],
    port: int,
    settings: Settings,
    logs: Path,
    *,
    ready: str,
    says: str = "",
) -> Iterator[Program]:
    """Start a program; wait until it answers at the path `ready`, with a text that has `says`."""
    logs.mkdir(parents=True, exist_ok=True)
    program = Program(
        name=name,
        process=_spawn(arguments, settings, logs / f"{name}.log"),
        port=port,
        log=logs / f"{name}.log",
    )
    try:
        wait_until(lambda: program.ended() or _answers(program.url + ready, says), within=60)
        if program.ended() or not _answers(program.url + ready, says):
            raise StackError(
                f"{name} is not ready; the end of its log {program.log}:\n{program.last_lines()}"
            )
        yield program
    finally:
        program.stop()


def _spawn(arguments: Sequence[str], settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("disco")), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(settings),
            # Ctrl-C in the terminal is for the parent, which stops its children in order.
            start_new_session=True,
        )


def _environment(settings: Settings) -> dict[str, str]:
    """This process's environment, with the given settings in place of its own."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    ours = {
        f"{PREFIX}{key.upper()}": str(value)
        for key, value in dataclasses.asdict(settings).items()
        if value is not None
    }
    # The file of the working directory's stack must not mix with these.
    return inherited | ours | {CONFIG_VARIABLE: os.devnull}


def _answers(url: str, says: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return says in answer.read().decode()
    except OSError:
        return False
