"""`disco eval judgments`: sets of judgments, in and out of the database."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import click
import uvloop

from cli.eval_proposals import propose
from cli.output import dry_run_option, json_option, print_json, print_text
from core.errors import UsageError
from core.operation_log import Actor
from core.settings import load
from evaluation import judgment_operations as operations
from evaluation.judgment_operations import Agreement, Imported, Judgments, Scale, SetSummary

T = TypeVar("T")

_FORMATS: Final = {
    "csv": operations.csv_lines,
    "qrels": operations.qrels_lines,
    "queries": operations.query_lines,
}


@click.group()
def judgments() -> None:
    """Sets of judgments: what raters think of answers."""


judgments.add_command(propose)


@judgments.command("list")
@click.argument("name", metavar="[SET]", required=False)
@json_option
def list_sets(*, name: str | None, as_json: bool) -> None:
    """List the sets, or the queries and raters of SET, and how far these agree."""
    if name is not None:
        _list_one(name, as_json=as_json)
        return
    found = _run(lambda judgments: judgments.sets())
    if as_json:
        print_json(found)
        return
    for one in found:
        click.echo(_line(one))
    if not found:
        click.echo("no set yet; make one with: disco eval judgments import NAME FILE")


@judgments.command("import")
@click.argument("name", metavar="SET")
@click.argument("file", metavar="[FILE]", required=False)
@click.option(
    "--queries", metavar="FILE", help="Texts of queries: `id<TAB>text`, or a text, a line."
)
@click.option("--rater", metavar="NAME", help="Whose they are where FILE does not say; you.")
@click.option(
    "--scale",
    type=click.Choice([str(scale) for scale in Scale]),
    help="What raters of a new set are asked for; grades without it.",
)
@dry_run_option
@json_option
def import_(
    *,
    name: str,
    file: str | None,
    queries: str | None,
    rater: str | None,
    scale: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put the judgments in FILE, CSV or qrels of TREC, into SET, which is made if there is none.

    What the same rater has said before of the same is replaced. Documents are `type:id`, such as
    sound:42. Without FILE the queries alone are put in.
    """
    if file is None and queries is None:
        raise UsageError("there is nothing to import; give FILE, or --queries FILE, or both")
    if file == queries == "-":
        raise UsageError("standard input can be one file only; name the other one")
    who = rater or Actor.of_this_process().name
    done = _run(
        lambda judgments: judgments.import_files(
            name,
            file,
            queries,
            rater=who,
            scale=Scale(scale) if scale else None,
            dry_run=dry_run,
        )
    )
    _print_imported(done, dry_run=dry_run, as_json=as_json)


@judgments.command()
@click.argument("name", metavar="SET")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    default="csv",
    show_default=True,
    help="csv has all; qrels one grade an entity, the median; queries their texts.",
)
@json_option
def export(*, name: str, form: str, as_json: bool) -> None:
    """Print SET as a file that `disco eval score` and `disco eval judgments import` read."""
    judged = _run(lambda judgments: judgments.read(name))
    if as_json:
        print_json(
            {
                "set": judged.name,
                "scale": judged.scale,
                "queries": judged.queries,
                "judgments": judged.judgments,
            }
        )
    else:
        print_text(_FORMATS[form](judged))


@judgments.command()
@click.argument("name", metavar="SET")
@dry_run_option
@json_option
def drop(*, name: str, dry_run: bool, as_json: bool) -> None:
    """Delete SET with all its queries and judgments. Export it before."""
    before = _run(lambda judgments: judgments.drop(name, dry_run=dry_run))
    extent = {"queries": len(before.queries), "judgments": len(before.judgments)}
    if as_json:
        print_json({"set": name, **extent, "dry_run": dry_run})
    else:
        what = f"{extent['queries']:,} queries and {extent['judgments']:,} judgments"
        click.echo(f"{'would delete' if dry_run else 'deleted'} {name}: {what}")


def _run(operation: Callable[[Judgments], Awaitable[T]]) -> T:
    async def run() -> T:
        async with operations.open_judgments(load(), Actor.of_this_process()) as opened:
            return await operation(opened)

    return uvloop.run(run())


def _list_one(name: str, *, as_json: bool) -> None:
    judged = _run(lambda judgments: judgments.read(name))
    told = operations.summary(judged)
    if as_json:
        print_json(told)
        return
    for one in told["queries"]:
        click.echo(f"{one['judgments']:>6,}  {one['id']:14} {one['text']}")
    for rater, count in told["raters"].items():
        click.echo(f"{count:>6,}  by {rater}")
    click.echo(_agreement(operations.agreement(judged.judgments)))


def _line(one: SetSummary) -> str:
    newest = f"{one.newest:%Y-%m-%d %H:%M}" if one.newest else "never judged"
    return (
        f"{one.name:24} {one.scale:7} {one.queries:>7,} queries {one.judgments:>9,} judgments "
        f"by {one.raters:,}  {newest}"
    )


def _agreement(found: Agreement) -> str:
    if not found.items:
        return "agreement: no two raters have judged the same"
    alpha = "not defined, all grades are equal" if found.alpha is None else f"{found.alpha:.3f}"
    return (
        f"agreement: Krippendorff's alpha {alpha}; {found.equal or 0:.0%} of the grades equal, "
        f"over {found.items:,} entities that several raters judged"
    )


def _print_imported(done: Imported, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json({**vars(done), "dry_run": dry_run})
        return
    click.echo(
        f"{'would import' if dry_run else 'imported'} {done.queries:,} queries and "
        f"{done.judgments:,} judgments into {'the new set ' if done.is_new else ''}{done.set}; "
        f"{done.replaces:,} of them in place of earlier ones"
    )
