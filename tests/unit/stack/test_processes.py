import dataclasses
import os
import signal
import sys
from pathlib import Path

from stack import processes
from stack.account import Account
from stack.waiting import wait_until
from tests.unit.stack.conftest import Spawn

SLEEP = "import signal; signal.pause()"
#: Says so once it can no longer be asked to end.
STUBBORN = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True: signal.pause()
"""
WITH_CHILD = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import signal; signal.pause()", "the-child"])
"""


def test_a_process_runs_until_it_is_stopped(spawn: Spawn) -> None:
    record = spawn(SLEEP)
    assert processes.is_running(record)
    assert processes.stop(record, within=10)
    assert not processes.is_running(record)


def test_a_record_does_not_fit_another_process_of_the_same_number(spawn: Spawn) -> None:
    record = spawn(SLEEP)
    recycled = dataclasses.replace(record, started=record.started - 1)
    assert not processes.is_running(recycled)
    assert not processes.send(recycled, signal.SIGKILL)
    assert processes.is_running(record)


def test_a_record_does_not_outlive_the_boot(spawn: Spawn) -> None:
    record = dataclasses.replace(spawn(SLEEP), boot="another")
    assert not processes.is_running(record)


def test_stop_leaves_a_stranger_alone(spawn: Spawn) -> None:
    record = spawn(SLEEP)
    assert processes.stop(dataclasses.replace(record, started=0), within=1)
    assert processes.is_running(record)


def test_a_process_that_will_not_end_is_killed(spawn: Spawn, tmp_path: Path) -> None:
    record = spawn(STUBBORN)
    assert wait_until(lambda: "ready" in (tmp_path / "log").read_text(), within=10)
    assert not processes.stop(record, within=0.2)
    assert not processes.is_running(record)


def test_a_paused_process_can_be_stopped(spawn: Spawn) -> None:
    record = spawn(SLEEP)
    processes.send(record, signal.SIGSTOP)
    assert processes.stop(record, within=10)


def test_a_process_that_ended_at_once_is_not_running(spawn: Spawn) -> None:
    record = spawn("pass")
    assert wait_until(lambda: not processes.is_running(record), within=10)


def test_output_goes_to_the_log_and_there_is_no_input(spawn: Spawn, tmp_path: Path) -> None:
    spawn("import sys; print(repr(sys.stdin.read())); print('bad', file=sys.stderr)")
    log = tmp_path / "log"
    assert wait_until(lambda: log.read_text() in {"''\nbad\n", "bad\n''\n"}, within=10)


def test_a_large_log_is_set_aside_at_the_next_start(spawn: Spawn, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.truncate(processes.LOG_LIMIT + 1)
    spawn(SLEEP)
    assert log.stat().st_size == 0
    assert (tmp_path / "log.1").stat().st_size == processes.LOG_LIMIT + 1


def test_processes_without_record_are_found_by_their_mark(spawn: Spawn, tmp_path: Path) -> None:
    record = spawn(SLEEP, marker=tmp_path / "service")
    spawn(SLEEP, marker=tmp_path / "service2")
    spawn(SLEEP)
    assert wait_until(lambda: processes.marked(tmp_path / "service") == [record], within=10)


def test_the_real_process_is_found_below_its_launcher(spawn: Spawn) -> None:
    record = spawn(WITH_CHILD)
    assert wait_until(
        lambda: processes.child_of(record, argument="the-child") is not None, within=10
    )
    child = processes.child_of(record, argument="the-child")
    assert child is not None
    assert processes.family(record) == [record, child]
    processes.send(child, signal.SIGKILL)
    assert wait_until(lambda: not processes.is_running(record), within=10)
    assert processes.family(record) == []


def test_the_environment_is_ours_alone(tmp_path: Path, account: Account) -> None:
    processes.spawn(
        [sys.executable, "-c", "import os; print(sorted(os.environ), flush=True)"],
        environment={"ONLY": "this", "LC_ALL": "C.UTF-8"},
        folder=tmp_path,
        log=tmp_path / "log",
        account=account,
    )
    wanted = "['LC_ALL', 'ONLY']\n"
    assert wait_until(lambda: (tmp_path / "log").read_text() == wanted, within=10)


def test_we_ourselves_are_identified() -> None:
    record = processes.identify(os.getpid())
    assert record is not None
    assert record.pid == os.getpid()
    assert processes.is_running(record)
