"""`disco eval`: how good rankings are."""

from collections.abc import Iterator
from dataclasses import astuple
from typing import Any, Final

import click

from cli.eval_collection import collection
from cli.eval_judgments import judgments
from cli.eval_known_items import known_items
from cli.eval_options import seed_option
from cli.eval_run import report, run
from cli.output import json_option, print_json, print_text, progress
from evaluation import operations
from evaluation.operations import Comparison, Counts, Measurement

_COLUMNS: Final = (
    *("measure", "query", "first", "second", "difference"),
    *("low", "high", "p_permutation", "p_bootstrap"),
)


@click.group("eval")
def evaluate() -> None:
    """Measure how good rankings are."""


evaluate.add_command(judgments)
evaluate.add_command(run)
evaluate.add_command(report)
evaluate.add_command(collection)
evaluate.add_command(known_items)


@evaluate.command()
@click.argument("qrels", metavar="QRELS")
@click.argument("run", metavar="RUN")
@click.option(
    "--measures",
    "names",
    multiple=True,
    metavar="NAMES",
    help=f"Comma-separated; can be repeated. Without it {','.join(operations.DEFAULTS)}.",
)
@click.option("--per-query", is_flag=True, help="Also the values of each query.")
@click.option("--complete", is_flag=True, help="Judged queries that RUN lacks count as 0.")
@click.option("--compare", "other", metavar="RUN2", default=None, help="Test RUN2 against RUN.")
@seed_option
@json_option
def score(
    *,
    qrels: str,
    run: str,
    names: tuple[str, ...],
    per_query: bool,
    complete: bool,
    other: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Measure RUN against the judgments QRELS; needs no service.

    Both are files as trec_eval takes them, or - for standard input; judgments may be CSV. Prints
    `measure<TAB>query<TAB>value`, as trec_eval does; the query `all` stands for the mean.
    """
    names = names or operations.DEFAULTS
    if other is not None:
        compared = operations.compare_files(qrels, run, other, names, complete=complete, seed=seed)
        _show_comparison(compared, per_query=per_query, as_json=as_json)
        return
    found = operations.score_files(qrels, run, names, complete=complete)
    if as_json:
        print_json(_document(found, per_query=per_query))
    else:
        print_text(_lines(found, per_query=per_query))
        _tell_what_counts(found.counts)


def _document(found: Measurement, *, per_query: bool) -> dict[str, Any]:
    queries = {"queries": found.queries} if per_query else {}
    return {"measures": found.measures, **queries, "counts": found.counts}


def _lines(found: Measurement, *, per_query: bool) -> Iterator[str]:
    places = {str(one): 0 if operations.is_count(one) else 4 for one in found.asked}
    queries = found.queries if per_query else {}
    for query, values in (*queries.items(), ("all", found.measures)):
        for name, value in values.items():
            yield f"{name}\t{query}\t{value:.{places[name]}f}\n"


def _tell_what_counts(counts: Counts) -> None:
    if counts.missing_queries:
        treated = "count as 0" if counts.complete else "do not count; --complete counts them as 0"
        progress(
            f"queries with judgments, but without results: {counts.missing_queries:,} {treated}"
        )
    if counts.unjudged_queries:
        progress(f"queries without judgments: {counts.unjudged_queries:,} do not count")


def _show_comparison(compared: Comparison, *, per_query: bool, as_json: bool) -> None:
    if as_json:
        print_json(_comparison_document(compared, per_query=per_query))
        return
    rows = _query_rows(compared) if per_query else iter(())
    total = (
        (name, "all", *map("{:.4f}".format, astuple(one)))
        for name, one in compared.differences.items()
    )
    print_text("\t".join(row) + "\n" for row in (_COLUMNS, *rows, *total))
    _tell_what_is_compared(compared)


def _query_rows(compared: Comparison) -> Iterator[tuple[str, ...]]:
    for query in compared.queries:
        second = compared.second.queries[query]
        for name, value in compared.first.queries[query].items():
            values = (value, second[name], second[name] - value)
            yield name, query, *map("{:.4f}".format, values)


def _comparison_document(compared: Comparison, *, per_query: bool) -> dict[str, Any]:
    queries = {
        query: {"first": compared.first.queries[query], "second": compared.second.queries[query]}
        for query in compared.queries
    }
    return {
        "measures": compared.differences,
        **({"queries": queries} if per_query else {}),
        "counts": {
            "queries": len(compared.queries),
            "first": compared.first.counts,
            "second": compared.second.counts,
        },
        "seed": compared.seed,
    }


def _tell_what_is_compared(compared: Comparison) -> None:
    runs = {"first": compared.first.counts, "second": compared.second.counts}
    only = {name: one.queries - len(compared.queries) for name, one in runs.items()}
    progress(
        f"compared over {len(compared.queries):,} queries"
        + "".join(f"; {more:,} more in the {name} only" for name, more in only.items() if more)
    )
