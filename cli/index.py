"""`disco index`: definitions and the indices that are built from them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import click
import uvloop

from cli.history import print_history
from cli.index_apply import apply
from cli.index_gates import diff, gated_indexer, gates
from cli.output import (
    DOES_NOT_HOLD,
    OK,
    dry_run_option,
    exit_with,
    json_option,
    print_json,
)
from cli.reindex import reindex
from core.settings import Settings, load
from indexer import operations
from indexer.checking import DefinitionVerdict
from indexer.checking import check as run_check

T = TypeVar("T")


@click.group()
def index() -> None:
    """Check definitions, and look after the indices that are built from them."""


index.add_command(reindex)
index.add_command(apply)


@index.command()
@click.argument("entities", nargs=-1, metavar="[ENTITY]...")
@json_option
def check(entities: tuple[str, ...], as_json: bool) -> None:
    """Check the definitions of ENTITY (default: of all) against the engine and the database.

    Lists all that is wrong, with the file and the remedy. Changes nothing. Exits 1 if there is
    anything.
    """
    verdicts = uvloop.run(run_check(load(), entities))
    holds = all(verdict.holds for verdict in verdicts)
    if as_json:
        print_json({"holds": holds, "definitions": [_as_document(one) for one in verdicts]})
    else:
        _print_prose(verdicts)
    exit_with(OK if holds else DOES_NOT_HOLD)


@index.command("list")
@json_option
def list_generations(as_json: bool) -> None:
    """List the indices of every entity type, oldest first, with the state of each."""
    generations = uvloop.run(operations.list_generations(load()))
    if as_json:
        print_json([operations.document_of(one) for one in generations])
        return
    for one in generations:
        click.echo(f"{one.name.entity:8} {one.state:11} {one.index}")
    if not generations:
        click.echo("no index yet; build them with: disco index reindex")


@index.command()
@click.argument("name", metavar="INDEX")
@click.option("--override", metavar="REASON", help="Why it shall go live though a gate has failed.")
@dry_run_option
@json_option
def promote(*, name: str, override: str | None, dry_run: bool, as_json: bool) -> None:
    """Make INDEX live in place of the one that is, in one atomic step.

    Its gates are asked first, if they were not yet. What was live stays as standby: `disco index
    rollback` goes back to it. An index that is live for the first time outdates older standbys.
    """
    exchange = _run(
        load(),
        lambda services: operations.promote(services, name, dry_run=dry_run, override=override),
        gated=True,
    )
    _print_exchange(exchange, dry_run=dry_run, as_json=as_json)


index.add_command(gates)
index.add_command(diff)


@index.command()
@click.argument("entity")
@dry_run_option
@json_option
def rollback(*, entity: str, dry_run: bool, as_json: bool) -> None:
    """Make the index of ENTITY live again that was live last. It has missed nothing."""
    settings = load()
    operations.definitions_of(settings, [entity])
    exchange = _run(
        settings, lambda services: operations.rollback(services, entity, dry_run=dry_run)
    )
    _print_exchange(exchange, dry_run=dry_run, as_json=as_json)


@index.command()
@click.argument("name", metavar="INDEX")
@dry_run_option
@json_option
def retire(*, name: str, dry_run: bool, as_json: bool) -> None:
    """Delete INDEX for good. Refuses the live one."""
    retired = _run(load(), lambda services: operations.retire(services, name, dry_run=dry_run))
    if as_json:
        print_json({"retired": operations.document_of(retired), "dry_run": dry_run})
    else:
        click.echo(f"{'would delete' if dry_run else 'deleted'} {retired.index} ({retired.state})")


@index.command()
@click.argument("entity", required=False)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="Most actions.")
@json_option
def history(*, entity: str | None, limit: int, as_json: bool) -> None:
    """What operators did to the indices of ENTITY (default: of all), newest first."""
    found = uvloop.run(operations.history(load(), subject=entity, limit=limit))
    print_history(found, lambda side: side["index"], as_json=as_json)


def _run(
    settings: Settings,
    operation: Callable[[operations.Services], Awaitable[T]],
    *,
    gated: bool = False,
) -> T:
    """One operation with all services, and with gates if it may need them."""

    async def run() -> T:
        opened = gated_indexer(settings) if gated else operations.open_indexer(settings)
        async with opened as services:
            return await operation(services)

    return uvloop.run(run())


def _print_exchange(exchange: operations.Exchange, *, dry_run: bool, as_json: bool) -> None:
    before, after = exchange.before, exchange.after
    if as_json:
        print_json(
            {
                "before": operations.document_of(before) if before else None,
                "after": operations.document_of(after),
                "outdated": [one.index for one in exchange.outdated],
                "changed": exchange.changes_anything and not dry_run,
                "dry_run": dry_run,
            }
        )
        return
    if not exchange.changes_anything:
        click.echo(f"{after.index} is live already")
        return
    will = "would be" if dry_run else "is"
    instead = f" in place of {before.index}" if before else ""
    click.echo(f"{after.index} {will} live{instead}")
    for one in exchange.outdated:
        click.echo(f"{'would delete' if dry_run else 'deleted'} {one.index} ({one.state})")


def _as_document(verdict: DefinitionVerdict) -> dict[str, Any]:
    problems = [
        {"file": str(one.file), "what": one.what, "remedy": one.remedy} for one in verdict.problems
    ]
    return {
        "entity": verdict.entity,
        "holds": verdict.holds,
        "fields": verdict.fields,
        "sampled": verdict.sampled,
        "problems": problems,
    }


def _print_prose(verdicts: Sequence[DefinitionVerdict]) -> None:
    for verdict in verdicts:
        if verdict.holds:
            sampled = f"{verdict.sampled} documents tried" if verdict.sampled else "no row to try"
            click.echo(f"{verdict.entity}: good ({verdict.fields} fields, {sampled})")
            continue
        count = len(verdict.problems)
        click.echo(f"{verdict.entity}: {count} problem{'s' if count > 1 else ''}")
        for problem in verdict.problems:
            click.echo(f"  {problem.file}: {problem.what}\n    → {problem.remedy}")
