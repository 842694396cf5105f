"""A stack folder in a temporary place, and processes that end with the test."""

import os
import pwd
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack import processes
from stack.account import Account
from stack.processes import MARKER, ProcessRecord
from stack.state import Register, StackFolder, new_state

Spawn = Callable[..., ProcessRecord]


@pytest.fixture
def account() -> Account:
    """Ourselves: these tests change no user."""
    me = pwd.getpwuid(os.geteuid())
    return Account(name=me.pw_name, uid=me.pw_uid, gid=me.pw_gid, switch=False)


@pytest.fixture
def register(tmp_path: Path) -> Register:
    folder = StackFolder("unit", root=tmp_path)
    return Register(folder, new_state("unit", data=folder.path, heap="1g"))


@pytest.fixture
def spawn(tmp_path: Path, account: Account) -> Iterator[Spawn]:
    """Start a Python program as a process of its own session."""
    started: list[ProcessRecord] = []

    def start(program: str, *, marker: Path | None = None) -> ProcessRecord:
        record = processes.spawn(
            [sys.executable, "-c", program],
            environment={MARKER: str(marker)} if marker else {},
            folder=tmp_path,
            log=tmp_path / "log",
            account=account,
        )
        started.append(record)
        return record

    yield start
    for record in started:
        processes.send(record, signal.SIGKILL)
