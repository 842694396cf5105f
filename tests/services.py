"""The real services, for tests: a stack for each process that runs tests, and in it a place of its
own for each module.

A place is a database with the catalogue's schema, a virtual host of the broker and a prefix of
index names. It is made when a module first asks for it and removed after its last test. A service
that is missing is started; one that cannot be started fails the test.
"""

import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.settings import Settings
from stack import operations, places
from stack.assembly import Stack
from stack.state import file_lock

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "demo" / "schema.sql"
#: The first part of every name that tests make in the services; the process id follows.
MARK = "test"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The running stack of the tests; what had to be started is stopped at the end."""
    name = os.environ.get("DISCO_TEST_STACK") or "test"
    if sharer := os.environ.get("PYTEST_XDIST_WORKER"):  # each process breaks only what is its own
        name = f"{name}-{sharer}"
    started = operations.up(name, root=ROOT, progress=print)
    running = operations.open_stack(name, root=ROOT)
    _sweep(running)
    yield running
    if started.started:
        operations.down(name, root=ROOT, progress=print, only=started.started)


@pytest.fixture(scope="module")
def settings(stack: Stack) -> Iterator[Settings]:
    """Settings of the module's own place in the stack: an empty catalogue, no queue, no index."""
    with place(stack) as made:
        yield made


@pytest.fixture
def fresh_settings(stack: Stack) -> Iterator[Settings]:
    """Settings of a place for one test alone."""
    with place(stack) as made:
        yield made


@contextmanager
def place(stack: Stack) -> Iterator[Settings]:
    """A place of its own in the stack. The replica shows it, too, before this returns."""
    name = f"{MARK}_{os.getpid()}_{next(_numbers)}"
    places.make(stack, name, template=_template(stack))
    try:
        # No ranks: what an installation beside the tests has published is none of their business.
        yield Settings(**places.settings(stack, name), rank_store=f"/nonexistent/{name}")
    finally:
        places.remove(stack, name)


def engine(stack: Stack, method: str, path: str) -> Any:
    """The JSON answer of the engine to a request without a body."""
    return stack.engine.call(method, path.removeprefix("/"))


def _template(stack: Stack) -> str:
    """The name of a database that has the schema and nothing else, made if the schema is new."""
    digest = hashlib.sha256(SCHEMA.read_bytes()).hexdigest()[:12]
    name = f"template_{digest}"
    with file_lock(stack.register.folder.path / "template.lock"):
        existing = places.databases(stack)
        if name not in existing:
            for older in (other for other in existing if other.startswith("template_")):
                places.remove_database(stack, older)
            stack.primary.query(f"CREATE DATABASE {name}_partial")
            stack.primary.run_file(SCHEMA, database=f"{name}_partial")
            stack.primary.query(f"ALTER DATABASE {name}_partial RENAME TO {name}")
    return name


def _sweep(stack: Stack) -> None:
    """Remove what test runs left that were killed."""
    for name in filter(_is_orphan, places.databases(stack)):
        places.remove_database(stack, name)
    for name in filter(_is_orphan, places.virtual_hosts(stack)):
        places.remove_virtual_host(stack, name)
    for prefix in {name.partition("-")[0] for name in places.indices(stack)}:
        if _is_orphan(prefix):
            places.remove_indices(stack, prefix)


def _is_orphan(name: str) -> bool:
    """Whether a name was made by a test run that is over."""
    mark, _, rest = name.partition("_")
    pid = rest.partition("_")[0]
    return mark == MARK and pid.isdigit() and not psutil.pid_exists(int(pid))
