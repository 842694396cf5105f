"""`disco eval run` and `disco eval report`: variants of search, measured by a set of judgments."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click
import uvloop

from cli.eval_options import seed_option
from cli.output import (
    DOES_NOT_HOLD,
    OK,
    json_option,
    print_json,
    print_text,
    progress,
)
from core.errors import UsageError
from core.operation_log import Actor
from core.settings import Settings, load
from evaluation import judgment_operations, run_operations
from evaluation.judgment_operations import Judged
from evaluation.run_operations import Result, Run

_IN_A_FILE: Final = ".csv"
_VARIANT: Final = "{variant}"
_DEPTH: Final = 50  # results of a query
_DEEPEST: Final = 100
_LIVE: Final = "live"


@click.command("run")
@click.option(
    "--set", "name", required=True, metavar="SET", help="Set of judgments, or a CSV file of one."
)
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="What answers; live.")
@click.option("--run", "files", multiple=True, metavar="FILE", help="A run file as a system, too.")
@click.option("--base", metavar="NAME", help="What the others are compared with; the first.")
@click.option(
    "--measures",
    "names",
    multiple=True,
    metavar="NAMES",
    help=f"Comma-separated; can be repeated. Without it {','.join(run_operations.DEFAULTS)}.",
)
@click.option(
    "--depth",
    type=click.IntRange(1, _DEEPEST),
    default=_DEPTH,
    show_default=True,
    help="Results of a query that are looked at.",
)
@click.option("--run-file", metavar="FILE", help="Write what a variant answered; {variant}: each.")
@click.option("--html", metavar="FILE", help="Write a report as a page.")
@click.option("--floor", metavar="FILE", help="JSON of least values; exits 1 below one.")
@seed_option
@click.option("--no-keep", is_flag=True, help="Leave the result out of what the dashboard shows.")
@json_option
def run(
    *,
    name: str,
    variants: tuple[str, ...],
    files: tuple[str, ...],
    base: str | None,
    names: tuple[str, ...],
    depth: int,
    run_file: str | None,
    html: str | None,
    floor: str | None,
    seed: int,
    no_keep: bool,
    as_json: bool,
) -> int:
    """Search for the queries of SET as people would, by each variant, and measure the answers.

    Variants are those of DISCO_EXPERIMENTS, and live. All others are compared with the base, paired
    by query. Exits 1 when a measure is below its floor. What variants reached by a set of the
    database is kept, for the dashboard.
    """
    settings = load()
    chosen = variants or (() if files else (_LIVE,))
    _check(chosen, run_file)
    floors = run_operations.read_floors(floor) if floor else {}
    others = run_operations.read_runs(files, chosen)
    judged = _judged(settings, name)
    asked = {query: judged.texts[query] for query in judged.qrels().grades}
    answered, titles = _answered(settings, chosen, asked, depth)
    systems = {**answered, **others}
    result = run_operations.side_by_side(
        judged,
        systems,
        _base(base, systems),
        names or run_operations.DEFAULTS,
        titles=titles,
        floors=floors,
        seed=seed,
    )
    for variant in chosen if run_file else ():
        path = (run_file or "").replace(_VARIANT, variant)
        _write(path, "".join(run_operations.written(answered[variant], variant)))
    if html:
        _write(html, run_operations.report(result))
    print_json(result.document()) if as_json else _show(result)
    if chosen and not no_keep and not name.endswith(_IN_A_FILE):
        uvloop.run(_keep(settings, result, chosen))
    return OK if all(one.holds for one in result.floors) else DOES_NOT_HOLD


@click.command()
@click.argument("result", metavar="RESULT")
@click.option("--html", metavar="FILE", help="Where to write it; without it, it is printed.")
@json_option
def report(*, result: str, html: str | None, as_json: bool) -> None:
    """Make a page of RESULT, which `disco eval run --json` printed; needs no service.

    It has plots, and the queries that gained and lost most. It loads nothing, and runs no script.
    """
    read = run_operations.read_result(result)
    page = run_operations.report(read)
    if html:
        _write(html, page)
    if as_json:
        print_json({"set": read.set, "systems": list(read.systems), "html": html or page})
    elif not html:
        print_text([page])


def _check(variants: Sequence[str], run_file: str | None) -> None:
    if len(set(variants)) != len(variants):
        raise UsageError("a variant is named twice; name each once")
    if run_file and len(variants) > 1 and _VARIANT not in run_file:
        raise UsageError(
            f"--run-file {run_file} is one file, and there are {len(variants)} variants; put "
            f"{_VARIANT} into its name"
        )


def _base(base: str | None, systems: Mapping[str, Run]) -> str:
    if base is None:
        return next(iter(systems))
    if base not in systems:
        raise UsageError(f"--base {base} is none of what is measured: {', '.join(systems)}")
    return base


def _judged(settings: Settings, name: str) -> Judged:
    if name.endswith(_IN_A_FILE):
        return judgment_operations.read_set_file(name)

    async def read() -> Judged:
        actor = Actor.of_this_process()
        async with judgment_operations.open_judgments(settings, actor) as judgments:
            return await judgments.read(name)

    return uvloop.run(read())


async def _keep(settings: Settings, result: Result, variants: Sequence[str]) -> None:
    async with judgment_operations.open_results(settings) as results:
        await results.keep(result, variants)


def _answered(
    settings: Settings, variants: Sequence[str], queries: Mapping[str, str], depth: int
) -> tuple[dict[str, Run], dict[str, str]]:
    """A run of each variant, and the titles of what was found."""
    if not variants or not queries:
        return {}, {}
    # What makes searches takes a second to load, and run files need none.
    from query_api.operations import rank_offline  # noqa: PLC0415

    progress(f"{len(queries):,} queries by {', '.join(variants)}")
    found = uvloop.run(rank_offline(settings, variants, queries, depth=depth))
    runs: dict[str, Run] = {}
    titles: dict[str, str] = {}
    for variant, rankings in found.items():
        docs: dict[str, list[str]] = {}
        for query, hits in rankings.items():
            titles |= {f"{hit.type}:{hit.id}": hit.title for hit in hits}
            docs[query] = [f"{hit.type}:{hit.id}" for hit in hits]
        runs[variant] = run_operations.of_rankings(variant, docs)
    return runs, titles


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); name another") from error


def _show(result: Result) -> None:
    wide = max(map(len, (*result.measures, "measure")))
    columns = [max(8, len(name)) for name in result.systems]

    def row(first: str, cells: Sequence[str]) -> str:
        told = (f"{cell:>{width}}" for cell, width in zip(cells, columns, strict=True))
        return f"{first:{wide}}  {'  '.join(told)}"

    click.echo(row("measure", list(result.systems)))
    for name in result.measures:
        values = [f"{one.measures[name]:.4f}" for one in result.systems.values()]
        click.echo(row(name, values))
    for system, differences in result.differences.items():
        click.echo(f"\n{system} - {result.base}, over {len(result.texts):,} queries")
        for name, one in differences.items():
            click.echo(
                f"{name:{wide}}  {one.difference:+.4f}  [{one.low:+.4f}, {one.high:+.4f}]  "
                f"p {one.p_permutation:.4f} (permutation), {one.p_bootstrap:.4f} (bootstrap)"
            )
    for floor in result.floors:
        verb = "holds" if floor.holds else "is below"
        told = f"{floor.measure} {floor.value:.4f} {verb} the floor {floor.floor:g}"
        click.echo(f"{floor.system}: {told}")
