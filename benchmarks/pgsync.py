"""Pgsync beside us: how fast its initial sync makes and indexes the same joined documents.

It is installed as PyPI has it, into an environment of its own, and run as its documentation says:
`bootstrap`, then `pgsync`, which is one process, as is our worker. The engine is the same, and so
are settings, analysis and mappings of the index; `pgsync_schema.py` says what differs in a
document. It cannot leave rows out, so what nobody may see is deleted from the benchmark's catalogue
first, for both; and it wants a primary key in every table.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks import pgsync_schema
from benchmarks.environment import Environment
from core.errors import UsageError
from indexer import operations as indexer
from indexer.generation import index_body
from stack import commands
from stack.errors import CommandError, StackError

VERSION: Final = "7.3.0"
_TIME_LIMIT: Final = 3_600.0  # seconds
_ENGINE_SECONDS: Final = 120  # that a request of its may take; its 10 are few for 5,000 documents
#: Nobody listens there: an initial sync does without Redis, and one that happens to run on this
#: machine is not the benchmark's.
_NO_REDIS: Final = "1"
#: Those of runs that were killed: there is room for few.
_DROP_SLOTS: Final = """
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
WHERE slot_type = 'logical' AND NOT active AND starts_with(database, 'bench_')
"""
_DELETE_HIDDEN: Final = """
DELETE FROM sounds s USING users u
WHERE u.id = s.user_id AND (s.visibility <> 'public' OR s.deleted_at IS NOT NULL
    OR u.visibility <> 'public' OR u.deleted_at IS NOT NULL)
"""
_ADD_KEY: Final = """
ALTER TABLE sound_tags ADD COLUMN assignment bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
"""


@dataclass(frozen=True, kw_only=True)
class Synced:
    """One initial sync."""

    documents: int
    seconds: float  # without what the program takes to start
    processor: float  # seconds of its processes, the same

    @property
    def rate(self) -> float:
        """Documents a second."""
        return self.documents / self.seconds


class Pgsync:
    """An installed pgsync, for the sounds of a benchmark's place."""

    def __init__(self, made: Environment, programs: Path) -> None:
        self._settings = made.settings
        self._programs = programs
        self._folder = made.logs / "pgsync"
        self._folder.mkdir(exist_ok=True)
        self._index = f"{made.settings.index_prefix}-pgsync"
        self._schema = self._folder / "schema.json"
        told = pgsync_schema.schema(_database(made), self._index)
        self._schema.write_text(json.dumps(told), encoding="utf-8")
        self._start = (0.0, 0.0)

    async def bootstrap(self, services: indexer.Services) -> None:
        """Have it make its triggers and its slot, and see how long it takes to start."""
        async with self._empty_index(services):
            await self._run("bootstrap")
            self._start = await self._run("pgsync", "--analyze")

    async def sync(
        self,
        services: indexer.Services,
        *,
        expected: int,
        samples: Mapping[int, Mapping[str, Any]],
    ) -> Synced:
        """An initial sync; raises `AssertionError` unless it makes the documents that we make.

        `samples` are some of ours by id, `expected` is how many there are.
        """
        for checkpoint in self._folder.glob(".*"):
            checkpoint.unlink()
        async with self._empty_index(services):
            seconds, processor = await self._run("pgsync")
            await services.engine.indices.refresh(index=self._index)
            documents = (await services.engine.count(index=self._index))["count"]
            assert documents == expected, f"pgsync made {documents:,} documents, we {expected:,}"
            await self._compare(services, samples)
        start_seconds, start_processor = self._start
        return Synced(
            documents=documents,
            seconds=seconds - start_seconds,
            processor=processor - start_processor,
        )

    @asynccontextmanager
    async def _empty_index(self, services: indexer.Services) -> AsyncIterator[None]:
        ours = index_body(services.definitions["sound"], self._settings, self._index)
        await services.engine.indices.create(index=self._index, **pgsync_schema.index_body(ours))
        try:
            yield
        finally:
            await services.engine.indices.delete(index=self._index)

    async def _compare(
        self, services: indexer.Services, samples: Mapping[int, Mapping[str, Any]]
    ) -> None:
        answer = await services.engine.mget(index=self._index, ids=[str(one) for one in samples])
        for (one, ours), found in zip(samples.items(), answer["docs"], strict=True):
            unlike = pgsync_schema.differences(ours, found.get("_source", {}))
            assert not unlike, f"sound {one} differs in {unlike}: {ours} and {found}"

    async def _run(self, program: str, *arguments: str) -> tuple[float, float]:
        """Seconds on the clock, and of its processes."""
        command = [str(self._programs / program), *arguments, "--config", str(self._schema)]
        return await asyncio.to_thread(self._call, command)

    def _call(self, command: Sequence[str]) -> tuple[float, float]:
        log = self._folder / "log"
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        with log.open("ab") as output:
            try:
                done = subprocess.run(
                    command,
                    check=False,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=_TIME_LIMIT,
                    cwd=self._folder,
                    env=os.environ | self._environment(),
                )
            except subprocess.TimeoutExpired:
                raise StackError(
                    f"pgsync takes more than {_TIME_LIMIT:,.0f} s; see {log}"
                ) from None
        seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise CommandError(f"pgsync ({Path(command[0]).name})", done.returncode, log)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, used

    def _environment(self) -> dict[str, str]:
        return {
            "PG_URL": self._settings.database_url,
            "ELASTICSEARCH_URL": self._settings.engine_url,
            "ELASTICSEARCH_TIMEOUT": str(_ENGINE_SECONDS),
            "CHECKPOINT_PATH": str(self._folder),
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": _NO_REDIS,
        }


def prepare(made: Environment) -> Pgsync:
    """Install it, and make the benchmark's catalogue one that it can work on.

    Raises:
        UsageError: The stack's database does not decode its log.
        CommandError: It cannot be installed.
    """
    if (level := made.stack.primary.query("SHOW wal_level")) != "logical":
        raise UsageError(
            f"pgsync needs a database with wal_level = logical, and this stack runs with {level}: "
            "stop it (`disco stack down --name NAME`), and call this again, which starts it"
        )
    programs = _installed(made)
    made.stack.primary.query(_DROP_SLOTS)
    for statement in (_DELETE_HIDDEN, _ADD_KEY):
        made.stack.primary.query(statement, database=_database(made), within=_TIME_LIMIT)
    return Pgsync(made, programs)


def _database(made: Environment) -> str:
    return urlsplit(made.settings.database_url).path.removeprefix("/")


def _installed(made: Environment) -> Path:
    """The folder of its programs; installed once a stack."""
    folder = made.logs / f"pgsync-{VERSION}"
    complete = folder / "complete"
    if not complete.exists():
        for label, command in _installation(folder):
            commands.run_long(
                command, label=label, log=made.logs / "pgsync-installation.log", progress=made.say
            )
        complete.touch()
    return folder / "bin"


def _installation(folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    yield "making an environment for pgsync", [sys.executable, "-m", "venv", "--clear", str(folder)]
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    yield f"installing pgsync {VERSION} (once)", [*pip, "install", f"pgsync=={VERSION}"]
