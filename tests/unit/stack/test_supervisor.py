"""The supervisor, with a small real service: a Python program that opens a port."""

import signal
import socket
import sys
from collections.abc import Iterator
from typing import ClassVar

import pytest

from stack import processes, supervisor
from stack.account import Account
from stack.errors import StartError
from stack.loopback import LOOPBACK
from stack.processes import ProcessRecord
from stack.service import Launch, Progress, Service
from stack.state import Register
from stack.waiting import wait_until

SERVE = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True: server.accept()[0].close()
"""


class Listener(Service):
    """Serves by accepting connections; keeps a file as data."""

    name: ClassVar[str] = "listener"
    ports: ClassVar[tuple[str, ...]] = ("listener",)
    start_deadline: ClassVar[float] = 10
    program: str = SERVE
    settled: int = 0

    def prepare(self, progress: Progress) -> None:
        del progress
        self.data.mkdir(exist_ok=True)
        (self.data / "precious").touch()

    def launch(self) -> Launch:
        return Launch(
            command=[sys.executable, "-c", self.program, str(self.port("listener"))],
            environment=self.environment(),
            folder=self.folder,
        )

    def is_ready(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.port("listener")), timeout=1).close()
        except OSError:
            return False
        return True

    def settle(self) -> None:
        self.settled += 1


class Copy(Listener):
    """A listener that only starts on data that nobody has broken."""

    is_copy: ClassVar[bool] = True

    def launch(self) -> Launch:
        self.program = "exit('broken')" if (self.data / "broken").exists() else SERVE
        return super().launch()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def listener(register: Register, account: Account) -> Iterator[Listener]:
    service = Listener(register, account)
    yield service
    supervisor.bring_down(service, lambda _: None)


@pytest.fixture
def copy(register: Register, account: Account) -> Iterator[Copy]:
    service = Copy(register, account)
    yield service
    supervisor.bring_down(service, lambda _: None)


def _process(service: Service) -> ProcessRecord:
    record = service.register.process(service.name)
    assert record is not None
    return record


def test_up_down_and_up_again(listener: Listener, said: list[str]) -> None:
    assert not supervisor.is_up(listener)
    assert supervisor.bring_up(listener, said.append)
    assert supervisor.is_up(listener)
    assert said[-1] == f"listener: ready on 127.0.0.1:{listener.port('listener')}"
    assert supervisor.bring_down(listener, said.append)
    assert not supervisor.is_up(listener)
    assert not supervisor.bring_down(listener, said.append)
    assert (listener.data / "precious").exists()
    assert supervisor.bring_up(listener, said.append)


def test_what_is_up_is_left_alone_and_settled(listener: Listener, said: list[str]) -> None:
    supervisor.bring_up(listener, said.append)
    before, said[:] = _process(listener), []
    assert not supervisor.bring_up(listener, said.append)
    assert _process(listener) == before
    assert said == []
    assert listener.settled == 2


def test_a_dead_process_is_replaced_on_the_same_port(listener: Listener, said: list[str]) -> None:
    supervisor.bring_up(listener, said.append)
    before, port = _process(listener), listener.port("listener")
    processes.send(before, signal.SIGKILL)
    assert wait_until(lambda: not processes.is_running(before), within=10)
    assert supervisor.bring_up(listener, said.append)
    assert _process(listener) != before
    assert listener.port("listener") == port


def test_a_paused_process_goes_on(listener: Listener, said: list[str]) -> None:
    supervisor.bring_up(listener, said.append)
    before = _process(listener)
    processes.send(before, signal.SIGSTOP)
    assert not supervisor.bring_up(listener, said.append)
    assert _process(listener) == before


def test_a_stale_record_is_nobodys_process(listener: Listener, said: list[str]) -> None:
    """The number in the record is that of a stranger by now: this test."""
    own = processes.identify(1) or pytest.fail("there is no process 1")
    stale = ProcessRecord(pid=own.pid, started=own.started + 1, boot=own.boot)
    listener.register.record("listener", stale)
    assert supervisor.bring_up(listener, said.append)
    assert _process(listener).pid != 1
    assert processes.is_running(own)


def test_a_process_whose_record_was_lost_is_stopped(listener: Listener, said: list[str]) -> None:
    supervisor.bring_up(listener, said.append)
    lost = _process(listener)
    listener.register.forget("listener")
    assert supervisor.bring_up(listener, said.append)
    assert not processes.is_running(lost)
    assert f"listener: stopping process {lost.pid}" in said


def test_the_ruins_of_a_first_start_are_cleared(listener: Listener, said: list[str]) -> None:
    listener.data.mkdir(parents=True)
    (listener.data / "half").touch()
    supervisor.bring_up(listener, said.append)
    assert "listener: clearing what an interrupted first start left" in said
    assert [path.name for path in listener.data.iterdir()] == ["precious"]


def test_data_that_were_ready_once_are_never_cleared(listener: Listener, said: list[str]) -> None:
    supervisor.bring_up(listener, said.append)
    (listener.data / "row").touch()
    supervisor.bring_down(listener, said.append)
    supervisor.bring_up(listener, said.append)
    assert (listener.data / "row").exists()


def test_a_port_that_someone_took_is_given_up(listener: Listener, said: list[str]) -> None:
    taken = listener.port("listener")
    with socket.create_server((LOOPBACK, taken)):
        supervisor.bring_up(listener, said.append)
        chosen = listener.port("listener")
        assert chosen != taken
        assert f"listener: port {taken} is taken by another program, using {chosen}" in said


def test_a_process_that_ends_is_an_error_with_its_last_words(
    listener: Listener, said: list[str]
) -> None:
    listener.program = "exit('the disk is full')"
    with pytest.raises(StartError) as raised:
        supervisor.bring_up(listener, said.append)
    assert "listener ended while it was starting" in str(raised.value)
    assert str(listener.log) in str(raised.value)
    assert "the disk is full" in str(raised.value)


@pytest.mark.thorough
def test_a_process_that_never_answers_is_stopped_at_the_deadline(
    listener: Listener, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listener, "start_deadline", 0.5)
    listener.program = "print('still thinking', flush=True); import signal; signal.pause()"
    with pytest.raises(StartError, match=r"did not answer within 0.5 s") as raised:
        supervisor.bring_up(listener, said.append)
    assert "still thinking" in str(raised.value)
    assert not processes.is_running(_process(listener))


def test_a_copy_that_does_not_start_is_made_anew(copy: Copy, said: list[str]) -> None:
    supervisor.bring_up(copy, said.append)
    supervisor.bring_down(copy, said.append)
    (copy.data / "broken").touch()
    assert supervisor.bring_up(copy, said.append)
    assert not (copy.data / "broken").exists()
    assert "listener: listener ended while it was starting; copying it anew" in said


def test_an_original_that_does_not_start_is_kept(listener: Listener, said: list[str]) -> None:
    supervisor.bring_up(listener, said.append)
    supervisor.bring_down(listener, said.append)
    listener.program = "exit(1)"
    with pytest.raises(StartError):
        supervisor.bring_up(listener, said.append)
    assert (listener.data / "precious").exists()
