"""Where activity comes from: what a source gives, whichever it is, and the checks on it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ranker.entities import Ids
from ranker.errors import SignalError
from ranker.signals import COLUMNS, Signal

_MICROSECONDS: Final = pa.timestamp("us", tz="UTC")
# No time at all fades as what happened just now.
_NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, kw_only=True, eq=False)
class Acts:
    """Some activities of one signal, from a type of entity to a type of entity."""

    source_type: str
    sources: Ids
    target_type: str
    targets: Ids
    counts: NDArray[np.float64]  # finite, not below zero
    last: NDArray[np.int64]  # microseconds since 1970

    def __len__(self) -> int:
        return len(self.sources)


class Source(Protocol):
    """A moment of a catalogue."""

    name: str  # for the manifest

    def moment(self) -> int:
        """When that is, microseconds since 1970."""
        ...

    def entities(self) -> Mapping[str, Ids] | None:
        """The ids of all that can be found, by type; None: whatever the acts name."""
        ...

    def acts(self, signal: Signal) -> Iterator[Acts]:
        """What a signal finds, batch by batch; raises `SignalError`."""
        ...


def checked(
    batch: pa.RecordBatch, signal: Signal, types: Iterable[str], done: int
) -> Iterator[Acts]:
    """The acts of a batch with the columns of a signal, divided by their types.

    `done` is how many rows came before, for messages. Types are strings, or dictionaries of them.

    Raises:
        SignalError: a column is missing or of a wrong type, a value is null or impossible, or a
            type is none of `types`.
    """
    columns = {name: _column(batch, name, signal) for name in COLUMNS}
    ids = [_ids(columns[name], name, signal) for name in ("source_id", "target_id")]
    counts = _counts(columns["count"], signal, done)
    last = _last(columns["last_at"], signal)
    known = list(types)
    sources = _type_codes(columns["source_type"], "source_type", known, signal)
    targets = _type_codes(columns["target_type"], "target_type", known, signal)
    pairs = sources * len(known) + targets
    for pair in np.unique(pairs):
        rows: Any = slice(None) if (pairs == pair).all() else pairs == pair
        yield Acts(
            source_type=known[pair // len(known)],
            sources=ids[0][rows],
            target_type=known[pair % len(known)],
            targets=ids[1][rows],
            counts=counts[rows],
            last=last[rows],
        )


def _column(batch: pa.RecordBatch, name: str, signal: Signal) -> pa.Array:
    if name not in batch.schema.names:
        there = ", ".join(batch.schema.names)
        raise SignalError(f"signal {signal.name} has no column {name}, only {there}; add it")
    return batch.column(name)


def _ids(values: pa.Array, name: str, signal: Signal) -> Ids:
    if not pa.types.is_integer(values.type):
        raise SignalError(f"signal {signal.name}: {name} is {values.type}; ids are integers")
    if values.null_count:
        raise SignalError(f"signal {signal.name}: {name} is null somewhere; leave such rows out")
    try:
        found: Ids = pc.cast(values, pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid as error:
        raise SignalError(f"signal {signal.name}: {name} does not fit 64 bits: {error}") from error
    return found


def _counts(values: pa.Array, signal: Signal, done: int) -> NDArray[np.float64]:
    try:
        counts: NDArray[np.float64] = (
            pc.cast(values, pa.float64(), safe=False).fill_null(np.nan).to_numpy()
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SignalError(f"signal {signal.name}: count is {values.type}; give numbers") from error
    # A NaN becomes the minimum.
    if len(counts) and not (counts.min() >= 0 and counts.max() < np.inf):
        row = int(np.flatnonzero(~((counts >= 0) & (counts < np.inf)))[0])
        raise SignalError(
            f"signal {signal.name}, row {done + row + 1:,}: the count is {counts[row]}; "
            "give a finite number that is not below zero"
        )
    return counts


def _last(values: pa.Array, signal: Signal) -> NDArray[np.int64]:
    if pa.types.is_null(values.type):
        return np.full(len(values), _NEVER)
    if not pa.types.is_timestamp(values.type):
        raise SignalError(f"signal {signal.name}: last_at is {values.type}; give a timestamp")
    moments = pc.cast(values, _MICROSECONDS, safe=False).view(pa.int64()).fill_null(_NEVER)
    found: NDArray[np.int64] = moments.to_numpy(zero_copy_only=False)
    return found


def _type_codes(values: pa.Array, name: str, known: list[str], signal: Signal) -> NDArray[np.int64]:
    """The place of each type among those that are known."""
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    if encoded.null_count or None in names:
        raise SignalError(f"signal {signal.name}: {name} is null somewhere; name an entity type")
    if unknown := [one for one in names if one not in known]:
        raise SignalError(
            f"signal {signal.name}: {name} {unknown[0]!r} is no entity type; "
            f"there are {', '.join(known)}"
        )
    codes = np.array([known.index(one) for one in names], dtype=np.int64)
    found: NDArray[np.int64] = codes[encoded.indices.to_numpy(zero_copy_only=False)]
    return found
