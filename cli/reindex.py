"""`disco index reindex`: new indices are built, followed, paused, taken up again and cancelled."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import click
import uvloop

from cli.index_gates import gated_indexer
from cli.output import (
    dry_run_option,
    json_option,
    print_json,
    print_json_line,
    progress,
)
from core.errors import UsageError
from core.settings import Settings, load
from indexer import operations
from indexer.operations import Progress, Services

_PROGRESS_INTERVAL = 2.0

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
@click.option("--detach", is_flag=True, help="Leave the build to workers; it ends as ready.")
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
    elif dry_run:
        _print_plan(settings, names, act, detach=detach, promoting=not unpromoted, as_json=as_json)
    elif act in ("pause", "cancel"):
        _act_on(settings, entities, act, as_json)
    else:
        if act is not None and not entities:
            raise UsageError("name the ENTITY whose build shall go on")
        uvloop.run(
            _reindex(settings, names, act, detach=detach, promoting=not unpromoted, as_json=as_json)
        )


def _act_on(settings: Settings, entities: Sequence[str], act: str, as_json: bool) -> None:
    """Pause or cancel the builds of the entity types that were named."""
    if not entities:
        raise UsageError(f"name the ENTITY whose build to {act}")
    function, said = _ACTS[act]

    async def run() -> list[Progress]:
        async with operations.open_indexer(settings) as services:
            return [await function(services, entity) for entity in entities]

    for state in uvloop.run(run()):
        _print_state(state, f"{said} at {_position(state)}", as_json)


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
        _print_state(begun, "is left to the workers", as_json)
        return
    states = operations.follow_build(services, name, begun.index, promoting=promoting)
    _print_built(await _follow(states, as_json), as_json)


async def _follow(states: AsyncIterator[Progress], as_json: bool) -> Progress:
    """Tell of the progress from time to time; the last of it."""
    last = time.monotonic()
    async for state in states:
        if not as_json and time.monotonic() - last >= _PROGRESS_INTERVAL:
            last = time.monotonic()
            progress(_progress_line(state))
    return state


def _print_status(settings: Settings, names: Sequence[str], as_json: bool) -> None:
    async def run() -> list[Progress]:
        async with operations.open_indexer(settings) as services:
            return await operations.list_builds(services, names)

    states = uvloop.run(run())
    if as_json:
        print_json([_document(state) for state in states])
        return
    for state in states:
        click.echo(_progress_line(state) + (f": {state.failure}" if state.failure else ""))
    if not states:
        click.echo("no index was built so far")


def _print_plan(
    settings: Settings,
    names: Sequence[str],
    act: str | None,
    *,
    detach: bool,
    promoting: bool,
    as_json: bool,
) -> None:
    promoting = promoting and not detach
    plan = [
        {
            "entity": name,
            "definition": definition.hash,
            "source_table": definition.source_table,
            "action": act or "build",
            "promote": promoting,
        }
        for name, definition in operations.definitions_of(settings, names).items()
    ]
    if as_json:
        print_json({"plan": plan})
        return
    end = ", and make it live" if promoting else ", and leave it as ready"
    for step in plan:
        if act is not None:
            click.echo(f"would {act} the build of {step['entity']}, if there is one")
            continue
        click.echo(
            f"would build an index of {step['entity']} from table {step['source_table']} "
            f"(definition {step['definition']}){end}"
        )


def _progress_line(state: Progress) -> str:
    doing = f"{state.phase} {state.turn}" if state.turn else str(state.phase)
    parts = [f"{state.entity}: {'paused, ' if state.is_paused else ''}{doing}"]
    if state.rows:
        parts.append(_position(state))
    if state.rate:
        parts.append(f"{state.rate:,.0f}/s")
    if state.eta is not None:
        parts.append(f"{_duration(state.eta)} left")
    return ", ".join(parts)


def _position(state: Progress) -> str:
    share = ""
    if state.expected:
        percent = min(100, 100 * state.rows // max(state.expected, state.rows))
        share = f" of about {state.expected:,} ({percent} %)"
    return f"{state.rows:,}{share} rows"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _print_state(state: Progress, said: str, as_json: bool) -> None:
    if as_json:
        print_json_line(_document(state))
    else:
        click.echo(f"{state.entity}: {state.index} {said}")


def _print_built(state: Progress, as_json: bool) -> None:
    if as_json:
        print_json_line(_document(state))
    else:
        rate = state.read / max(state.seconds, 0.001)
        click.echo(
            f"{state.entity}: {state.read:,} documents in {state.seconds:.1f} s ({rate:,.0f}/s)"
        )


def _document(state: Progress) -> dict[str, Any]:
    return {
        "entity": state.entity,
        "index": state.index,
        "phase": state.phase,
        "paused": state.is_paused,
        "rows": state.rows,
        "expected": state.expected,
        "documents": state.read,
        "outcomes": state.outcomes,
        "mended": state.mended,
        "rate": round(state.rate, 1),
        "eta_seconds": None if state.eta is None else round(state.eta, 1),
        "seconds": round(state.seconds, 3),
        "failure": state.failure or None,
    }
