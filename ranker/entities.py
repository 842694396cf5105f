"""The entities that are ranked: all that can be found, numbered type by type, by ascending id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ranker.errors import EmptyGraphError, SignalError, TooManyNodesError
from ranker.graph import MOST_NODES, Floats, Numbers

Ids = NDArray[np.int64]
UNKNOWN: Final = -1  # in place of the number of an entity that is not ranked
# A table from id to number pays if it is not many times larger than what is in it.
_SPARSEST: Final = 8
_SMALL_TABLE: Final = 1 << 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Entities:
    """Entities of all types. A node's number is its type's offset, and its place among the ids."""

    ids: Mapping[str, Ids]  # by type: ascending, each once, none below zero

    def __len__(self) -> int:
        return sum(map(len, self.ids.values()))

    @property
    def types(self) -> Sequence[str]:
        """Types, in the order of their nodes."""
        return list(self.ids)

    @cached_property
    def offsets(self) -> Mapping[str, int]:
        """The first number of each type."""
        offsets, at = {}, 0
        for name, ids in self.ids.items():
            offsets[name], at = at, at + len(ids)
        return offsets

    def place(self, kind: str) -> slice:
        """Where a type's nodes are among all."""
        return slice(self.offsets[kind], self.offsets[kind] + len(self.ids[kind]))

    def numbers(self, kind: str, ids: Ids) -> Ids:
        """The numbers of these ids of a type; `UNKNOWN` for those that are not ranked."""
        own = self.ids[kind]
        if not len(own):
            return np.full(len(ids), UNKNOWN, dtype=np.int64)
        table = self._tables.get(kind)
        if table is not None:
            inside = (ids >= 0) & (ids < len(table))
            found = table[np.where(inside, ids, 0)].astype(np.int64)
            return np.where(inside & (found != 0), found - 1 + self.offsets[kind], UNKNOWN)
        places = np.minimum(np.searchsorted(own, ids), len(own) - 1)
        return np.where(own[places] == ids, places + self.offsets[kind], UNKNOWN)

    def named(self, numbers: Numbers) -> list[tuple[str, int]]:
        """Type and id of each node."""
        firsts = np.array(list(self.offsets.values()))
        which = np.searchsorted(firsts, numbers, side="right") - 1
        # A type without entities begins where the next one does.
        return [
            (self.types[kind], int(self.ids[self.types[kind]][int(number) - firsts[kind]]))
            for kind, number in zip(which.tolist(), numbers.tolist(), strict=True)
        ]

    def spread(self, weights: Mapping[str, float]) -> Floats | None:
        """One value a node, by its type, 1 where none is given; None if all are alike."""
        if all(weights.get(name, 1.0) == 1.0 for name in self.types):
            return None
        return np.concatenate(
            [np.full(len(ids), weights.get(name, 1.0)) for name, ids in self.ids.items()]
        )

    @cached_property
    def _tables(self) -> Mapping[str, Numbers]:
        """By type: at each id its place + 1, or 0; for types whose ids are dense."""
        tables = {}
        for name, ids in self.ids.items():
            size = int(ids[-1]) + 1 if len(ids) else 0
            if size <= max(_SMALL_TABLE, _SPARSEST * len(ids)):
                table = np.zeros(size, dtype=np.uint32)
                table[ids] = np.arange(1, len(ids) + 1, dtype=np.uint32)
                tables[name] = table
        return tables


def entities_of(ids: Mapping[str, Ids]) -> Entities:
    """Entities of ids in any order, perhaps several times, types by name.

    Raises:
        EmptyGraphError: there is none.
        SignalError: an id is below zero.
        TooManyNodesError: there are more than a graph takes.
    """
    found = {}
    for name in sorted(ids):
        own = ids[name]
        if len(own) > 1 and not (own[1:] > own[:-1]).all():
            own = np.unique(own)
        if len(own) and own[0] < 0:
            raise SignalError(f"there is a {name} with the id {own[0]}; ids begin at 0")
        found[name] = own
    entities = Entities(ids=found)
    if len(entities) == 0:
        raise EmptyGraphError("there are no entities, so that there is nothing to rank")
    if len(entities) >= MOST_NODES:
        raise TooManyNodesError(f"{len(entities):,} entities; a graph takes {MOST_NODES:,}")
    return entities
