"""Disturb a stack on purpose, for tests: kill, pause, restart, make the replica lag."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from stack import processes, supervisor
from stack.assembly import Stack
from stack.errors import StackError
from stack.processes import ProcessRecord
from stack.service import Service
from stack.waiting import wait_until


def kill(stack: Stack, service: str) -> None:
    """End a service as a crash would (SIGKILL), and wait until it is gone. It stays down."""
    record = _process(stack.service(service))
    processes.send(record, signal.SIGKILL)
    if not wait_until(lambda: not processes.is_running(record), within=10):
        raise StackError(f"{service} survived SIGKILL (process {record.pid})")


def restart(stack: Stack, service: str) -> None:
    """Stop a service in order if it runs, and start it; waits until it serves."""
    member = stack.service(service)
    with stack.register.folder.locked():
        supervisor.bring_down(member, _quiet)
        supervisor.bring_up(member, _quiet)


def start(stack: Stack, service: str) -> None:
    """Start a service that was killed; waits until it serves."""
    with stack.register.folder.locked():
        supervisor.bring_up(stack.service(service), _quiet)


@contextmanager
def paused(stack: Stack, service: str) -> Iterator[None]:
    """Meanwhile the service neither answers nor ends (SIGSTOP), as on a machine that hangs."""
    record = _process(stack.service(service))
    family = processes.family(record)
    for member in family:
        processes.send(member, signal.SIGSTOP)
    try:
        yield
    finally:
        for member in reversed(family):
            processes.resume(member)


@contextmanager
def lagging_replica(stack: Stack, *, seconds: float) -> Iterator[None]:
    """Meanwhile the replica applies each commit this late."""
    stack.replica.delay(round(seconds * 1000))
    try:
        yield
    finally:
        stack.replica.delay(0)


@contextmanager
def paused_replay(stack: Stack) -> Iterator[None]:
    """Meanwhile the replica answers, and shows the past."""
    stack.replica.pause_replay()
    try:
        yield
    finally:
        stack.replica.resume_replay()


def await_replica(stack: Stack, *, within: float = 30) -> None:
    """Wait until the replica shows all that the primary had committed at the call.

    Raises:
        StackError: It does not, within that many seconds.
    """
    position = stack.primary.query("SELECT pg_current_wal_lsn()")
    applied = f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"
    if not wait_until(lambda: stack.replica.query(applied) == "t", within=within):
        raise StackError(f"the replica has not reached {position} within {within:g} s")


def _process(service: Service) -> ProcessRecord:
    record = service.register.process(service.name)
    if record is None or not processes.is_running(record):
        raise StackError(f"{service.name} does not run, so it cannot be disturbed")
    return record


def _quiet(message: str) -> None:
    del message
