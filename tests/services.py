"""The real services, for tests: one stack for all, and in it a place of its own for each module.

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
from urllib.parse import quote

import psutil
import pytest

from core.settings import Settings
from stack import faults, operations
from stack.assembly import Stack
from stack.loopback import call
from stack.rabbitmq import USER as BROKER_USER
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
    stack.primary.query(f"CREATE DATABASE {name} TEMPLATE {_template(stack)}")
    _make_virtual_host(stack, name)
    faults.await_replica(stack)
    try:
        yield _settings(stack, name)
    finally:
        _remove_database(stack, name)
        _remove_virtual_host(stack, name)
        _remove_indices(stack, name)


def engine(stack: Stack, method: str, path: str) -> Any:
    """The JSON answer of the engine to a request without a body."""
    return call(stack.engine.port("elasticsearch"), path, method=method)


def _settings(stack: Stack, name: str) -> Settings:
    addresses = stack.settings()
    return Settings(
        database_url=_with_path(addresses["database_url"], name),
        replica_url=_with_path(addresses["replica_url"], name),
        broker_url=_with_path(addresses["broker_url"], name),
        engine_url=addresses["engine_url"],
        index_prefix=name,
    )


def _with_path(url: str, path: str) -> str:
    return f"{url.rpartition('/')[0]}/{path}"


def _template(stack: Stack) -> str:
    """The name of a database that has the schema and nothing else, made if the schema is new."""
    digest = hashlib.sha256(SCHEMA.read_bytes()).hexdigest()[:12]
    name = f"template_{digest}"
    with file_lock(stack.register.folder.path / "template.lock"):
        existing = _databases(stack)
        if name not in existing:
            for older in (other for other in existing if other.startswith("template_")):
                _remove_database(stack, older)
            stack.primary.query(f"CREATE DATABASE {name}_partial")
            stack.primary.run_file(SCHEMA, database=f"{name}_partial")
            stack.primary.query(f"ALTER DATABASE {name}_partial RENAME TO {name}")
    return name


def _databases(stack: Stack) -> list[str]:
    return stack.primary.query("SELECT datname FROM pg_database").splitlines()


def _remove_database(stack: Stack, name: str) -> None:
    stack.primary.query(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _make_virtual_host(stack: Stack, name: str) -> None:
    stack.broker.call("PUT", f"vhosts/{name}")
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    stack.broker.call("PUT", f"permissions/{name}/{BROKER_USER}", rights)


def _remove_virtual_host(stack: Stack, name: str) -> None:
    stack.broker.call("DELETE", f"vhosts/{name}")


def _virtual_hosts(stack: Stack) -> list[str]:
    return [entry["name"] for entry in stack.broker.call("GET", "vhosts")]


def _indices(stack: Stack) -> list[str]:
    listed = stack.engine.get("_cat/indices?format=json&h=index&expand_wildcards=all")
    return [entry["index"] for entry in listed]


def _remove_indices(stack: Stack, prefix: str) -> None:
    ours = [name for name in _indices(stack) if name.startswith(f"{prefix}-")]
    for name in ours:
        engine(stack, "DELETE", f"/{quote(name)}?ignore_unavailable=true")


def _sweep(stack: Stack) -> None:
    """Remove what test runs left that were killed."""
    for name in filter(_is_orphan, _databases(stack)):
        _remove_database(stack, name)
    for name in filter(_is_orphan, _virtual_hosts(stack)):
        _remove_virtual_host(stack, name)
    for prefix in {name.partition("-")[0] for name in _indices(stack)}:
        if _is_orphan(prefix):
            _remove_indices(stack, prefix)


def _is_orphan(name: str) -> bool:
    """Whether a name was made by a test run that is over."""
    mark, _, rest = name.partition("_")
    pid = rest.partition("_")[0]
    return mark == MARK and pid.isdigit() and not psutil.pid_exists(int(pid))
