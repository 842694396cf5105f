"""Load: prepared HTTP requests over a few connections, closed or open loop; a process of its own.

Sockets and `epoll` without a framework: the generator has to be several times faster than what it
measures. `python -m benchmarks.http_load` reads a job as JSON from standard input, and prints what
it found. It keeps a core busy: give it one that the service does not have.
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

CONNECTIONS: Final = 16
_CHUNK: Final = 1 << 18  # bytes
_PATIENCE: Final = 30.0  # seconds that an answer may take
_SPIN: Final = 0.002  # seconds before a request is due in which the generator does not sleep


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to send where."""

    host: str
    port: int
    seconds: float
    requests: str  # file of requests, each behind its length in four bytes
    results: str  # file for an array: when a request was due, and how long its answer took
    rate: float  # requests a second, open loop; 0: each connection sends when it has its answer
    connections: int = CONNECTIONS


@dataclass(frozen=True, kw_only=True)
class Load:
    """What came of it."""

    #: Rows of two: `time.monotonic` when it was due, seconds until the whole answer was there.
    answers: NDArray[np.float64]
    failed: int  # answers that are not 200, connections that broke
    seconds: float
    mean_bytes: float  # of the body of an answer
    behind: float  # seconds that the generator itself was late at most

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.answers) / self.seconds

    def percentile(self, percent: float) -> float:
        """Seconds."""
        return float(np.percentile(self.answers[:, 1], percent))


def run(
    address: str,
    requests: Sequence[bytes],
    *,
    seconds: float,
    rate: float = 0.0,
    core: int | None = None,
) -> Load:
    """Put load on an address, from a process on `core`."""
    with start(address, requests, seconds=seconds, rate=rate, core=core) as running:
        return running.finish()


class Running:
    """Load that is being put on."""

    def __init__(self, job: Job, folder: "TemporaryDirectory[str]", core: int | None) -> None:
        self._job, self._folder = job, folder
        pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
        self._process = subprocess.Popen(
            [*pinned, sys.executable, "-m", "benchmarks.http_load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(job)).encode())
        self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()

    def finish(self) -> Load:
        """Wait for its end."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ChildProcessError(f"the load ended with exit code {self._process.wait()}")
        told = json.loads(line)
        return Load(answers=np.load(self._job.results), **told)


def start(
    address: str,
    requests: Sequence[bytes],
    *,
    seconds: float,
    rate: float = 0.0,
    core: int | None = None,
) -> Running:
    """Begin to put load on an address."""
    folder = TemporaryDirectory()
    file = Path(folder.name) / "requests"
    file.write_bytes(b"".join(len(one).to_bytes(4, "little") + one for one in requests))
    host, _, port = address.removeprefix("http://").rpartition(":")
    job = Job(
        host=host,
        port=int(port),
        seconds=seconds,
        requests=str(file),
        results=str(Path(folder.name) / "answers.npy"),
        rate=rate,
    )
    return Running(job, folder, core)


class _Connection:
    """One connection; at most one request is under way on it."""

    __slots__ = ("body", "buffer", "due", "head", "socket")

    def __init__(self, job: Job) -> None:
        self.socket = socket.create_connection((job.host, job.port), timeout=_PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.buffer = b""
        self.head = self.body = -1

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at some time."""
        self.due, self.buffer, self.head = due, b"", -1
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what came; whether the answer is complete."""
        chunk = self.socket.recv(_CHUNK)
        if not chunk:
            raise ConnectionResetError("the service closed the connection")
        self.buffer = self.buffer + chunk if self.buffer else chunk
        if self.head < 0:
            self.head = self.buffer.find(b"\r\n\r\n")
            if self.head < 0:
                return False
            self.body = _length(self.buffer[: self.head])
        if self.body < 0:  # in chunks
            return self.buffer.endswith(b"0\r\n\r\n")
        return len(self.buffer) >= self.head + 4 + self.body

    @property
    def is_good(self) -> bool:
        """Whether the answer is 200."""
        return self.buffer.startswith(b"HTTP/1.1 200")


def _length(head: bytes) -> int:
    """Bytes of the body; -1 if it comes in chunks."""
    at = head.find(b"ontent-length: ")
    if at < 0:
        at = head.find(b"ontent-Length: ")
    if at < 0:
        return -1
    end = head.find(b"\r\n", at)
    return int(head[at + 15 : end if end > 0 else len(head)])


class _Generator:
    """Sends requests in their order, over and over."""

    def __init__(self, job: Job, requests: Sequence[bytes]) -> None:
        self._job, self._requests = job, requests
        self._epoll = select.epoll()
        self._by_number: dict[int, _Connection] = {}
        self._idle: deque[_Connection] = deque()
        for _ in range(job.connections):
            self._open()
        self._sent = 0
        self.failed = self.bytes = 0
        self.behind = 0.0
        self.answers: list[tuple[float, float]] = []

    def run(self) -> float:
        """Send for as long as the job says, and await the answers; the seconds it took."""
        began = time.monotonic()
        end = began + self._job.seconds
        period = 1 / self._job.rate if self._job.rate else 0.0
        due = began
        now = began
        while now < end:
            if period:
                while due <= now and self._idle:
                    self.behind = max(self.behind, now - due)
                    self._send(due)
                    due += period
                wait = due - now if self._idle else _PATIENCE
            else:
                while self._idle:
                    self._send(now)
                wait = _PATIENCE
            self._receive(0 if wait < _SPIN else wait - _SPIN)
            now = time.monotonic()
        while len(self._idle) < self._job.connections and now < end + _PATIENCE:
            self._receive(1)
            now = time.monotonic()
        return now - began

    def _open(self) -> None:
        connection = _Connection(self._job)
        self._by_number[connection.socket.fileno()] = connection
        self._epoll.register(connection.socket, select.EPOLLIN)
        self._idle.append(connection)

    def _replace(self, connection: _Connection) -> None:
        """Count a connection that broke, and open another."""
        self.failed += 1
        self._epoll.unregister(connection.socket)
        del self._by_number[connection.socket.fileno()]
        connection.socket.close()
        self._open()

    def _send(self, due: float) -> None:
        request = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        connection = self._idle.popleft()
        try:
            connection.send(request, due)
        except OSError:
            self._replace(connection)

    def _receive(self, seconds: float) -> None:
        for number, _ in self._epoll.poll(seconds):
            connection = self._by_number[number]
            try:
                if not connection.receive():
                    continue
            except OSError:
                self._replace(connection)
                continue
            now = time.monotonic()
            self.answers.append((connection.due, now - connection.due))
            self.failed += not connection.is_good
            self.bytes += len(connection.buffer) - connection.head - 4
            self._idle.append(connection)


def _read(file: Path) -> list[bytes]:
    content, at, requests = file.read_bytes(), 0, []
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "little")
        requests.append(content[at + 4 : at + 4 + size])
        at += 4 + size
    return requests


def main() -> None:
    """Do the job that standard input tells."""
    job = Job(**json.loads(sys.stdin.read()))
    generator = _Generator(job, _read(Path(job.requests)))
    seconds = generator.run()
    np.save(job.results, np.array(generator.answers, dtype=np.float64).reshape(-1, 2))
    told = {
        "failed": generator.failed,
        "seconds": seconds,
        "mean_bytes": generator.bytes / max(len(generator.answers), 1),
        "behind": generator.behind,
    }
    os.write(1, json.dumps(told).encode() + b"\n")


if __name__ == "__main__":
    main()
