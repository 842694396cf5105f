"""`disco index gates` and `disco index diff`: how a new index answers, beside the live one."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TextIO

import click
import uvloop

from cli.output import DOES_NOT_HOLD, OK, exit_with, json_option, print_json
from core.errors import UsageError
from core.settings import Settings, load
from indexer import operations
from indexer.operations import Examination, QueryDiff, Services


def gated_indexer(settings: Settings) -> AbstractAsyncContextManager[Services]:
    """All services, with what searches indices for their gates."""
    # What makes searches takes a second to load, and most commands about indices make none.
    from query_api.operations import gate_prober  # noqa: PLC0415

    return operations.open_indexer(settings, prober=gate_prober)


@click.command()
@click.argument("name", metavar="INDEX")
@click.option("--last", is_flag=True, help="Tell what they said when they were asked last.")
@click.option("--dry-run", is_flag=True, help="Ask them, and keep nothing of what they say.")
@json_option
def gates(*, name: str, last: bool, dry_run: bool, as_json: bool) -> None:
    """Ask all gates about INDEX, and keep what they say: it is ready then, or has failed.

    It is held against the database and against the live index. Exits 1 if a gate fails.
    """
    settings = load()

    async def run() -> Examination:
        async with gated_indexer(settings) as services:
            if last:
                return await _last(services, name)
            return await operations.examine(services, name, dry_run=dry_run)

    examination = uvloop.run(run())
    if as_json:
        told = operations.examination_document(examination)
        print_json({"index": name, **told, "dry_run": dry_run})
    else:
        _print_examination(name, examination)
    exit_with(DOES_NOT_HOLD if examination.failed else OK)


async def _last(services: Services, name: str) -> Examination:
    if (found := await operations.last_examination(services, name)) is None:
        raise UsageError(f"no gate was asked about {name} so far; ask them: run it without --last")
    return found


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option(
    "--queries", type=click.File(encoding="utf-8"), help="A file of queries, one a line; -: stdin."
)
@json_option
def diff(*, before: str, after: str, queries: TextIO | None, as_json: bool) -> None:
    """Tell how the answers of index B differ from those of index A, query by query.

    Which of the first ten hits moved, entered and left, and the rank-biased overlap: 1 where both
    answer the same. Each index is searched by the profile that it was built with. Without a file,
    words of titles in the database are asked for.
    """
    asked = [line.strip() for line in queries if line.strip()] if queries else []
    if queries and not asked:
        raise UsageError(f"{queries.name} has no query; write one a line")
    settings = load()

    async def run() -> list[QueryDiff]:
        async with gated_indexer(settings) as services:
            return [one async for one in operations.diff(services, before, after, asked)]

    found = uvloop.run(run())
    if as_json:
        answers = [_document(one) for one in found]
        print_json({"before": before, "after": after, **_summary(found), "queries": answers})
        return
    for one in found:
        _print_diff(one)
    summary = _summary(found)
    click.echo(
        f"{summary['changed']} of {len(found)} queries are answered otherwise; "
        f"mean overlap {summary['mean_overlap']:.3f}"
    )


def _print_examination(name: str, examination: Examination) -> None:
    against = f", held against {examination.baseline}" if examination.baseline else ""
    click.echo(f"{name}{against}")
    for one in examination.rulings:
        click.echo(f"  {one.outcome:8} {one.gate:12} {one.detail}")


def _summary(found: Sequence[QueryDiff]) -> dict[str, Any]:
    overlaps = [one.overlap for one in found]
    return {
        "changed": sum(not one.is_same for one in found),
        "mean_overlap": sum(overlaps) / len(overlaps) if overlaps else 1.0,
    }


def _document(one: QueryDiff) -> dict[str, Any]:
    return {
        "query": one.query,
        "overlap": one.overlap,
        "moved": [
            {**move.hit._asdict(), "before": move.before, "after": move.after} for move in one.moved
        ],
        "entered": [{**some.hit._asdict(), "after": some.place} for some in one.entered],
        "left": [{**some.hit._asdict(), "before": some.place} for some in one.left],
    }


def _print_diff(one: QueryDiff) -> None:
    if one.is_same:
        return
    click.echo(f"{one.query}: overlap {one.overlap:.3f}")
    for move in one.moved:
        click.echo(f"  {move.before:>3} -> {move.after:<3} {move.hit.id} {move.hit.title}")
    for placed in one.entered:
        click.echo(f"    + -> {placed.place:<3} {placed.hit.id} {placed.hit.title}")
    for placed in one.left:
        click.echo(f"  {placed.place:>3} -> -   {placed.hit.id} {placed.hit.title}")
