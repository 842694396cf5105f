"""What `disco bench rank` measures, one subject a process: build a graph from arrays, solve, tell.

`python -m benchmarks.rank_subjects SUBJECT FOLDER` reads the arrays in the folder, writes the
scores to `SUBJECT.npy` there, and prints one JSON document.
"""

import ctypes
import gc
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Arrays = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.float32]]
Scores = NDArray[np.float64]
Build = Callable[[Arrays, int], Any]
Solve = Callable[[Any], Scores]

TOLERANCE: Final = 1e-9
DAMPING: Final = 0.85


def read(folder: Path) -> tuple[Arrays, int]:
    """The arrays of edges, and how many nodes there are."""
    sources, targets, weights = (
        np.load(folder / f"{name}.npy") for name in ("sources", "targets", "weights")
    )
    return (sources, targets, weights), int(max(sources.max(), targets.max())) + 1


def disco() -> tuple[Build, Solve]:
    """The project."""
    from ranker.graph_builder import build  # noqa: PLC0415 - one subject a process
    from ranker.parameters import Method, Parameters  # noqa: PLC0415
    from ranker.solver import solve  # noqa: PLC0415

    parameters = Parameters(tolerance=TOLERANCE, damping=DAMPING, method=Method.GAUSS_SEIDEL)
    return (
        lambda arrays, nodes: build(*arrays, nodes=nodes, compiled=True),
        lambda graph: solve(graph, parameters).scores,
    )


def igraph() -> tuple[Build, Solve]:
    """PRPACK by igraph; its tolerance cannot be set."""
    import igraph as package  # noqa: PLC0415

    def build(arrays: Arrays, nodes: int) -> Any:
        edges = np.stack(arrays[:2], axis=1).astype(np.int64)
        graph = package.Graph(n=nodes, edges=edges, directed=True)
        # It takes 32-bit floats for integers.
        graph.es["weight"] = arrays[2].astype(np.float64)
        return graph

    return build, lambda graph: np.array(graph.pagerank(weights="weight", damping=DAMPING))


def scikit_network() -> tuple[Build, Solve]:
    """Power iteration by scikit-network; it has a way of its own with dangling nodes."""
    from sknetwork.ranking import PageRank  # noqa: PLC0415

    ranker = PageRank(damping_factor=DAMPING, solver="piteration", n_iter=1_000, tol=TOLERANCE)

    def build(arrays: Arrays, nodes: int) -> Any:
        from scipy import sparse  # noqa: PLC0415

        return sparse.csr_matrix(_csr(arrays, nodes))  # it does not know the newer arrays

    return build, lambda matrix: np.asarray(ranker.fit_predict(matrix))


def scipy() -> tuple[Build, Solve]:
    """Power iteration by SciPy, until the same promise can be made as by the project."""

    def build(arrays: Arrays, nodes: int) -> Any:
        from scipy import sparse  # noqa: PLC0415

        matrix = _csr(arrays, nodes)
        out = np.asarray(matrix.sum(axis=1)).ravel()
        shares = np.divide(1.0, out, where=out > 0.0, out=np.zeros(nodes))
        return (sparse.diags_array(shares) @ matrix).T.tocsr(), out == 0.0

    return build, lambda graph: power(*graph, tolerance=TOLERANCE)


def power(matrix: Any, dangling: NDArray[np.bool_], *, tolerance: float) -> Scores:
    """Textbook PageRank to within the tolerance of the exact scores, in L1."""
    nodes = matrix.shape[0]
    scores = np.full(nodes, 1.0 / nodes)
    change = np.inf
    while change * DAMPING / (1.0 - DAMPING) > tolerance:
        new = DAMPING * (matrix @ scores)
        new += (DAMPING * scores[dangling].sum() + 1.0 - DAMPING) / nodes
        change = np.abs(new - scores).sum()
        scores = new
    return scores


def _csr(arrays: Arrays, nodes: int) -> Any:
    from scipy import sparse  # noqa: PLC0415

    sources, targets, weights = arrays
    wide = weights.astype(np.float64)
    return sparse.coo_array((wide, (sources, targets)), shape=(nodes, nodes)).tocsr()


SUBJECTS: Final[Mapping[str, Callable[[], tuple[Build, Solve]]]] = {
    "disco": disco,
    "igraph": igraph,
    "scikit_network": scikit_network,
    "scipy": scipy,
}


def measure(subject: str, folder: Path) -> dict[str, float]:
    """Seconds and bytes an edge of one subject."""
    arrays, nodes = read(folder)
    edges = len(arrays[0])
    build, solve = SUBJECTS[subject]()
    few = slice(0, 1000)
    small = (arrays[0][few] % 500, arrays[1][few] % 500, arrays[2][few])
    solve(build(small, 500))  # so that everything is loaded and compiled
    before = _settled_memory()
    began = time.perf_counter()
    graph = build(arrays, nodes)
    built = time.perf_counter()
    peak = _memory("VmHWM")
    resident = _settled_memory()
    ready = time.perf_counter()
    scores = solve(graph)
    solved = time.perf_counter()
    np.save(folder / f"{subject}.npy", scores / scores.sum())
    return {
        "build_seconds": built - began,
        "solve_seconds": solved - ready,
        "total_seconds": built - began + solved - ready,
        "resident_bytes_an_edge": (resident - before) / edges,
        "build_peak_bytes_an_edge": (peak - before) / edges,
        "solve_peak_bytes_an_edge": (_memory("VmHWM") - before) / edges,
    }


def _settled_memory() -> int:
    """Bytes that are resident once all that is free went back; the peak begins anew."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return _memory("VmRSS")


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
