"""`disco queries`: what people search for, and what comes of it."""

from collections.abc import Iterable
from datetime import UTC, datetime

import click
import uvloop

from cli.output import json_option, print_json
from cli.periods import since_option
from core.settings import load
from evaluation import online_operations as operations
from evaluation.online_operations import QueryFigures

_limit_option = click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Most lines."
)


@click.group()
def queries() -> None:
    """Look at the log of searches: what is asked, and what comes of it."""


@queries.command()
@since_option
@_limit_option
@json_option
def top(*, since: datetime, limit: int, as_json: bool) -> None:
    """The texts that are searched for most."""
    _show(uvloop.run(operations.top_queries(load(), since, _now(), limit)), as_json=as_json)


@queries.command()
@since_option
@_limit_option
@click.option(
    "--least",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Searches below which a text is left out.",
)
@json_option
def failing(*, since: datetime, limit: int, least: int, as_json: bool) -> None:
    """Texts that nobody clicks for; those that find nothing first."""
    found = operations.failing_queries(load(), since, _now(), limit, least=least)
    _show(uvloop.run(found), as_json=as_json)


@queries.command()
@since_option
@_limit_option
@json_option
def reformulated(*, since: datetime, limit: int, as_json: bool) -> None:
    """Texts that nobody clicked for, and what the same session tried next.

    Only of sessions: of searches with the header Disco-Session.
    """
    found = uvloop.run(operations.reformulated_queries(load(), since, _now(), limit))
    if as_json:
        print_json(found)
        return
    click.echo(f"{'times':>6} {'click-through':>13}  text -> next text")
    for one in found:
        click.echo(f"{one.times:>6} {one.click_through:>13.1%}  {one.text} -> {one.next_text}")


@queries.command("long-tail")
@since_option
@_limit_option
@click.option(
    "--most",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Searches up to which a text is rare.",
)
@json_option
def long_tail(*, since: datetime, limit: int, most: int, as_json: bool) -> None:
    """How much of all is hardly ever searched for, and what finds nothing of it."""
    found = uvloop.run(operations.long_tail(load(), since, _now(), limit, most=most))
    if as_json:
        print_json(found)
        return
    click.echo(
        f"{found.rare_texts:,} of {found.texts:,} texts, {found.rare_share or 0:.1%} of "
        f"{found.searches:,} searches; {found.no_result_rate or 0:.1%} of them find nothing"
    )
    _show(found.examples, as_json=False)


def _show(found: Iterable[QueryFigures], *, as_json: bool) -> None:
    if as_json:
        print_json(list(found))
        return
    click.echo(f"{'searches':>8} {'people':>7} {'nothing':>8} {'clicked':>8} {'at':>5}  text")
    for one in found:
        at = "-" if one.mean_clicked_position is None else f"{one.mean_clicked_position:.1f}"
        click.echo(
            f"{one.searches:>8,} {one.people:>7,} {one.no_result_rate:>8.1%} "
            f"{one.click_through:>8.1%} {at:>5}  {one.text}"
        )


def _now() -> datetime:
    return datetime.now(UTC)
