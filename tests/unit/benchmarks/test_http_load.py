import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks import http_load

SIZE = 700
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A service whose answers are all alike."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.constant_service", str(SIZE)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.mark.thorough
def test_each_connection_sends_when_it_has_its_answer(address: str) -> None:
    load = http_load.run(address, [REQUEST], seconds=0.3)
    assert load.failed == 0
    assert load.mean_bytes == SIZE
    assert len(load.answers) > http_load.CONNECTIONS
    assert load.rate == pytest.approx(len(load.answers) / load.seconds)
    assert 0 < load.percentile(50) <= load.percentile(99) < 1


@pytest.mark.thorough
def test_at_a_rate_requests_are_sent_when_they_are_due(address: str) -> None:
    load = http_load.run(address, [REQUEST], seconds=0.5, rate=100)
    due = load.answers[:, 0]
    assert load.failed == 0
    assert len(due) == pytest.approx(50, abs=1)
    assert max(due) - min(due) == pytest.approx(0.49, abs=0.011)


def test_what_is_no_answer_is_counted(address: str) -> None:
    load = http_load.run(address, [REQUEST, b"nonsense\r\n\r\n"], seconds=0.2)
    assert load.failed > 0
