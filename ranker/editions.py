"""Editions: the scores of a catalogue with all that is known of how they came about.

Beside what `core.rank_editions` says there are `<type>.scores.npy`, and `graph.<array>.npy`: the
graph, for explanations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.rank_editions import Edition, Ranks, RankStore
from ranker.activity import GraphSize, SignalCount
from ranker.entities import Entities
from ranker.errors import RankerError
from ranker.graph import Floats, Graph
from ranker.parameters import Prior, Solution
from ranker.ranks import ranks_of
from ranker.signals import Policy

_GRAPH: Final = ("order", "starts", "sources", "weights", "kinds", "out_weights")
_NO_FLOATS: Final = np.empty(0)
_MOST_STEPS: Final = 3.0


class UnknownEntityError(RankerError):
    """The edition does not rank that entity: it is private, deleted, or newer than the edition."""

    exit_code = 2


class NoGraphError(RankerError):
    """The edition keeps no graph. What is asked needs one: ask an edition that does."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Calculation:
    """Scores that were calculated and not written yet."""

    entities: Entities
    graph: Graph | None  # None: it is nowhere as a whole
    size: GraphSize
    signals: Sequence[SignalCount]
    moment: int  # of which it is, microseconds since 1970
    solution: Solution
    policy: Policy
    source: str  # where the activity came from
    parent: str | None  # edition that was the prior
    known: int  # entities that the prior had
    seconds: dict[str, float]  # by stage

    @property
    def ranked(self) -> "Ranked":
        """The scores, as those of an edition."""
        return Ranked(entities=self.entities, scores=self.solution.scores)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranked:
    """Entities and their scores, which sum to 1."""

    entities: Entities
    scores: Floats  # one a node

    @cached_property
    def mass(self) -> Mapping[str, float]:
        """The share of each type."""
        return {name: float(self.of(name).sum()) for name in self.entities.types}

    def of(self, kind: str) -> Floats:
        """The scores of a type, in the order of its ids; none of a type that is not ranked."""
        return self.scores[self.entities.place(kind)] if kind in self.entities.ids else _NO_FLOATS


def write(store: RankStore, done: Calculation) -> Edition:
    """Put a calculation into the store."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, ranks in ranks_by_type(done).items():
        arrays |= {
            f"{name}.ids.npy": done.entities.ids[name],
            f"{name}.scores.npy": done.ranked.of(name),
            f"{name}.ranks.npy": ranks,
        }
    if done.graph is not None:
        arrays |= {_graph_file(name): getattr(done.graph, name) for name in _GRAPH}
    return store.put(arrays, manifest_of(done), at=datetime.now(UTC))


def ranks_by_type(done: Calculation) -> dict[str, Ranks]:
    """The rank of each entity, type by type."""
    return {name: ranks_of(done.ranked.of(name)) for name in done.entities.types}


def manifest_of(done: Calculation) -> dict[str, Any]:
    """All that is known of a calculation, as a JSON document."""
    solution = done.solution
    return {
        "moment": datetime.fromtimestamp(done.moment / 1e6, tz=UTC).isoformat(),
        "source": done.source,
        "parent": done.parent,
        "policy": done.policy.as_document(),
        "signals": [asdict(one) for one in done.signals],
        "graph": asdict(done.size),
        "entities": {name: len(ids) for name, ids in done.entities.ids.items()},
        "mass": dict(done.ranked.mass),
        "solution": {
            "method": str(solution.method),
            "iterations": solution.iterations,
            "residuals": list(solution.residuals),
            "error_bound": solution.error_bound,
            "dangling_mass": solution.dangling_mass,
            "known_to_prior": done.known,
        },
        "seconds": {name: round(value, 4) for name, value in done.seconds.items()},
    }


def ranked_of(edition: Edition) -> Ranked:
    """The scores of an edition; every byte is checked. Raises `RankStoreError`."""
    ids = {name: np.asarray(edition.array(f"{name}.ids.npy")) for name in edition.types}
    scores = [edition.array(f"{name}.scores.npy") for name in edition.types]
    return Ranked(entities=Entities(ids=ids), scores=np.concatenate([*scores, _NO_FLOATS]))


def has_graph(edition: Edition) -> bool:
    """Whether the edition keeps the graph that it was calculated on."""
    return _graph_file(_GRAPH[0]) in edition.manifest["files"]


def graph_of(edition: Edition) -> Graph:
    """The graph that an edition was calculated on. Raises `RankStoreError`, `NoGraphError`."""
    if not has_graph(edition):
        raise NoGraphError(
            f"edition {edition.name} was calculated on Spark, and keeps no graph to explain scores "
            "by; `disco rank run` without --engine spark writes one that does"
        )
    arrays = {name: edition.array(_graph_file(name)) for name in _GRAPH}
    nothing = np.empty(0, dtype=np.uint32)  # what somebody does to himself never counts
    return Graph(
        **arrays,
        loop_positions=nothing,
        loop_weights=np.empty(0),
        loop_kinds=nothing.astype(np.uint8),
    )


def prior_of(
    edition: Edition, entities: Entities, *, before: Edition | None, moment: int
) -> tuple[Prior, int]:
    """The scores of an edition as a start for these entities, and how many of them it has.

    `before` is the edition that it started from: what changed from one to the other is expected to
    go on until `moment`, microseconds since 1970.
    """
    scores = _scores_for(edition, entities)
    prior = Prior(scores=scores, dangling_mass=float(edition.manifest["solution"]["dangling_mass"]))
    steps = 0.0 if before is None else _steps(moment_of(before), moment_of(edition), moment)
    if before is not None and steps > 0.0:
        trend = np.nan_to_num(steps * (scores - _scores_for(before, entities)))
        prior = replace(prior, trend=trend)
    return prior, int(np.isfinite(scores).sum())


def moment_of(edition: Edition) -> int:
    """Of when its activity is, microseconds since 1970."""
    return int(datetime.fromisoformat(edition.manifest["moment"]).timestamp() * 1e6)


def _steps(before: int, then: int, now: int) -> float:
    """How many times what happened before has happened since; too many, and it says nothing."""
    steps = (now - then) / (then - before) if then > before else 0.0
    return steps if steps <= _MOST_STEPS else 0.0


def _scores_for(edition: Edition, entities: Entities) -> Floats:
    """An edition's scores of these entities; NaN for those that it does not have."""
    ranked = ranked_of(edition)
    scores = np.full(len(entities), np.nan)
    for name in set(entities.types) & set(ranked.entities.types):
        numbers = entities.numbers(name, ranked.entities.ids[name])
        there = numbers >= 0
        scores[numbers[there]] = ranked.of(name)[there]
    return scores


def number_of(ranked: Ranked, kind: str, one: int) -> int:
    """The node of an entity; raises `UnknownEntityError`."""
    types = ranked.entities.types
    if kind not in types:
        raise UnknownEntityError(f"{kind!r} is no entity type; there are {', '.join(types)}")
    number = int(ranked.entities.numbers(kind, np.array([one]))[0])
    if number < 0:
        raise UnknownEntityError(
            f"the edition does not rank {kind} {one}: it is private, deleted or newer; try "
            "another, or calculate anew with `disco rank run`"
        )
    return number


def _graph_file(array: str) -> str:
    return f"graph.{array}.npy"
