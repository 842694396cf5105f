"""`disco rank`: DiscoRank of a graph of activities."""

import importlib
from typing import Any, Final

import click

from cli.output import json_option, print_json, print_text, progress
from ranker import operations
from ranker.operations import Dangling, Parameters, Ranking

_MODULES: Final = {
    **dict.fromkeys(("run", "list", "show", "explain", "diff"), "cli.rank_editions"),
    **dict.fromkeys(("publish", "rollback", "history"), "cli.rank_publishing"),
}


class _RankGroup(click.Group):
    """Ranking a file needs little, and starts at once: what editions need is loaded for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_MODULES, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _MODULES:
            module = importlib.import_module(_MODULES[cmd_name])
            commands: dict[str, click.Command] = module.COMMANDS
            return commands[cmd_name]
        return super().get_command(ctx, cmd_name)


@click.group(cls=_RankGroup)
def rank() -> None:
    """Rank what the activities of people point at."""


@rank.command()
@click.argument("edges", metavar="EDGES")
@click.option("--damping", type=float, default=0.85, help="How likely a surfer follows an edge.")
@click.option(
    "--dangling",
    type=click.Choice([str(one) for one in Dangling]),
    default=str(Dangling.TELEPORT),
    help="Where the mass of nodes without outgoing edges goes.",
)
@click.option("--tolerance", type=float, default=1e-9, help="L1 error that the scores may have.")
@click.option("--max-iterations", type=int, default=None, help="When to give up.")
@click.option("--prior", metavar="FILE", default=None, help="Scores to start from.")
@click.option("--teleport", metavar="FILE", default=None, help="Weights of where surfers jump to.")
@click.option("--deterministic", is_flag=True, help="The same digits in every run; slower.")
@click.option("--output", metavar="FILE", default=None, help="Where to write the scores.")
@json_option
def solve(
    *,
    edges: str,
    damping: float,
    dangling: str,
    tolerance: float,
    max_iterations: int | None,
    prior: str | None,
    teleport: str | None,
    deterministic: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Rank the nodes of EDGES, a file (or - for standard input); needs no service.

    A line is `source target weight`, separated by tabs, or the file is Parquet. Writes
    `id<TAB>score` by falling score; the scores sum to 1.
    """
    parameters = Parameters(
        damping=damping,
        dangling=Dangling(dangling),
        tolerance=tolerance,
        max_iterations=max_iterations,
        deterministic=deterministic,
    )
    if output is not None:
        operations.check_writable(output)
    ranking = operations.rank_file(edges, parameters, prior=prior, teleport=teleport)
    if output is not None:
        operations.write(output, operations.lines(ranking.ids, ranking.solution.scores))
    if as_json:
        print_json(_document(ranking, parameters, output))
        return
    if output is None:
        print_text(operations.lines(ranking.ids, ranking.solution.scores))
    progress(_summary(ranking))


def _document(ranking: Ranking, parameters: Parameters, output: str | None) -> dict[str, Any]:
    solution = ranking.solution
    document: dict[str, Any] = {
        "nodes": len(ranking.ids),
        "edges": ranking.edges,
        "rows": ranking.rows,
        "dangling_nodes": ranking.dangling,
        "dangling_mass": solution.dangling_mass,
        "damping": parameters.damping,
        "dangling": parameters.dangling,
        "tolerance": parameters.tolerance,
        "method": solution.method,
        "iterations": solution.iterations,
        "residuals": solution.residuals,
        "error_bound": solution.error_bound,
        "known_to_prior": ranking.known,
        "seconds": round(solution.seconds, 4),
        "output": output,
    }
    if output is None:
        document["scores"] = [
            {"id": one, "score": score}
            for ids, scores in ranking.ids.ranked(solution.scores)
            for one, score in zip(ids, scores, strict=True)
        ]
    return document


def _summary(ranking: Ranking) -> str:
    solution = ranking.solution
    known = "" if ranking.known is None else f", {ranking.known:,} of them known to the prior"
    return (
        f"{len(ranking.ids):,} nodes{known}, {ranking.edges:,} edges: {solution.iterations} "
        f"iterations ({solution.method}) in {solution.seconds:.2f} s, error at most "
        f"{solution.error_bound:.1e}"
    )
