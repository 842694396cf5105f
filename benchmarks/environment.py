"""Where benchmarks run: a place of their own in a running stack, with a catalogue that is kept.

The generated catalogue is loaded once a size and kept in a template database; each benchmark gets
a fresh copy of it, so that what one changes does not reach the next.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import uvloop

from core.settings import Settings
from demo import operations as demo
from demo.sizes import Size
from indexer import operations as indexer
from stack import operations as stacks
from stack import places
from stack.assembly import Stack

ROOT = Path(__file__).resolve().parent.parent
SEED = 1
_SCHEMA = ROOT / "demo" / "schema.sql"
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A benchmark's place."""

    settings: Settings
    stack: Stack
    logs: Path  # folder for the logs of the programs that the benchmark runs
    say: Say  # tells a person what is going on


@contextmanager
def environment(
    *, stack_name: str, size: str, say: Say, indexed: bool = True
) -> Iterator[Environment]:
    """A fresh copy of the generated catalogue, with an index of it; removed at the end.

    `size` is one of the generator's, `stack_name` a stack, which is started if it does not run.
    """
    stacks.up(stack_name, root=ROOT, progress=say)
    stack = stacks.open_stack(stack_name, root=ROOT)
    template = _template(stack, size, say)
    name = f"bench_{size.lower()}"
    places.remove_database(stack, name)
    with contextlib.suppress(Exception):
        places.remove_virtual_host(stack, name)
    places.remove_indices(stack, name)
    places.make(stack, name, template=template)
    try:
        made = Environment(
            # The sweep would take a share of the machine that is not what is measured.
            settings=replace(Settings(**places.settings(stack, name)), sweep_rate=0),
            stack=stack,
            logs=ROOT / ".stack" / stack_name / "bench",
            say=say,
        )
        if indexed:
            uvloop.run(_index(made))
        yield made
    finally:
        places.remove(stack, name)


def _template(stack: Stack, size: str, say: Say) -> str:
    """The database with the generated catalogue; loaded if there is none of this schema."""
    stem = f"bench_template_{size.lower()}"
    name = f"{stem}_{hashlib.sha256(_SCHEMA.read_bytes()).hexdigest()[:12]}"
    there = places.databases(stack)
    if name not in there:
        for older in (one for one in there if one == stem or one.startswith(f"{stem}_")):
            places.remove_database(stack, older)
        say(f"loading the generated catalogue {size}")
        partial = f"{name}_partial"
        places.remove_database(stack, partial)
        stack.primary.query(f"CREATE DATABASE {partial}")
        settings = Settings(**places.settings(stack, partial))
        uvloop.run(demo.load_generated(settings, Size[size], seed=SEED, report=say))
        stack.primary.query(f"ALTER DATABASE {partial} RENAME TO {name}")
    return name


async def _index(made: Environment) -> None:
    async with indexer.open_indexer(made.settings) as services, asyncio.TaskGroup() as builds:
        for entity in services.definitions:
            builds.create_task(_build(made, services, entity))


async def _build(made: Environment, services: indexer.Services, entity: str) -> None:
    made.say(f"indexing {entity}s")
    async for _ in indexer.build(services, entity):
        pass
    made.say(f"indexed {entity}s")


def corpus(size: str, settings: Settings) -> dict[str, object]:
    """What a report says of the catalogue."""
    summary = uvloop.run(demo.catalogue_summary(settings))
    entities = {entity: count.public for entity, count in summary.entities.items()}
    return {"catalogue": size, "seed": SEED, "public_entities": entities}
