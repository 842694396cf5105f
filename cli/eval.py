"""`disco eval`: how good rankings are."""

import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from cli.output import OK, exit_with, json_option, print_json, progress
from evaluation import operations
from evaluation.operations import Counts, Measurement


@click.group("eval")
def evaluate() -> None:
    """Measure how good rankings are."""


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
@json_option
def score(
    *,
    qrels: str,
    run: str,
    names: tuple[str, ...],
    per_query: bool,
    complete: bool,
    as_json: bool,
) -> None:
    """Measure RUN against the judgments QRELS; needs no service.

    Both are files as trec_eval takes them, or - for standard input; judgments may be CSV. Prints
    `measure<TAB>query<TAB>value`, as trec_eval does; the query `all` stands for the mean.
    """
    found = operations.score_files(qrels, run, names or operations.DEFAULTS, complete=complete)
    if as_json:
        print_json(_document(found, per_query=per_query))
    else:
        _print(_lines(found, per_query=per_query))
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


def _print(pieces: Iterator[str]) -> None:
    try:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        exit_with(OK)
