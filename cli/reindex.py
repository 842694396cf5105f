"""`disco index reindex`: new indices are built, followed, paused, taken up again and cancelled."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence

import click
import uvloop

from cli.build_progress import (
    document,
    follow,
    position,
    print_built,
    print_state,
    progress_line,
)
from cli.index_gates import gated_indexer
from cli.output import dry_run_option, json_option, print_json, progress
from core.errors import UsageError
from core.settings import Settings, load
from indexer import operations
from indexer.operations import BuildAction, BuildPlan, Progress, Services

_Act = Callable[[Services, str], Awaitable[Progress]]

_ACTS: Mapping[str, tuple[_Act, str]] = {
    "pause": (operations.pause_build, "paused"),
    "resume": (operations.resume_build, "goes on"),
    "cancel": (operations.cancel_build, "cancelled; its index is deleted"),
}


@click.command()
@click.argument("entities", nargs=-1, metavar="[ENTITY]...")
@click.option(
    "--no-promote",
    "unpromoted",
    is_flag=True,
    help="Leave it as ready once it is complete, for `disco index promote`.",
)
@click.option(
    "--detach", is_flag=True, help="End at once and leave the build to workers; it ends as ready."
)
@click.option("--pause", "act", flag_value="pause", help="Have a build under way do no more.")
@click.option("--resume", "act", flag_value="resume", help="Go on with a build, and follow it.")
@click.option("--cancel", "act", flag_value="cancel", help="Give a build up; delete its index.")
@click.option("--status", "act", flag_value="status", help="Tell how far builds are, and end.")
@dry_run_option
@json_option
def reindex(
    *,
    entities: tuple[str, ...],
    unpromoted: bool,
    detach: bool,
    act: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Build a new index of ENTITY (default: of all) from its definition, and make it live.

    Searches go to the old index until the new one is complete. Workers do the work, side by side;
    while there is none, this command does it. Ctrl-C ends this command, not the build.
    """
    settings = load()
    names = list(operations.definitions_of(settings, entities))
    if act == "status":
        _print_status(settings, names, as_json)
        return
    if act is not None and not entities:
        raise UsageError(f"name the ENTITY whose build to {act}")
    promoting = not (unpromoted or detach)
    if dry_run:
        _print_plan(settings, names, BuildAction(act or "build"), promoting, as_json)
    elif act in ("pause", "cancel"):
        _act_on(settings, names, act, as_json)
    else:
        uvloop.run(
            _reindex(settings, names, act, detach=detach, promoting=promoting, as_json=as_json)
        )


def _act_on(settings: Settings, entities: Sequence[str], act: str, as_json: bool) -> None:
    """Pause or cancel the builds of these entity types."""
    function, said = _ACTS[act]

    async def run() -> list[Progress]:
        async with operations.open_indexer(settings) as services:
            return [await function(services, entity) for entity in entities]

    for state in uvloop.run(run()):
        print_state(state, f"{said} at {position(state)}", as_json)


async def _reindex(
    settings: Settings,
    names: Sequence[str],
    act: str | None,
    *,
    detach: bool,
    promoting: bool,
    as_json: bool,
) -> None:
    """All entity types side by side: small ones are done while the large one is read.

    One that fails does not stop the others; its error is raised when they are done.
    """
    async with gated_indexer(settings) as services:
        ends = await asyncio.gather(
            *(
                _build(services, name, act, detach=detach, promoting=promoting, as_json=as_json)
                for name in names
            ),
            return_exceptions=True,
        )
    failures = [end for end in ends if end is not None]
    for failure in failures[1:]:
        progress(f"disco: {failure}")
    if failures:
        raise failures[0]


async def _build(
    services: Services,
    name: str,
    act: str | None,
    *,
    detach: bool,
    promoting: bool,
    as_json: bool,
) -> None:
    begin = operations.resume_build if act == "resume" else operations.start_build
    begun = await begin(services, name)
    if detach:
        print_state(begun, "is left to the workers", as_json)
        return
    states = operations.follow_build(services, name, begun.index, promoting=promoting)
    print_built(await follow(states, as_json), as_json)


def _print_status(settings: Settings, names: Sequence[str], as_json: bool) -> None:
    async def run() -> list[Progress]:
        async with operations.open_indexer(settings) as services:
            return await operations.list_builds(services, names)

    states = uvloop.run(run())
    if as_json:
        print_json([document(state) for state in states])
        return
    for state in states:
        click.echo(progress_line(state) + (f": {state.failure}" if state.failure else ""))
    if not states:
        click.echo("no index was built so far")


def _print_plan(
    settings: Settings,
    names: Sequence[str],
    action: BuildAction,
    promoting: bool,
    as_json: bool,
) -> None:
    async def run() -> list[BuildPlan]:
        async with operations.open_indexer(settings) as services:
            return [await operations.plan_build(services, name, action) for name in names]

    plan = uvloop.run(run())
    if as_json:
        print_json({"plan": [dataclasses.asdict(one) | {"promote": promoting} for one in plan]})
        return
    for one in plan:
        click.echo(_planned(one, promoting))


def _planned(plan: BuildPlan, promoting: bool) -> str:
    if plan.index is not None:
        return f"would {plan.action} the build of {plan.index} ({plan.phase})"
    end = "make it live" if promoting else "leave it as ready"
    return (
        f"would build an index of {plan.entity} from table {plan.source_table} (about "
        f"{plan.expected:,} rows, definition {plan.definition}), and {end}"
    )
