"""`disco demo up`: everything on one machine, with a catalogue to look at, until Ctrl-C."""

import asyncio
import dataclasses
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click
import uvloop

from access.operations import Scope, open_keys
from cli.output import dry_run_option, json_option, print_json, print_json_line, progress
from core.operation_log import Actor
from core.settings import Settings, load
from demo import operations as demo
from demo.sizes import Size
from indexer import operations as indexer
from indexer.errors import NoGenerationError
from stack import operations as stacks
from stack import ports, programs
from stack.errors import StackError
from stack.loopback import call
from stack.programs import Program

_ROOT = Path(__file__).resolve().parent.parent
_PROGRESS_INTERVAL = 2.0
_LOOK_INTERVAL = 0.5
_KEY_DAYS = 1  # that the key which is printed holds
_FIRST_SEARCHES = ("love", "a", "rain", "night", "love+song", "dj")


@click.command()
@click.option("--name", default="demo", help="Stack to run on.")
@click.option(
    "--size", default="S", help="Size of the generated catalogue, if there is no real one."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of a real catalogue to import.  [default: ../shared/data, if it is there]",
)
@dry_run_option
@json_option
def up(*, name: str, size: str, data: Path | None, dry_run: bool, as_json: bool) -> None:
    """Start the services, load and index a catalogue, run a worker and the API until Ctrl-C.

    What is there already is kept: a second start is quick.
    """
    if dry_run:
        _print_plan(_plan(name, size, data), as_json)
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = stacks.up(name, root=_ROOT, progress=progress)
    try:
        settings = load(file=started.settings_file)
        uvloop.run(_load_catalogue(settings, Size[size], data))
        settings = replace(settings, explore_at=uvloop.run(_explored_at(settings)))
        uvloop.run(_index(settings))
        _serve(settings, started.settings_file.parent / "logs", as_json)
    except KeyboardInterrupt:
        progress("stopping")
    finally:
        stacks.down(name, root=_ROOT, progress=progress, only=started.started)


async def _load_catalogue(settings: Settings, size: Size, data: Path | None) -> None:
    """Load the catalogue unless there is one: the real one if its files are there."""
    summary = await demo.catalogue_summary(settings)
    if summary.total:
        progress(f"catalogue: {summary.total:,} entities ({summary.origin})")
        return
    folder = data or demo.find_data()
    if folder is None:
        await demo.load_generated(settings, size, report=progress)
    else:
        await demo.import_real(settings, folder, report=progress)


async def _explored_at(settings: Settings) -> str:
    """Where Explore looks back from: an archive says nothing about just now."""
    if settings.explore_at:
        return settings.explore_at
    end = await demo.end_of_activity(settings)
    if end is None:
        return ""
    progress(f"the catalogue ends on {end:%d %B %Y}: Explore looks back from there")
    return end.isoformat()


async def _index(settings: Settings) -> None:
    """Build the index of each entity type that has none."""
    async with indexer.open_indexer(settings) as services, asyncio.TaskGroup() as builds:
        for entity in services.definitions:
            try:
                await services.generations.live(entity)
            except NoGenerationError:
                builds.create_task(_build(services, entity))


async def _build(services: indexer.Services, entity: str) -> None:
    progress(f"indexing {entity}s")
    last, told = time.monotonic(), -1
    async for state in indexer.build(services, entity):
        if state.read != told and time.monotonic() - last >= _PROGRESS_INTERVAL:
            last, told = time.monotonic(), state.read
            progress(f"indexing {entity}s: {state.read:,} of about {state.expected:,}")
    progress(f"indexed {entity}s: {state.read:,}")


def _serve(settings: Settings, logs: Path, as_json: bool) -> None:
    """Run the programs until Ctrl-C, or until one of them ends by itself."""
    with ExitStack() as running:
        worker = running.enter_context(programs.worker(settings, logs))
        keeper = running.enter_context(programs.interactions_worker(settings, logs))
        port = settings.query_api_port
        if not ports.is_free(port):
            progress(f"port {port} is taken; the API gets another one")
            port = 0
        others = ",".join(f"{one.url}/metrics" for one in (worker, keeper))
        told = dataclasses.replace(settings, dashboard_metrics=others)
        api = running.enter_context(programs.query_api(told, logs, port=port or None))
        _warm_up(api)
        key = uvloop.run(_make_key(settings))
        if as_json:
            print_json_line(
                {
                    "api": api.url,
                    "worker": worker.url,
                    "interactions": keeper.url,
                    "logs": str(logs),
                    "key": key,
                }
            )
        else:
            _announce(api, worker, keeper, key)
        while True:
            _raise_if_ended((worker, keeper, api))
            time.sleep(_LOOK_INTERVAL)


def _warm_up(api: Program) -> None:
    """Search a little: an engine that has just started takes too long for the first searches."""
    for words in _FIRST_SEARCHES:
        try:
            call(api.port, f"/v1/search?q={words}")
        except StackError:
            continue  # the next one finds it warmer


def _raise_if_ended(running: Sequence[Program]) -> None:
    for program in running:
        if program.ended():
            raise click.ClickException(
                f"{program.name} has ended; the end of its log {program.log}:\n"
                f"{program.last_lines()}"
            )


async def _make_key(settings: Settings) -> str:
    """A key for the pages that are not for all."""
    async with open_keys(settings, Actor.of_this_process()) as keys:
        return (await keys.create("demo", [Scope.DASHBOARD_READ], days=_KEY_DAYS)).text


def _announce(api: Program, worker: Program, keeper: Program, key: str) -> None:
    click.echo(
        f"""
Search page   {api.url}/
Explore       {api.url}/explore
Dashboard     {api.url}/dashboard   (key, for a day: {key})
Search API    {api.url}/v1/search?q=love   (described by {api.url}/openapi.json)
Metrics       {api.url}/metrics (API), {worker.url}/metrics and {keeper.url}/metrics (workers)
Logs          {api.log.parent}

Four things to try:
  1. Open the search page and type the name of an artist.
  2. In another terminal, change something and find it at once:
       .venv/bin/disco demo play --rate 5 --seconds 30
  3. Open the dashboard, enter the key, and watch both happen.
  4. Ask whether the index holds what the database holds:
       .venv/bin/disco verify

Ctrl-C stops what this command started.
"""
    )


def _plan(name: str, size: str, data: Path | None) -> list[str]:
    folder = data or demo.find_data()
    source = f"the catalogue in {folder}" if folder else f"a generated catalogue ({size})"
    return [
        *stacks.plan_up(name, root=_ROOT),
        f"load {source}, unless one is loaded",
        "build the index of each entity type that has none",
        "run the workers and the query API until Ctrl-C, then stop what was started",
    ]


def _print_plan(steps: Sequence[str], as_json: bool) -> None:
    if as_json:
        print_json({"plan": steps})
        return
    for step in steps:
        click.echo(step)
