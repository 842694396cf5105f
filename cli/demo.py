"""`disco demo`: a catalogue to search in, and life in it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import uvloop

from cli import output, showcase
from cli.demo_judgments import judgments
from core.events import format_time
from core.settings import load as load_settings
from demo import operations, player
from demo.generator import DEFAULT_SEED
from demo.operations import Loaded, LoadPlan
from demo.player import Played
from demo.sizes import Size

_REPLACE = click.option(
    "--replace", is_flag=True, help="Drop the catalogue that is there, with all that was changed."
)


@click.group()
def demo() -> None:
    """A catalogue of sounds, sets, groups and the people around them."""


demo.add_command(showcase.up)
demo.add_command(judgments)


@demo.command()
@click.option(
    "--size",
    type=click.Choice([size.name for size in Size], case_sensitive=False),
    default=Size.S.name,
    show_default=True,
    help="S has 20,000 entities, M 300,000, L 3,000,000.",
)
@click.option("--entities", type=click.IntRange(min=1), help="Any other number of entities.")
@click.option("--seed", default=DEFAULT_SEED, show_default=True, help="Another: other content.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day (UTC) at whose start the catalogue ends.  [default: today]",
)
@_REPLACE
@output.dry_run_option
@output.json_option
def load(
    *,
    size: str,
    entities: int | None,
    seed: int,
    until: datetime | None,
    replace: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Generate a catalogue into the database.

    The same seed, size and end give the same catalogue. An index of the one before is stale
    afterwards: build it anew with `disco index reindex`.
    """
    settings = load_settings()
    wanted = entities or Size[size]
    if dry_run:
        _print_plan(uvloop.run(operations.plan_generated(settings, wanted, seed=seed)), as_json)
        return
    loading = operations.load_generated(
        settings,
        wanted,
        seed=seed,
        until=until.replace(tzinfo=UTC) if until else None,
        replace=replace,
        report=output.progress,
    )
    _print_loaded(uvloop.run(loading), as_json)


@demo.command("import")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@_REPLACE
@output.dry_run_option
@output.json_option
def import_command(path: Path | None, replace: bool, dry_run: bool, as_json: bool) -> None:
    """Import the real catalogue from the files below PATH.

    Without PATH: from the folder that DISCO_DEMO_DATA names, else from ../shared/data beside the
    project. The folder holds playlists/ (playlists.tsv, entries.tsv) and lastfm-2k/ (five .dat
    files), gzipped or not.
    """
    settings = load_settings()
    if dry_run:
        _print_plan(uvloop.run(operations.plan_import(settings, path)), as_json)
        return
    importing = operations.import_real(settings, path, replace=replace, report=output.progress)
    _print_loaded(uvloop.run(importing), as_json)


@demo.command()
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    help="Changes a second.",
)
@click.option("--seconds", type=click.FloatRange(min=0), help="How long.  [default: until Ctrl-C]")
@click.option("--seed", type=int, help="Makes the choices repeatable.")
@output.dry_run_option
@output.json_option
def play(
    rate: float, seconds: float | None, seed: int | None, dry_run: bool, as_json: bool
) -> None:
    """Change the catalogue at random, as its users would, and publish the events.

    With --json a line for each change.
    """
    if dry_run:
        _print_mixture(rate, seconds, as_json)
        return
    total = uvloop.run(_play(rate, seconds, seed, as_json))
    output.progress(f"made {total['done']:,} changes, published {total['events']:,} events")


async def _play(
    rate: float, seconds: float | None, seed: int | None, as_json: bool
) -> Mapping[str, int]:
    total = {"done": 0, "events": 0}
    async with player.open_player(load_settings(), seed=seed) as playing:
        async for played in playing.run(rate=rate, seconds=seconds):
            total["done"] += played.done
            total["events"] += len(played.events)
            if as_json:
                output.print_json_line(_as_document(played))
            else:
                click.echo(_as_line(played))
    return total


def _as_document(played: Played) -> dict[str, Any]:
    return {
        "what": played.what,
        "done": played.done,
        "seconds": round(played.seconds, 6),
        "events": [
            {
                "entity": event.entity,
                "id": str(event.id),
                "action": event.action,
                "occurred_at": format_time(event.occurred_at),
            }
            for event in played.events
        ],
    }


def _as_line(played: Played) -> str:
    if not played.done:
        return f"{'':<24}not done: {played.what}"
    events = " ".join(f"{event.action}.{event.entity}/{event.id}" for event in played.events[:3])
    more = f" and {len(played.events) - 3} more" if len(played.events) > 3 else ""
    return f"{events + more or '-':<24} {played.what}"


def _print_mixture(rate: float, seconds: float | None, as_json: bool) -> None:
    whole = sum(player.WEIGHTS.values())
    shares = {name: weight / whole for name, weight in player.WEIGHTS.items()}
    if as_json:
        output.print_json({"rate": rate, "seconds": seconds, "shares": shares})
        return
    period = "until Ctrl-C" if seconds is None else f"for {seconds:g} s"
    click.echo(f"{rate:g} changes a second {period}:")
    for name, share in shares.items():
        click.echo(f"  {share:>6.1%}  {name.replace('_', ' ')}")


def _print_plan(plan: LoadPlan, as_json: bool) -> None:
    if as_json:
        output.print_json(plan)
        return
    click.echo(plan.origin)
    for entity, count in plan.entities.items():
        click.echo(f"  {count:>12,} {entity}s")
    if plan.replaces:
        click.echo(f"there are {plan.replaces:,} entities now; --replace would drop them")


def _print_loaded(loaded: Loaded, as_json: bool) -> None:
    if as_json:
        output.print_json({**vars(loaded), "entities": loaded.entities})
        return
    click.echo(f"{loaded.origin}: {loaded.entities:,} entities in {loaded.seconds:.1f} s")
    for table, count in loaded.rows.items():
        click.echo(f"  {count:>12,} {table}")
