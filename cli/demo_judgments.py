"""`disco demo judgments`: queries of the demo catalogue, with what is right for them."""

import csv
import io
from collections.abc import Iterator, Sequence

import click
import uvloop

from cli.output import json_option, print_json, print_text
from core.settings import load
from demo import operations
from demo.judged_queries import Line


@click.command()
@click.option(
    "--each",
    type=click.IntRange(1, 10_000),
    default=25,
    show_default=True,
    help="Queries of each way of asking.",
)
@click.option("--seed", default=1, show_default=True, help="Another: other queries.")
@json_option
def judgments(*, each: int, seed: int, as_json: bool) -> None:
    """Print judged queries of the catalogue as CSV, for `disco eval judgments import`.

    Titles, people, titles with their makers, genres with a word: what is right follows from the
    catalogue, so the same catalogue and seed give the same judgments.
    """
    found = uvloop.run(operations.judged_queries(load(), each=each, seed=seed))
    if as_json:
        print_json([one._asdict() for one in found])
    else:
        print_text(_lines(found))


def _lines(found: Sequence[Line]) -> Iterator[str]:
    for cells in (Line._fields, *found):
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        yield line.getvalue()
