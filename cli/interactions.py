"""`disco interactions`: what is kept of searches and interactions, and for how long."""

from datetime import UTC, datetime
from typing import Any

import click
import uvloop

from cli.output import dry_run_option, json_option, print_json
from cli.periods import since_option
from core.operation_log import Actor
from core.settings import load
from evaluation import interaction_operations


@click.group()
def interactions() -> None:
    """Keep, measure and forget what people searched for and did."""


@interactions.command()
@dry_run_option
@json_option
def sweep(*, dry_run: bool, as_json: bool) -> None:
    """Write Parquet files of days that are over, and delete days that are kept no longer.

    `disco work interactions` does so once an hour.
    """
    done = uvloop.run(interaction_operations.keep_up(load(), dry_run=dry_run))
    if as_json:
        print_json(done)
        return
    for day in done.archived:
        click.echo(f"archived {day}")
    for day in done.dropped:
        click.echo(f"{'would delete' if dry_run else 'deleted'} {day}")
    if not (done.archived or done.dropped):
        click.echo("nothing to do")


@interactions.command()
@click.option("--user", default=None, help="Id of a user, as a front end sends it.")
@click.option("--session", default=None, help="Id of a session, as a front end sends it.")
@dry_run_option
@json_option
def forget(*, user: str | None, session: str | None, dry_run: bool, as_json: bool) -> None:
    """Delete all that is kept of a user or of a session, rows and files."""
    if bool(user) == bool(session):
        raise click.UsageError("name either a --user or a --session")
    forgetting = interaction_operations.forget(
        load(), Actor.of_this_process(), user=user, session=session, dry_run=dry_run
    )
    done = uvloop.run(forgetting)
    if as_json:
        print_json(done)
        return
    verb = "would delete" if dry_run else "deleted"
    click.echo(f"{verb} {done.searches:,} searches of {done.pseudonym}, and what was done in them")


@interactions.command()
@since_option
@click.option(
    "--by",
    type=click.Choice(["variant", "type", "hour"]),
    multiple=True,
    help="Tell searches apart by it; can be repeated.",
)
@json_option
def measures(*, since: datetime, by: tuple[str, ...], as_json: bool) -> None:
    """How search does, by what people do with it: clicks, positions, searches without a result."""
    from evaluation import online_operations as operations  # noqa: PLC0415 - loads DuckDB

    dimensions = [operations.Dimension(one) for one in dict.fromkeys(by)]
    measured = operations.online_measures(load(), since, datetime.now(UTC), dimensions)
    found = uvloop.run(measured)
    if as_json:
        print_json(found)
        return
    for figures in found.figures:
        _print_figures(vars(figures))
    click.echo("variant          position   shown clicked  rate  examined")
    for one in found.positions:
        click.echo(
            f"{one.variant:16} {one.position:>8} {one.shown:>7,} {one.clicked:>7,} "
            f"{one.click_through:>5.1%} {_shown(one.examination):>9}"
        )


def _print_figures(figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        if value is not None:
            shown = f"{value:,.4g}" if isinstance(value, float) else f"{value}"
            click.echo(f"{name:30} {shown}")
    click.echo("")


def _shown(examination: float | None) -> str:
    return "-" if examination is None else f"{examination:.2f}"
