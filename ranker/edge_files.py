"""Reading a file of edges into a graph: text or Parquet, ids of any kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

from ranker import inputs, text_tables
from ranker.edges import narrowed
from ranker.errors import EdgeError, EdgeFileError
from ranker.graph import Graph, Weights
from ranker.graph_builder import GraphBuilder
from ranker.node_ids import IdEncoder, NodeIds

LAYOUT = text_tables.Layout(
    ids=("source", "target"),
    number="weight",
    number_optional=True,
    headers=frozenset(
        {("source", "target"), ("src", "dst"), ("from", "to"), ("source_id", "target_id")}
    ),
)
_PARQUET_MAGIC = b"PAR1"
_ROWS_A_BATCH = 1 << 20


@dataclass(frozen=True, kw_only=True, eq=False)
class EdgeFile:
    """What a file of edges holds."""

    graph: Graph
    ids: NodeIds  # by number of node
    rows: int  # edges as they stood in the file


def read(path: str) -> EdgeFile:
    """The graph of a file, or of standard input (`-`).

    Nodes are all ids that the file has, those of edges without weight too.

    Raises:
        EdgeFileError: the file cannot be read, has no edges, or a line (or row) is malformed.
    """
    encoder, weights = IdEncoder(), []
    with inputs.opened(path, EdgeFileError) as file:
        for sources, targets, some in _rows(file, inputs.name_of(path)):
            encoder.add(sources, targets)
            weights.append(np.ones(len(sources), np.float32) if some is None else narrowed(some))
    if not weights:
        raise EdgeFileError(
            inputs.name_of(path),
            "holds no edges, so that there is nothing to rank; a line is source, target, weight",
        )
    numbers, ids = encoder.finish()
    rows = sum(map(len, weights))
    try:
        return EdgeFile(graph=_graph(numbers, weights, len(ids)), ids=ids, rows=rows)
    except EdgeError as error:
        raise EdgeFileError(inputs.name_of(path), str(error)) from error


def _graph(numbers: list[NDArray[np.uint32]], weights: list[Weights], nodes: int) -> Graph:
    """Takes the arrays out of the lists, so that none is kept longer than it is needed."""
    builder = GraphBuilder()
    numbers.reverse()
    weights.reverse()
    while weights:
        builder.add(numbers.pop(), numbers.pop(), weights.pop())
    return builder.build(nodes)


def _rows(
    file: IO[bytes], name: str
) -> Iterator[tuple[pa.Array, pa.Array, NDArray[np.float64] | None]]:
    """Sources, targets and weights, batch by batch; none of them is empty."""
    magic = file.read(len(_PARQUET_MAGIC))
    file.seek(0)
    if magic == _PARQUET_MAGIC:
        yield from _parquet_rows(file, name)
        return
    for rows in text_tables.read(file, name, LAYOUT):
        if len(rows.ids[0]):
            yield *rows.ids, rows.numbers


def _parquet_rows(
    file: IO[bytes], name: str
) -> Iterator[tuple[pa.Array, pa.Array, NDArray[np.float64] | None]]:
    try:
        table = parquet.ParquetFile(file)
        columns = _columns(table.schema_arrow, name)
        done = 0
        for batch in table.iter_batches(_ROWS_A_BATCH, columns=list(columns)):
            if len(batch):
                yield _checked_batch(batch, columns, name, done)
                done += len(batch)
    except pa.ArrowInvalid as error:
        raise EdgeFileError(name, f"is no readable Parquet file ({error})") from error


def _columns(schema: pa.Schema, name: str) -> tuple[str, ...]:
    """The names of the columns for source, target and, if there is one, weight."""
    names = schema.names
    if {"source", "target"} <= set(names):
        columns: tuple[str, ...] = ("source", "target")
        columns += ("weight",) if "weight" in names else ()
    elif len(names) in {2, 3}:
        columns = tuple(names)
    else:
        raise EdgeFileError(
            name, f"its columns are {', '.join(names)}; name them source, target and weight"
        )
    for column in columns[:2]:
        _check_id_type(schema.field(column).type, column, name)
    return columns


def _check_id_type(of: pa.DataType, column: str, name: str) -> None:
    of = of.value_type if pa.types.is_dictionary(of) else of
    fits = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string)
    if not any(fit(of) for fit in fits):
        raise EdgeFileError(name, f"column {column} is {of}; ids are strings or integers")


def _checked_batch(
    batch: pa.RecordBatch, columns: tuple[str, ...], name: str, done: int
) -> tuple[pa.Array, pa.Array, NDArray[np.float64] | None]:
    ids = [batch.column(column) for column in columns[:2]]
    if ids[0].type != ids[1].type or not pa.types.is_integer(ids[0].type):
        ids = [text_tables.as_text(values) for values in ids]
    for column, values in zip(columns, ids, strict=False):
        texts = values.type == pa.string()
        empty = pc.equal(pc.binary_length(values), 0) if texts else pc.is_null(values)
        _check_rows(empty, name, done, f"the {column} is empty")
    if len(columns) == 2:
        return ids[0], ids[1], None
    weights = _as_floats(batch.column(columns[2]), columns[2], name)
    wrong = pa.array(~((weights >= 0.0) & (weights < np.inf)))
    _check_rows(wrong, name, done, "the weight is below zero or no finite number")
    return ids[0], ids[1], weights


def _as_floats(column: Any, name: str, file: str) -> NDArray[np.float64]:
    try:
        floats = pc.cast(column, pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise EdgeFileError(file, f"column {name} is {column.type}; give numbers") from error
    values: NDArray[np.float64] = floats.fill_null(np.nan).to_numpy(zero_copy_only=False)
    return values


def _check_rows(wrong: pa.Array, name: str, done: int, problem: str) -> None:
    """Nulls are wrong, too."""
    wrong = wrong.fill_null(fill_value=True)
    if pc.any(wrong).as_py():
        row = done + pc.index(wrong, value=True).as_py() + 1
        raise EdgeFileError(name, f"row {row:,}: {problem}; mend or remove it")
