"""`disco experiment`: which of two variants people like better."""

from typing import Any, Literal

import click
import uvloop

from cli.output import (
    DOES_NOT_HOLD,
    OK,
    dry_run_option,
    exit_with,
    json_option,
    print_json,
)
from core.operation_log import Actor
from core.settings import load
from evaluation.experiment_operations import Comparison, Measure, Standing
from query_api import experiment_operations as operations
from query_api.experiment_operations import Experiment


@click.group()
def experiment() -> None:
    """Try a variant on some of the users, and see which they like better."""


@experiment.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--variant", "shares", multiple=True, metavar="VARIANT=SHARE",
    help="Share (0 to 1) of the units that a variant of the file answers; can be repeated.",
)  # fmt: skip
@click.option(
    "--interleave", nargs=2, metavar="VARIANT VARIANT", default=None,
    help="Two variants (live is one) whose hits stand in one list.",
)  # fmt: skip
@click.option(
    "--share", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True,
    help="With --interleave: share of the units that get that list.",
)  # fmt: skip
@click.option(
    "--unit", type=click.Choice(["user", "session"]), default="user", show_default=True,
    help="Who keeps his variant.",
)  # fmt: skip
@dry_run_option
@json_option
def start(
    *,
    name: str,
    shares: tuple[str, ...],
    interleave: tuple[str, str] | None,
    share: float,
    unit: Literal["user", "session"],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Begin the experiment NAME, in the file that DISCO_EXPERIMENTS names.

    Every process of the query API that follows the file takes it up within a second.
    """
    if bool(shares) == bool(interleave):
        raise click.UsageError("give either --variant, for each, or --interleave")
    wanted = Experiment(
        name=name, unit=unit, shares=dict(map(_share, shares)), interleave=interleave, share=share
    )
    begin = operations.start(load(), Actor.of_this_process(), wanted, dry_run=dry_run)
    text = uvloop.run(begin)
    if as_json:
        print_json({"experiment": wanted, "dry_run": dry_run, "file": text})
    elif dry_run:
        click.echo(text, nl=False)
    else:
        click.echo(f"{name} runs; how it stands: disco experiment status")


@experiment.command()
@dry_run_option
@json_option
def stop(*, dry_run: bool, as_json: bool) -> None:
    """End the experiment that runs: everybody is answered by live again."""
    ended = uvloop.run(operations.stop(load(), Actor.of_this_process(), dry_run=dry_run))
    if as_json:
        print_json({"experiment": ended, "dry_run": dry_run})
    else:
        click.echo(f"{'would end' if dry_run else 'ended'} {ended.name}")


@experiment.command()
@click.option(
    "--measure", type=click.Choice(["reciprocal_rank", "click_through"]),
    default="reciprocal_rank", show_default=True, help="What is compared, a value a unit.",
)  # fmt: skip
@json_option
def status(*, measure: Measure, as_json: bool) -> None:
    """How the experiment that runs stands. It may be looked at as often as one likes.

    Exits 1 if the units are not shared out as they should be: then nothing else can be trusted.
    """
    settings = load()
    running = operations.current(settings)
    if running is None:
        if as_json:
            print_json({"experiment": None})
        else:
            click.echo("no experiment runs; begin one with: disco experiment start")
        return
    found = uvloop.run(operations.standing(settings, running, measure))
    if as_json:
        print_json(_document(found))
    else:
        _print(found)
    exit_with(OK if found.trusted else DOES_NOT_HOLD)


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    try:
        value = float(share)
    except ValueError:
        value = 0.0
    if not name or not 0 < value <= 1:
        raise click.UsageError(f"--variant {text}: write it as VARIANT=SHARE, such as wide=0.1")
    return name, value


def _document(found: Standing) -> dict[str, Any]:
    comparisons = [{**vars(one), "decided": one.decided} for one in found.comparisons]
    return {**vars(found), "comparisons": comparisons, "trusted": found.trusted}


def _print(found: Standing) -> None:
    click.echo(f"{found.design.name}: {found.measure} a {found.design.unit}")
    if found.ratio is not None:
        units = ", ".join(f"{arm} {count:,}" for arm, count in found.ratio.observed.items())
        verdict = "as shared out" if found.ratio.holds else "NOT AS SHARED OUT"
        click.echo(f"units: {units} ({verdict}, p = {found.ratio.p:.2g})")
    for one in found.comparisons:
        click.echo(_line(one))


def _line(one: Comparison) -> str:
    if one.test is None:
        return f"{one.second} beside {one.first}: {one.units:,} units, too few yet"
    verdict = f"{one.better} is better" if one.better else "not decided yet"
    return (
        f"{one.second} beside {one.first}: {one.units:,} units, {one.first_value:.4f} and "
        f"{one.second_value:.4f}, difference {one.test.difference:+.4f} "
        f"({one.test.low:+.4f} to {one.test.high:+.4f}), p = {one.test.p:.2g}: {verdict}"
    )
