"""`disco index apply`: changes of definitions that need no new index take effect."""

import asyncio
from collections.abc import Sequence
from typing import Any

import click
import uvloop

from cli.build_progress import document, follow, print_built, print_state
from cli.index_gates import gated_indexer
from cli.output import (
    DOES_NOT_HOLD,
    dry_run_option,
    exit_with,
    json_option,
    print_json_line,
    progress,
)
from core.settings import Settings, load
from indexer import operations
from indexer.operations import Changes, Progress, Remedy, Services

_SAID = {
    Remedy.NOTHING: "nothing has changed",
    Remedy.IN_PLACE: "{tense}changed in place",
    Remedy.COPY: "how queries are read has changed; {tense}applied to a copy of {index}",
}


@click.command()
@click.argument("entities", nargs=-1, metavar="[ENTITY]...")
@click.option(
    "--no-promote",
    "unpromoted",
    is_flag=True,
    help="Leave a copy as ready once it is complete, for `disco index promote`.",
)
@dry_run_option
@json_option
def apply(*, entities: tuple[str, ...], unpromoted: bool, dry_run: bool, as_json: bool) -> None:
    """Apply what has changed of the definition of ENTITY (default: of all) without a reindex.

    Says what has changed since the live index was built. Settings are changed in place; where
    queries are read in another way (synonyms, search analyzers), a copy of the live index takes its
    place. Exits 1 if anything needs `disco index reindex`; the rest is applied all the same.
    """
    settings = load()
    names = list(operations.definitions_of(settings, entities))
    left = uvloop.run(
        _apply(settings, names, promoting=not unpromoted, dry_run=dry_run, as_json=as_json)
    )
    if left:
        exit_with(DOES_NOT_HOLD)


async def _apply(
    settings: Settings, names: Sequence[str], *, promoting: bool, dry_run: bool, as_json: bool
) -> bool:
    """Whether anything is left that needs a reindex.

    One entity type that fails does not stop the others; its error is raised when they are done.
    """
    async with gated_indexer(settings) as services:
        ends = await asyncio.gather(
            *(
                _apply_one(services, name, promoting=promoting, dry_run=dry_run, as_json=as_json)
                for name in names
            ),
            return_exceptions=True,
        )
    failures = [end for end in ends if isinstance(end, BaseException)]
    for failure in failures[1:]:
        progress(f"disco: {failure}")
    if failures:
        raise failures[0]
    return Remedy.REINDEX in ends


async def _apply_one(
    services: Services, entity: str, *, promoting: bool, dry_run: bool, as_json: bool
) -> Remedy:
    """What the changes of a definition took, or would take."""
    [changes], build = await operations.plan_changes(services, [entity]), None
    if not dry_run and changes.remedy in (Remedy.IN_PLACE, Remedy.COPY):
        done = await operations.apply_changes(services, entity)
        changes, build = done.changes, done.build
    _print_changes(changes, build, dry_run=dry_run, as_json=as_json)
    if build is not None:
        states = operations.follow_build(services, entity, build.index, promoting=promoting)
        print_built(await follow(states, as_json), as_json)
    return changes.remedy


def _print_changes(
    changes: Changes, build: Progress | None, *, dry_run: bool, as_json: bool
) -> None:
    if as_json:
        told: dict[str, Any] = operations.changes_document(changes)
        print_json_line(told | {"build": document(build) if build else None, "dry_run": dry_run})
        return
    if changes.remedy is Remedy.REINDEX:
        click.echo(operations.reindex_needed(changes))
        return
    said = _SAID[changes.remedy].format(
        tense="would be " if dry_run else "", index=changes.live.index
    )
    click.echo(f"{changes.live.name.entity}: {said}")
    for name, (before, after) in changes.settings.items():
        click.echo(f"  {name}: {before} -> {after}")
    if changes.profile:
        click.echo("  search profile: searches use that of the file within a second")
    if build is not None:
        print_state(build, f"is a copy of {changes.live.index}", as_json)
