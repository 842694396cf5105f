"""Activity from Parquet files: `<signal>.parquet` a signal, and `entities.parquet`.

Files of signals have the columns of the queries; one that is missing is a signal that found
nothing. The file of entities has the columns type and id; without it all that the signals name is
ranked.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from ranker.entities import Ids
from ranker.errors import SignalError
from ranker.signals import COLUMNS, Policy, Signal
from ranker.sources import Acts, checked

ENTITIES: Final = "entities.parquet"
_ROWS_A_BATCH: Final = 1 << 20


class ParquetSource:
    """A folder of files."""

    def __init__(self, folder: Path, types: Sequence[str], policy: Policy) -> None:
        """Raises `SignalError` if no signal has a file there."""
        self.name = f"files in {folder}"
        self._folder = folder
        self._types = types
        if not any(self._path(signal).is_file() for signal in policy.signals):
            names = ", ".join(f"{signal.name}.parquet" for signal in policy.signals)
            raise SignalError(f"{folder} has no file of a signal; give some of {names}")

    def moment(self) -> int:
        """Now: files do not say of when they are."""
        return time.time_ns() // 1_000

    def entities(self) -> Mapping[str, Ids] | None:
        """What `entities.parquet` lists."""
        path = self._folder / ENTITIES
        if not path.is_file():
            return None
        found: dict[str, list[Ids]] = {name: [np.empty(0, np.int64)] for name in self._types}
        for batch in _batches(path, ("type", "id")):
            for name in pc.unique(batch.column("type")).to_pylist():
                if name not in found:
                    raise SignalError(
                        f"{path}: {name!r} is no entity type; there are {', '.join(self._types)}"
                    )
                own = batch.filter(pc.equal(batch.column("type"), name)).column("id")
                found[name].append(pc.cast(own, pa.int64()).to_numpy(zero_copy_only=False))
        return {name: np.unique(np.concatenate(parts)) for name, parts in found.items()}

    def acts(self, signal: Signal) -> Iterator[Acts]:
        """What the signal's file holds."""
        path = self._path(signal)
        if not path.is_file():
            return
        done = 0
        for batch in _batches(path, COLUMNS):
            yield from checked(batch, signal, self._types, done)
            done += len(batch)

    def _path(self, signal: Signal) -> Path:
        return self._folder / f"{signal.name}.parquet"


def _batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    try:
        file = parquet.ParquetFile(path)
        if missing := set(columns) - set(file.schema_arrow.names):
            raise SignalError(f"{path} has no column {', '.join(sorted(missing))}; add it")
        yield from file.iter_batches(_ROWS_A_BATCH, columns=list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise SignalError(f"{path} is no readable Parquet file ({error})") from error
