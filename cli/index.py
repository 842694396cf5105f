"""`disco index`: definitions and the indices that are built from them."""

from collections.abc import Sequence
from typing import Any

import click
import uvloop

from cli.output import DOES_NOT_HOLD, OK, exit_with, json_option, print_json
from core.settings import load
from indexer.checking import DefinitionVerdict
from indexer.checking import check as run_check


@click.group()
def index() -> None:
    """Check definitions, and look after the indices that are built from them."""


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
