"""`disco rank publish` and `rollback`: which rank edition searches use."""

import time
from collections.abc import Mapping
from typing import Any, Final

import click
import uvloop

from cli.history import print_history
from cli.output import dry_run_option, json_option, print_json, progress
from cli.rank_editions import print_drift
from core.settings import Settings
from core.settings import load as load_settings
from indexer import operations as indexer
from indexer.operations import RankState, Stage
from ranker import edition_operations as ranker
from ranker.edition_operations import Drift

_PROGRESS_INTERVAL: Final = 2.0  # seconds


@click.command()
@click.argument("edition", required=False)
@click.option("--override", metavar="REASON", help="Publish although a gate does not hold.")
@dry_run_option
@json_option
def publish(*, edition: str | None, override: str | None, dry_run: bool, as_json: bool) -> None:
    """Have searches use EDITION (default: the newest).

    Documents whose rank changed are indexed again, in the slot that is not live; then the slots
    change places, at once for all. Needs a running worker.
    """
    settings = load_settings()
    name = ranker.open_edition(settings, edition).name
    document = uvloop.run(_publish(settings, name, override, dry_run=dry_run, as_json=as_json))
    if as_json:
        print_json(document)


@click.command()
@click.option("--override", metavar="REASON", help="Although documents lack ranks of it.")
@dry_run_option
@json_option
def rollback(*, override: str | None, dry_run: bool, as_json: bool) -> None:
    """Have searches use the edition in the other slot: at once, and without indexing anything."""

    async def change() -> tuple[RankState, RankState]:
        async with indexer.open_indexer(load_settings()) as services:
            return await indexer.roll_back_ranks(services, override=override, dry_run=dry_run)

    before, after = uvloop.run(change())
    if as_json:
        print_json({"before": before, "after": after, "dry_run": dry_run})
        return
    will = "would be" if dry_run else "is"
    click.echo(f"{after.live_edition} (slot {after.live}) {will} live, {_instead(before)}")


async def _publish(
    settings: Settings, name: str, override: str | None, *, dry_run: bool, as_json: bool
) -> dict[str, Any]:
    drift: Drift | None = None

    async def check(live: str | None) -> None:
        nonlocal drift
        drift = ranker.check_drift(settings, live, name, override=override is not None)

    began = time.monotonic()
    seconds: dict[str, float] = {}
    async with indexer.open_indexer(settings) as services:
        before = await indexer.rank_state(services)
        stage: Stage | None = None
        told = 0.0
        publishing = indexer.publish_ranks(
            services, name, check=check, override=override, dry_run=dry_run
        )
        async for stage in publishing:
            seconds[stage.name] = round(time.monotonic() - began, 3)
            if not as_json and time.monotonic() - told >= _PROGRESS_INTERVAL:
                told = time.monotonic()
                _print_stage(stage)
        after = await indexer.rank_state(services)
    if not as_json:
        if drift is not None:
            print_drift(drift)
        will = "would be" if dry_run else "is"
        click.echo(f"{name} {will} live, {_instead(before)}")
    return {
        "edition": name,
        "before": before,
        "after": after,
        "documents": stage.documents if stage else {},
        "changed": stage.changed if stage else {},
        "seconds": seconds,
        "drift": drift,
        "dry_run": dry_run,
    }


def _live_of(side: Mapping[str, Any]) -> object:
    """The edition that was live, or was to be, as the operation log has it."""
    return side[side["live"]] or "none"


def _instead(before: RankState) -> str:
    return f"in place of {before.live_edition or 'none'}"


def _print_stage(stage: Stage) -> None:
    counts = ", ".join(
        f"{stage.changed.get(kind, 0):,} of {count:,} {kind}s"
        for kind, count in stage.documents.items()
    )
    progress(f"{stage.name}: {counts}; {stage.left:,} left" if stage.left else
             f"{stage.name}: {counts}")  # fmt: skip


@click.command()
@click.argument("edition", required=False)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="Most actions.")
@json_option
def history(*, edition: str | None, limit: int, as_json: bool) -> None:
    """What operators published and rolled back (EDITION, default: whichever), newest first."""
    found = uvloop.run(indexer.history(load_settings(), area="rank", subject=edition, limit=limit))
    print_history(found, _live_of, as_json=as_json)


COMMANDS: Final = {
    command.name: command for command in (publish, rollback, history) if command.name is not None
}
