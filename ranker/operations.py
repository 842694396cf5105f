"""The ranker's door: what the command line may ask of it."""

from dataclasses import dataclass

import numpy as np

from ranker import edge_files, score_files
from ranker.edge_files import EdgeFile
from ranker.errors import EdgeFileError, ScoreFileError
from ranker.graph import Floats
from ranker.inputs import name_of
from ranker.node_ids import NodeIds
from ranker.parameters import Dangling, Parameters, Prior, Solution
from ranker.score_files import check_writable, lines, write
from ranker.solver import solve

__all__ = [
    "Dangling",
    "Parameters",
    "Ranking",
    "check_writable",
    "lines",
    "rank_file",
    "write",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """The scores of a file's nodes."""

    ids: NodeIds
    solution: Solution
    rows: int  # edges as they stood in the file
    edges: int  # edges that count: with a weight, duplicates summed
    dangling: int  # nodes without outgoing edges
    known: int | None  # nodes that the prior had; None without one


def rank_file(
    path: str, parameters: Parameters, *, prior: str | None = None, teleport: str | None = None
) -> Ranking:
    """Rank the nodes of a file of edges.

    Args:
        path: Of the edges; `-` is standard input.
        parameters: What is calculated.
        prior: File of scores to start from.
        teleport: File of weights of the nodes that surfers jump to; nodes that it does not name
            are never jumped to.

    Raises:
        RankerError: with the file, the line and the remedy.
    """
    edges = edge_files.read(path)
    unprintable = edges.ids.unprintable()
    if unprintable is not None:
        raise EdgeFileError(
            name_of(path), f"the id {unprintable!r} would break a line of the scores; rename it"
        )
    start = None if prior is None else Prior(scores=score_files.read(prior, edges.ids))
    jumps = None if teleport is None else _teleport(teleport, edges)
    graph = edges.graph
    solution = solve(graph, parameters, teleport=jumps, prior=start)
    return Ranking(
        ids=edges.ids,
        solution=solution,
        rows=edges.rows,
        edges=graph.edges,
        dangling=int(graph.dangling.sum()),
        known=None if start is None else int(np.isfinite(start.scores).sum()),
    )


def _teleport(path: str, edges: EdgeFile) -> Floats:
    weights = np.nan_to_num(score_files.read(path, edges.ids))
    if not weights.sum() > 0.0:
        raise ScoreFileError(path, "gives no node of the edges a weight; name some of their ids")
    return weights
