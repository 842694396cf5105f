from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.errors import EmptyGraphError, NotConvergedError, ParameterError
from ranker.graph import Floats, Graph
from ranker.graph_builder import GraphBuilder, build
from ranker.parameters import Dangling, Method, Parameters, Prior, Solution
from ranker.solver import solve
from tests.unit.ranker.named_graphs import GRAPHS
from tests.unit.ranker.oracles import Edge, by_networkx, dense

EVERY_METHOD = pytest.mark.parametrize("method", list(Method))
EVERY_DANGLING = pytest.mark.parametrize("dangling", list(Dangling))


def graph_of(edges: Sequence[Edge], nodes: int, *, compiled: bool = True) -> Graph:
    builder = GraphBuilder()
    if edges:
        sources, targets, weights = (np.array(column) for column in zip(*edges, strict=True))
        builder.add(sources, targets, weights)
    return builder.build(nodes, compiled=compiled)


def distance(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).sum())


@pytest.mark.thorough
@EVERY_METHOD
@EVERY_DANGLING
@pytest.mark.parametrize("name", GRAPHS)
def test_scores_are_those_of_dense_algebra(name: str, dangling: Dangling, method: Method) -> None:
    named = GRAPHS[name]
    graph = graph_of(named.edges, named.nodes, compiled=method is not Method.POWER)
    for damping in (0.85, 0.0, 0.5, 0.97):
        solution = solve(graph, Parameters(damping=damping, dangling=dangling, method=method))
        exact = dense(named.edges, named.nodes, damping=damping, others=dangling is Dangling.OTHERS)
        assert distance(solution.scores, exact) <= solution.error_bound + 1e-13
        assert solution.error_bound <= 1e-9
        assert solution.scores.sum() == pytest.approx(1.0, abs=1e-14)


@pytest.mark.thorough
@EVERY_METHOD
@EVERY_DANGLING
def test_surfers_jump_where_the_teleport_vector_says(dangling: Dangling, method: Method) -> None:
    for name, named in GRAPHS.items():
        teleport = (np.arange(named.nodes) % 3 + float(named.nodes == 1)).astype(np.float64)
        solution = solve(
            graph_of(named.edges, named.nodes),
            Parameters(dangling=dangling, method=method),
            teleport=teleport,
        )
        exact = dense(
            named.edges,
            named.nodes,
            damping=0.85,
            others=dangling is Dangling.OTHERS,
            teleport=teleport,
        )
        assert distance(solution.scores, exact) <= 1e-9, name


@st.composite
def weighted_graphs(draw: st.DrawFn) -> tuple[int, list[Edge]]:
    nodes = draw(st.integers(1, 30))
    node = st.integers(0, nodes - 1)
    weight = st.one_of(st.just(0.0), st.floats(1e-3, 1e3))
    return nodes, draw(st.lists(st.tuples(node, node, weight), max_size=120))


@EVERY_METHOD
@settings(deadline=None)
@given(drawn=weighted_graphs(), damping=st.floats(0.05, 0.95))
def test_scores_are_those_of_networkx(
    method: Method, drawn: tuple[int, list[Edge]], damping: float
) -> None:
    nodes, edges = drawn
    graph = graph_of(edges, nodes, compiled=method is not Method.POWER)
    solution = solve(graph, Parameters(damping=damping, method=method))
    assert distance(solution.scores, by_networkx(edges, nodes, damping=damping)) <= 1e-8


@pytest.mark.thorough
@EVERY_METHOD
@EVERY_DANGLING
@settings(deadline=None)
@given(drawn=weighted_graphs(), data=st.data())
def test_a_prior_changes_only_the_way_to_the_scores(
    method: Method, dangling: Dangling, drawn: tuple[int, list[Edge]], data: st.DataObject
) -> None:
    nodes, edges = drawn
    score = st.one_of(st.just(np.nan), st.floats(0.0, 1.0))
    scores = np.array(data.draw(st.lists(score, min_size=nodes, max_size=nodes)))
    mass = data.draw(st.one_of(st.none(), st.floats(0.0, 1.0)))
    moves = st.lists(st.floats(-1.0, 1.0), min_size=nodes, max_size=nodes)
    trend = data.draw(st.one_of(st.none(), moves.map(np.array)))
    solution = solve(
        graph_of(edges, nodes),
        Parameters(method=method, dangling=dangling),
        prior=Prior(scores=scores, dangling_mass=mass, trend=trend),
    )
    exact = dense(edges, nodes, damping=0.85, others=dangling is Dangling.OTHERS)
    assert distance(solution.scores, exact) <= solution.error_bound + 1e-13


@EVERY_METHOD
@EVERY_DANGLING
def test_from_the_solution_itself_there_is_hardly_a_way(method: Method, dangling: Dangling) -> None:
    named = GRAPHS["power law"]
    graph = graph_of(named.edges, named.nodes)
    parameters = Parameters(method=method, dangling=dangling, tolerance=1e-10)
    cold = solve(graph, parameters)
    warm = solve(graph, replace(parameters, tolerance=1e-8), prior=cold.as_prior())
    assert cold.iterations > 15
    assert warm.iterations == 1


@pytest.mark.parametrize("method", [Method.GAUSS_SEIDEL, Method.JACOBI])
def test_a_trend_that_goes_on_saves_iterations_and_another_costs_none(method: Method) -> None:
    sources, targets, weights = map(np.array, zip(*GRAPHS["power law"].edges, strict=True))
    kinds = np.arange(len(sources)) % 3

    def after(days: int) -> Solution:
        """Each kind of edge fades at a pace of its own."""
        faded = weights * 0.5 ** (days / np.array([30.0, 90.0, 365.0])[kinds])
        graph = build(sources, targets, faded, nodes=GRAPHS["power law"].nodes, compiled=True)
        tolerance = 1e-11 if days < 2 else 1e-7
        return solve(graph, Parameters(method=method, tolerance=tolerance), prior=priors.get(days))

    priors: dict[int, Prior] = {}
    first, second = after(0), after(1)
    trend = second.scores - first.scores
    passes = {}
    for name, one in (("none", None), ("same", trend), ("opposite", -30.0 * trend)):
        priors[2] = replace(second.as_prior(), trend=one)
        passes[name] = after(2).iterations
    assert passes["same"] < passes["none"]
    # Threads may meet otherwise in the next run, which is worth a pass at most.
    assert abs(passes["opposite"] - passes["none"]) <= 1


@EVERY_METHOD
def test_new_nodes_start_from_what_teleport_gives(method: Method) -> None:
    named = GRAPHS["power law"]
    parameters = Parameters(method=method, tolerance=1e-7)
    old = solve(graph_of(named.edges, named.nodes), parameters)
    more = (*named.edges, (3, 300, 1.0), (301, 5, 1.0))
    grown = graph_of(more, 302)
    warm = solve(grown, parameters, prior=old.grown(302))
    assert warm.iterations < solve(grown, parameters).iterations
    assert distance(warm.scores, dense(more, 302, damping=0.85, others=False)) <= 1e-7


@pytest.mark.parametrize("method", [Method.JACOBI, Method.POWER])
def test_deterministic_methods_repeat_every_bit(method: Method) -> None:
    named = GRAPHS["power law"]
    graph = graph_of(named.edges, named.nodes)
    first, second = (solve(graph, Parameters(method=method)) for _ in range(2))
    assert first.scores.tobytes() == second.scores.tobytes()
    assert first.residuals == second.residuals


def test_small_graphs_are_solved_without_the_compiler() -> None:
    named = GRAPHS["dangling"]
    assert solve(graph_of(named.edges, named.nodes)).method is Method.POWER


@EVERY_METHOD
def test_residuals_of_all_iterations_are_kept_and_fall(method: Method) -> None:
    named = GRAPHS["power law"]
    solution = solve(graph_of(named.edges, named.nodes), Parameters(method=method))
    assert len(solution.residuals) == solution.iterations > 10
    assert all(later < earlier for earlier, later in pairwise(solution.residuals))
    assert solution.residuals[-1] < 1e-8


@EVERY_METHOD
def test_too_few_iterations_are_an_error(method: Method) -> None:
    named = GRAPHS["power law"]
    with pytest.raises(NotConvergedError, match=r"after 3 iterations .* raise the number"):
        solve(graph_of(named.edges, named.nodes), Parameters(method=method, max_iterations=3))


@pytest.mark.thorough
@EVERY_METHOD
@pytest.mark.parametrize("name", ["cycle", "two in turn", "power law", "star inwards"])
def test_even_a_damping_near_one_converges_within_the_limit(name: str, method: Method) -> None:
    named = GRAPHS[name]
    solution = solve(
        graph_of(named.edges, named.nodes),
        Parameters(damping=0.999, method=method, tolerance=1e-9),
    )
    exact = dense(named.edges, named.nodes, damping=0.999, others=False)
    assert distance(solution.scores, exact) <= 1e-9


def test_a_graph_without_nodes_is_an_error() -> None:
    with pytest.raises(EmptyGraphError, match="no nodes"):
        solve(graph_of((), 0))


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"damping": 1.0}, "damping 1.0 must be"),
        ({"damping": -0.1}, "damping -0.1 must be"),
        ({"damping": float("nan")}, "damping nan must be"),
        ({"tolerance": 0.0}, "tolerance 0.0 must be"),
        ({"tolerance": 1e-15}, "finer than double precision"),
        ({"max_iterations": 0}, "max_iterations 0 must be"),
    ],
)
def test_parameters_that_do_not_fit(parameters: dict[str, float], problem: str) -> None:
    with pytest.raises(ParameterError, match=problem):
        Parameters(**parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("teleport", "problem"),
    [
        ([1.0], "has 1 values, but there are 5 nodes"),
        ([0.0] * 5, "somewhere above"),
        ([1.0, -1.0, 1.0, 1.0, 1.0], "nowhere below zero"),
        ([1.0, np.nan, 1.0, 1.0, 1.0], "must be finite"),
        ([1.0, np.inf, 1.0, 1.0, 1.0], "must be finite"),
    ],
)
def test_a_teleport_vector_that_does_not_fit(teleport: list[float], problem: str) -> None:
    named = GRAPHS["dangling"]
    with pytest.raises(ParameterError, match=problem):
        solve(graph_of(named.edges, named.nodes), teleport=np.array(teleport))


@pytest.mark.parametrize("scores", [[0.5], [0.1, 0.1, 0.1, 0.1, -0.1], [0.1, 0.1, 2.0, 0.1, 0.1]])
def test_a_prior_that_does_not_fit(scores: list[float]) -> None:
    named = GRAPHS["dangling"]
    with pytest.raises(ParameterError, match="the prior"):
        solve(graph_of(named.edges, named.nodes), prior=Prior(scores=np.array(scores)))


@pytest.mark.parametrize("trend", [[0.0], [0.0, 0.0, np.nan, 0.0, 0.0]])
def test_a_trend_that_does_not_fit(trend: list[float]) -> None:
    named = GRAPHS["dangling"]
    prior = Prior(scores=np.full(named.nodes, 0.2), trend=np.array(trend))
    with pytest.raises(ParameterError, match="trend must have one finite value"):
        solve(graph_of(named.edges, named.nodes), prior=prior)


@EVERY_METHOD
@EVERY_DANGLING
def test_a_prior_of_almost_nothing_is_a_start_as_any_other(
    method: Method, dangling: Dangling
) -> None:
    least = np.nextafter(0.0, 1.0)
    found = solve(
        graph_of([(0, 0, 1.0), (1, 0, 1.0)], 2),
        Parameters(method=method, dangling=dangling),
        prior=Prior(scores=np.array([least, 0.0])),
    )
    exact = dense([(0, 0, 1.0), (1, 0, 1.0)], 2, damping=0.85, others=dangling is Dangling.OTHERS)
    assert distance(found.scores, exact) <= 1e-8
