"""From acts to edges: what each signal found, weighted, between numbered entities."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ranker.entities import UNKNOWN, Entities, Ids, entities_of
from ranker.graph import Graph
from ranker.graph_builder import GraphBuilder
from ranker.signals import Policy, Signal
from ranker.sources import Acts, Source

_NOBODY: Final = np.uint32(0xFFFFFFFF)  # owns what nobody owns
Flags = NDArray[np.bool_]


@dataclass(kw_only=True)
class SignalCount:
    """What became of a signal's rows. Each is used, or left out for one reason."""

    name: str
    rows: int = 0  # that the query gave
    used: int = 0  # of which edges were made
    unknown: int = 0  # an end cannot be found: private, deleted, or of a private user
    own: int = 0  # praise of oneself, or of what one owns
    capped: int = 0  # beyond the most edges of one source
    unregarded: int = 0  # by somebody to whom nothing points
    weight: float = 0.0  # of all edges that were made
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class GraphSize:
    """How large a graph is."""

    nodes: int
    edges: int  # duplicates of one kind summed
    dangling_nodes: int
    bytes: int  # in memory; 0 if it never was in that of one machine


@dataclass(frozen=True, kw_only=True, eq=False)
class Loaded:
    """A graph of a catalogue, and how it came about."""

    entities: Entities
    graph: Graph
    signals: Sequence[SignalCount]
    moment: int  # of which it is, microseconds since 1970
    seconds: dict[str, float]  # by stage

    @property
    def size(self) -> GraphSize:
        """How large the graph is."""
        return GraphSize(
            nodes=self.graph.nodes,
            edges=self.graph.edges,
            dangling_nodes=int(self.graph.dangling.sum()),
            bytes=self.graph.nbytes,
        )


@dataclass(eq=False)
class _Edges:
    """Edges of one signal, from sources to targets."""

    signal: Signal
    kind: int
    count: SignalCount
    sources: list[NDArray[np.uint32]] = field(default_factory=list)
    targets: list[NDArray[np.uint32]] = field(default_factory=list)
    strengths: list[NDArray[np.float32]] = field(default_factory=list)

    def take(self, keep: Callable[[NDArray[np.uint32]], Flags]) -> int:
        """Keep the edges of some sources; how many were left out."""
        left = 0
        for at, sources in enumerate(self.sources):
            kept = keep(sources)
            left += len(kept) - int(kept.sum())
            self.sources[at] = sources[kept]
            self.targets[at] = self.targets[at][kept]
            self.strengths[at] = self.strengths[at][kept]
        return left


def load(source: Source, policy: Policy) -> Loaded:
    """The graph of all signals of a source.

    In memory a row takes 12 bytes until the graph is built, and what `GraphBuilder` says then.

    Raises:
        SignalError: a signal gave what no edge can be made of.
        EmptyGraphError: there are no entities.
        TooManyNodesError: there are more than a graph takes.
    """
    seconds: dict[str, float] = {}
    moment = source.moment()
    began = time.perf_counter()
    listed = source.entities()
    entities = entities_of(_named_by(source, policy) if listed is None else listed)
    seconds["entities"] = time.perf_counter() - began
    loader = _Loader(entities, policy, moment)
    # Who owns what has to be known before what he does to it can be left out.
    for kind, signal in sorted(enumerate(policy.signals), key=lambda one: not one[1].owns):
        loader.read(kind, signal, source.acts(signal))
    seconds["signals"] = sum(edges.count.seconds for edges in loader.edges)
    began = time.perf_counter()
    graph = loader.graph()
    seconds["graph"] = time.perf_counter() - began
    counts = {edges.kind: edges.count for edges in loader.edges}
    return Loaded(
        entities=entities,
        graph=graph,
        signals=[counts[kind] for kind in range(len(policy.signals))],
        moment=moment,
        seconds=seconds,
    )


def _named_by(source: Source, policy: Policy) -> dict[str, Ids]:
    """The ids that acts name, by type."""
    found: dict[str, list[Ids]] = {}
    for signal in policy.signals:
        for acts in source.acts(signal):
            found.setdefault(acts.source_type, []).append(np.unique(acts.sources))
            found.setdefault(acts.target_type, []).append(np.unique(acts.targets))
    return {name: np.unique(np.concatenate(parts)) for name, parts in found.items()}


class _Loader:
    def __init__(self, entities: Entities, policy: Policy, moment: int) -> None:
        self._entities = entities
        self._policy = policy
        self._moment = moment
        self._owners = np.full(len(entities), _NOBODY, dtype=np.uint32)
        self.edges: list[_Edges] = []

    def read(self, kind: int, signal: Signal, batches: Iterator[Acts]) -> None:
        """Take all acts of a signal."""
        began = time.perf_counter()
        edges = _Edges(signal, kind, SignalCount(name=signal.name))
        for acts in batches:
            self._add(edges, acts)
        if signal.most_edges is not None:
            edges.count.capped = _cap(edges, signal.most_edges, len(self._entities))
        edges.count.used = sum(map(len, edges.sources))
        edges.count.seconds = time.perf_counter() - began
        self.edges.append(edges)

    def graph(self) -> Graph:
        """The graph of all edges; they are let go."""
        if self._policy.sources_need_in_links:
            self._leave_out_unregarded()
        builder = GraphBuilder()
        for edges in self.edges:
            self._build(builder, edges)
        return builder.build(len(self._entities))

    def _add(self, edges: _Edges, acts: Acts) -> None:
        edges.count.rows += len(acts)
        if acts.source_type not in self._entities.ids or acts.target_type not in self._entities.ids:
            edges.count.unknown += len(acts)
            return
        sources = self._entities.numbers(acts.source_type, acts.sources)
        targets = self._entities.numbers(acts.target_type, acts.targets)
        known = (sources != UNKNOWN) & (targets != UNKNOWN)
        edges.count.unknown += len(acts) - int(known.sum())
        own = self._note_own(edges.signal, sources, targets, known)
        edges.count.own += int(own.sum())
        kept = known & ~own
        strengths = edges.signal.strengths(acts.counts, acts.last, self._moment)
        edges.sources.append(sources[kept].astype(np.uint32))
        edges.targets.append(targets[kept].astype(np.uint32))
        edges.strengths.append(strengths[kept].astype(np.float32))

    def _note_own(self, signal: Signal, sources: Ids, targets: Ids, known: Flags) -> Flags:
        """Which acts are about what belongs to him who acts."""
        if signal.owns:
            self._owners[targets[known]] = sources[known]
            return np.zeros(len(sources), dtype=np.bool_)
        own = np.zeros(len(sources), dtype=np.bool_)
        own[known] = self._root(sources[known]) == self._root(targets[known])
        return own

    def _root(self, numbers: Ids) -> Ids:
        """Each entity's owner, or itself."""
        owners = self._owners[numbers].astype(np.int64)
        return np.where(owners == int(_NOBODY), numbers, owners)

    def _leave_out_unregarded(self) -> None:
        """Leave out what is done by those to whom, and to whose works, nobody else points."""
        regarded = np.zeros(len(self._entities), dtype=np.bool_)
        acts = [edges for edges in self.edges if not edges.signal.owns]
        for edges in acts:
            for targets in edges.targets:
                regarded[targets] = True
                regarded[self._root(targets.astype(np.int64))] = True
        for edges in acts:
            edges.count.unregarded = edges.take(
                lambda sources: regarded[self._root(sources.astype(np.int64))]
            )
            edges.count.used -= edges.count.unregarded

    def _build(self, builder: GraphBuilder, edges: _Edges) -> None:
        signal, total = edges.signal, 0.0
        reverse = edges.kind + len(self._policy.signals)
        while edges.sources:
            sources, targets = edges.sources.pop(), edges.targets.pop()
            strengths = edges.strengths.pop()
            total += float(strengths.sum(dtype=np.float64))
            for weight, kind, ends in (
                (signal.weight, edges.kind, (sources, targets)),
                (signal.reverse_weight, reverse, (targets, sources)),
            ):
                if weight:
                    kinds = np.full(len(sources), kind, dtype=np.uint8)
                    builder.add(*ends, strengths * np.float32(weight), kinds)
        edges.count.weight = total * (signal.weight + signal.reverse_weight)


def _cap(edges: _Edges, most: int, nodes: int) -> int:
    """Leave each source its heaviest edges; how many were left out."""
    counts = np.zeros(nodes, dtype=np.uint32)
    for sources in edges.sources:
        counts += np.bincount(sources, minlength=nodes).astype(np.uint32)
    if not len(counts) or counts.max() <= most:
        return 0
    sources = np.concatenate(edges.sources)
    targets, strengths = np.concatenate(edges.targets), np.concatenate(edges.strengths)
    kept = counts[sources] <= most
    busy = np.flatnonzero(~kept)
    # By source, then the heaviest first, ties by target, so that it is the same in every run.
    busy = busy[np.lexsort((targets[busy], -strengths[busy], sources[busy]))]
    of = sources[busy]
    starts = np.flatnonzero(np.concatenate(([True], of[1:] != of[:-1])))
    place = np.arange(len(of)) - np.repeat(starts, np.diff(np.append(starts, len(of))))
    kept[busy[place < most]] = True
    edges.sources, edges.targets = [sources[kept]], [targets[kept]]
    edges.strengths = [strengths[kept]]
    return len(kept) - int(kept.sum())
