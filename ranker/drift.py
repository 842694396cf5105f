"""Drift: how an edition differs from the live one, and whether that is believable.

A run on a half-loaded replica, a signal whose table was emptied or a mistake in the weights makes
scores that are exact and wrong. So an edition is compared with the live one before it is published.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.overlap import rank_biased_overlap
from ranker.editions import Ranked
from ranker.entities import Ids
from ranker.graph import Floats
from ranker.signals import Gates

_ROUNDING: Final = 1e-6  # by which scores may miss the sum 1
_MOVERS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Mover:
    """An entity whose share of the mass changed much."""

    type: str
    id: int
    before: float  # score
    after: float


@dataclass(frozen=True, kw_only=True)
class TypeDrift:
    """How one type's entities differ. Shares are from 0 to 1."""

    type: str
    entities: int
    new: int  # that the former edition does not have
    gone: int
    mass_before: float  # share of all mass
    mass_after: float
    overlap: float  # rank-biased, of the order from the top; 1: the same order
    mover: int | None  # entity whose score changed most; None: no score changed
    largest_move: float  # by how much, as a share of the type's highest score in either edition


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One thing that an edition must hold."""

    name: str
    value: float
    bar: float  # the least, or the most, that the value may be
    holds: bool
    about: str  # what the value is about: a type, or everything


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The difference of two editions."""

    types: Sequence[TypeDrift]
    moved: float  # share of all mass that went from some entities to others
    movers: Sequence[Mover]  # who gained or lost most
    gates: Sequence[Gate]

    @property
    def failed(self) -> Sequence[Gate]:
        """The gates that do not hold."""
        return [gate for gate in self.gates if not gate.holds]


def compare(before: Ranked | None, after: Ranked, gates: Gates) -> Drift:
    """What changed from one edition to another; without a former one, only what it must hold."""
    if before is None:
        return Drift(types=(), moved=0.0, movers=(), gates=[_sum_gate(after)])
    pairs = {name: _paired(before, after, name) for name in _types(before, after)}
    types = [_of_type(before, after, name, pair, gates) for name, pair in pairs.items()]
    moved = sum(float(np.abs(pair.after - pair.before).sum()) for pair in pairs.values()) / 2.0
    return Drift(
        types=types,
        moved=moved,
        movers=_movers(pairs),
        gates=[_sum_gate(after), *_gates(types, moved, gates)],
    )


def top(ranked: Ranked, kind: str, depth: int) -> Ids:
    """The ids of a type's first entities, by falling score, ties by id."""
    scores, ids = ranked.of(kind), ranked.entities.ids.get(kind, np.empty(0, dtype=np.int64))
    if depth < len(scores):
        least = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        chosen = np.flatnonzero(scores >= least)
    else:
        chosen = np.arange(len(scores))
    best = chosen[np.lexsort((ids[chosen], -scores[chosen]))][:depth]
    found: Ids = ids[best]
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """The scores of all entities that either edition has; 0 where one does not have it."""

    ids: Ids
    before: Floats
    after: Floats


def _types(before: Ranked, after: Ranked) -> Sequence[str]:
    return sorted({*before.entities.types, *after.entities.types})


def _ids(ranked: Ranked, kind: str) -> NDArray[np.int64]:
    return ranked.entities.ids.get(kind, np.empty(0, dtype=np.int64))


def _paired(before: Ranked, after: Ranked, kind: str) -> _Pair:
    ids = np.union1d(_ids(before, kind), _ids(after, kind))
    scores = []
    for ranked in (before, after):
        values = np.zeros(len(ids))
        values[np.searchsorted(ids, _ids(ranked, kind))] = ranked.of(kind)
        scores.append(values)
    return _Pair(ids=ids, before=scores[0], after=scores[1])


def _of_type(before: Ranked, after: Ranked, kind: str, pair: _Pair, gates: Gates) -> TypeDrift:
    former, own = _ids(before, kind), _ids(after, kind)
    shared = len(np.intersect1d(former, own, assume_unique=True))
    mover, largest_move = _largest_move(pair)
    return TypeDrift(
        type=kind,
        entities=len(own),
        new=len(own) - shared,
        gone=len(former) - shared,
        mass_before=before.mass.get(kind, 0.0),
        mass_after=after.mass.get(kind, 0.0),
        overlap=rank_biased_overlap(
            top(before, kind, gates.depth).tolist(),
            top(after, kind, gates.depth).tolist(),
            persistence=gates.persistence,
        ),
        mover=mover,
        largest_move=largest_move,
    )


def _largest_move(pair: _Pair) -> tuple[int | None, float]:
    """Who moved most, and by what share of the highest score: 1 is from nothing to the top."""
    change = np.abs(pair.after - pair.before)
    if not change.any():
        return None, 0.0
    at = int(np.argmax(change))
    return int(pair.ids[at]), float(change[at] / max(pair.before.max(), pair.after.max()))


def _movers(pairs: Mapping[str, _Pair]) -> Sequence[Mover]:
    found: list[Mover] = []
    for name, pair in pairs.items():
        change = np.abs(pair.after - pair.before)
        found += [
            Mover(
                type=name,
                id=int(pair.ids[at]),
                before=float(pair.before[at]),
                after=float(pair.after[at]),
            )
            for at in np.argsort(-change, kind="stable")[:_MOVERS]
            if change[at]
        ]
    return sorted(found, key=lambda one: -abs(one.after - one.before))[:_MOVERS]


def _sum_gate(after: Ranked) -> Gate:
    off = abs(float(after.scores.sum()) - 1.0)
    return Gate(
        name="mass", value=off, bar=_ROUNDING, holds=off <= _ROUNDING, about="the sum of all scores"
    )


def _gates(types: Sequence[TypeDrift], moved: float, gates: Gates) -> Iterator[Gate]:
    yield _most("moved", moved, gates.most_moved, "mass that went from some entities to others")
    for one in types:
        shift = abs(one.mass_after - one.mass_before)
        yield _most("type_shift", shift, gates.most_type_shift, f"mass of type {one.type}")
        new = one.new / one.entities if one.entities else 0.0
        yield _most("new", new, gates.most_new, f"entities of type {one.type} that are new")
        former = one.entities - one.new + one.gone
        gone = one.gone / former if former else 0.0
        yield _most("gone", gone, gates.most_new, f"entities of type {one.type} that are gone")
        about = f"{one.type} {one.mover}, of the highest score of its type"
        yield _most("mover", one.largest_move, gates.most_mover, about)
        yield Gate(
            name="overlap",
            value=one.overlap,
            bar=gates.least_overlap,
            holds=one.overlap >= gates.least_overlap,
            about=f"order of type {one.type}, compared with the live edition",
        )


def _most(name: str, value: float, bar: float, about: str) -> Gate:
    return Gate(name=name, value=value, bar=bar, holds=value <= bar, about=about)
