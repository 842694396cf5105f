"""`disco bench`: measurements, each with the bars that it is held against."""

import click

from benchmarks.report import Report
from cli.output import DOES_NOT_HOLD, OK, exit_with, json_option, print_json, progress

_stack_option = click.option("--stack", default="bench", help="Stack to run on; started if down.")
_size_option = click.option("--size", default="M", help="Size of the generated catalogue.")
_runs_option = click.option("--runs", default=3, help="Runs; the figures are their medians.")


@click.group()
def bench() -> None:
    """Measure on real services, and compare with the bars. Exits 1 if a bar does not hold."""


@bench.command()
@_stack_option
@_size_option
@click.option("--rate", default=200.0, help="Changes a second.")
@click.option("--seconds", default=60.0, help="How long each run writes changes.")
@_runs_option
@json_option
def freshness(
    *, stack: str, size: str, rate: float, seconds: float, runs: int, as_json: bool
) -> None:
    """From a commit to the change being found by GET /v1/search."""
    from benchmarks import freshness as module  # noqa: PLC0415 - loads a lot

    report = module.measure(
        stack=stack, size=size, rate=rate, seconds=seconds, runs=runs, say=progress
    )
    _finish(report, as_json)


@bench.command()
@_stack_option
@_size_option
@click.option("--events", default=200_000, help="Events in the backlog, two an entity.")
@_runs_option
@json_option
def events(*, stack: str, size: str, events: int, runs: int, as_json: bool) -> None:
    """Drain a backlog through the whole live path with one worker."""
    from benchmarks import events as module  # noqa: PLC0415 - loads a lot

    report = module.measure(stack=stack, size=size, events=events, runs=runs, say=progress)
    _finish(report, as_json)


@bench.command()
@_stack_option
@_size_option
@click.option("--live", default=0.0, help="Live changes a second beside it, looked for by search.")
@click.option("--pgsync", is_flag=True, help="Also pgsync, from PyPI, on the same documents.")
@click.option("--plain", is_flag=True, help="With the engine's own analysis instead of ours.")
@_runs_option
@json_option
def reindex(
    *, stack: str, size: str, live: float, pgsync: bool, plain: bool, runs: int, as_json: bool
) -> None:
    """One worker builds an index of sounds, beside the engine's ceiling on the same bytes."""
    from benchmarks import reindex as module  # noqa: PLC0415 - loads a lot

    if live and (pgsync or plain):
        raise click.UsageError("--live is a measurement of its own: leave --pgsync and --plain")
    plan = module.Plan(size=size.upper(), runs=runs, live=live, pgsync=pgsync, plain=plain)
    report = module.measure(plan, stack=stack, say=progress)
    _finish(report, as_json)


@bench.command()
@_stack_option
@click.option("--size", default="S", help="Size of the generated catalogue.")
@click.option("--rate", default=500.0, help="Queries a second.")
@click.option("--actions", default=334, help="Promotions and rollbacks in each run.")
@_runs_option
@json_option
def swaps(*, stack: str, size: str, rate: float, actions: int, runs: int, as_json: bool) -> None:
    """Indices change places while people search; every answer is of one of them."""
    from benchmarks import swaps as module  # noqa: PLC0415 - loads a lot

    report = module.measure(
        stack=stack, size=size, rate=rate, actions=actions, runs=runs, say=progress
    )
    _finish(report, as_json)


@bench.command()
@_stack_option
@_size_option
@click.option("--queries", default=2_000, help="Searches, one after the other, in each run.")
@click.option("--seconds", default=10.0, help="How long each run measures throughput, a side.")
@click.option("--soak", default=60.0, help="Seconds of serving over which memory is watched.")
@_runs_option
@json_option
def search(
    *, stack: str, size: str, queries: int, seconds: float, soak: float, runs: int, as_json: bool
) -> None:
    """What the query API costs beside the same bodies sent straight to the engine."""
    from benchmarks import search as module  # noqa: PLC0415 - loads a lot

    plan = module.Plan(size=size.upper(), queries=queries, seconds=seconds, soak=soak, runs=runs)
    _finish(module.measure(plan, stack=stack, say=progress), as_json)


@bench.command()
@click.option(
    "--size", type=click.Choice(["100k", "1m", "5m"]), default="1m", help="Nodes of the graph."
)
@_runs_option
@json_option
def rank(*, size: str, runs: int, as_json: bool) -> None:
    """DiscoRank beside igraph, scikit-network and SciPy; needs no service."""
    from benchmarks import rank as module  # noqa: PLC0415 - loads a lot

    _finish(module.measure(size=size, runs=runs, say=progress), as_json)


@bench.command()
@_stack_option
@click.option("--size", default="S", help="Size of the generated catalogue.")
@click.option("--backlog", default=200_000, help="Live changes that wait.")
@click.option("--hidden", default=100, help="Sounds that are made private in each run.")
@_runs_option
@json_option
def hiding(*, stack: str, size: str, backlog: int, hidden: int, runs: int, as_json: bool) -> None:
    """From "made private" to being gone from GET /v1/search, in a deep backlog."""
    from benchmarks import hiding as module  # noqa: PLC0415 - loads a lot

    report = module.measure(
        stack=stack, size=size, backlog=backlog, hidden=hidden, runs=runs, say=progress
    )
    _finish(report, as_json)


@bench.command()
@_stack_option
@click.option("--size", default="S", help="Size of the generated catalogue.")
@click.option("--seconds", default=10.0, help="How long each half of a run lasts.")
@_runs_option
@json_option
def overload(*, stack: str, size: str, seconds: float, runs: int, as_json: bool) -> None:
    """Five times as many searches as can be answered; probes meanwhile."""
    from benchmarks import overload as module  # noqa: PLC0415 - loads a lot

    report = module.measure(stack=stack, size=size, seconds=seconds, runs=runs, say=progress)
    _finish(report, as_json)


@bench.command()
@click.option("--names", default=1_000_000, help="Names of the generated catalogue.")
@click.option("--queries", default=20_000, help="Beginnings that are looked up.")
@click.option(
    "--size", type=click.Choice(["5m"]), help="Ours alone, with so many names beside 1 M."
)
@click.option("--http", is_flag=True, help="The service beside a constant answer and the engine.")
@click.option("--seconds", default=10.0, help="How long each load lasts, with --http.")
@click.option("--stack", default="bench", help="Stack of the engine, with --http.")
@_runs_option
@json_option
def suggest(
    *,
    names: int,
    queries: int,
    size: str | None,
    http: bool,
    seconds: float,
    stack: str,
    runs: int,
    as_json: bool,
) -> None:
    """Completions beside Lucene's suggesters; needs Java and Maven, and no service."""
    if size and http:
        raise click.UsageError("--size and --http are measurements of their own: give one")
    if size:
        from benchmarks import suggest_scale  # noqa: PLC0415 - loads a lot

        report = suggest_scale.measure(queries=queries, runs=runs, say=progress)
    elif http:
        from benchmarks import suggest_http  # noqa: PLC0415 - loads a lot

        plan = suggest_http.Plan(names=names, queries=queries, runs=runs, seconds=seconds)
        report = suggest_http.measure(plan, stack=stack, say=progress)
    else:
        from benchmarks import suggest as module  # noqa: PLC0415 - loads a lot

        report = module.measure(names=names, queries=queries, runs=runs, say=progress)
    _finish(report, as_json)


@bench.command()
@click.option("--runs", default=9, help="Runs; the figures are their medians.")
@json_option
def experiments(*, runs: int, as_json: bool) -> None:
    """Experiments on simulated users: is found what is there, and nothing else?"""
    from benchmarks import experiments as module  # noqa: PLC0415 - loads a lot

    _finish(module.measure(runs=runs, say=progress), as_json)


@bench.command()
@_stack_option
@click.option("--rate", default=2_000.0, help="Interactions a second.")
@click.option("--seconds", default=30.0, help="How long each run sends.")
@click.option("--batch", default=10, help="Interactions in a request.")
@click.option("--restart/--no-restart", default=True, help="Once more, while the broker restarts.")
@_runs_option
@json_option
def interactions(
    *,
    stack: str,
    rate: float,
    seconds: float,
    batch: int,
    restart: bool,
    runs: int,
    as_json: bool,
) -> None:
    """How soon interactions are accepted, and whether all of them arrive."""
    from benchmarks import interactions as module  # noqa: PLC0415 - loads a lot

    report = module.measure(
        stack=stack,
        rate=rate,
        seconds=seconds,
        batch=batch,
        runs=runs,
        restart=restart,
        say=progress,
    )
    _finish(report, as_json)


def _finish(report: Report, as_json: bool) -> None:
    path = report.keep()
    if as_json:
        print_json(report.document())
    else:
        _print_prose(report)
        progress(f"written to {path}")
    exit_with(OK if report.holds else DOES_NOT_HOLD)


def _print_prose(report: Report) -> None:
    for name, value in report.figures.items():
        click.echo(f"{name:24} {value:>12,.4g}")
    for name, bar in report.bars.items():
        sign = "<=" if bar.at_most else ">="
        verdict = "holds" if bar.holds else "DOES NOT HOLD"
        click.echo(f"bar {name}: {bar.value:,.4g} {sign} {bar.bar:,.4g}: {verdict}")
