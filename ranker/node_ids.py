"""Ids as they come, and the numbers that nodes have in a graph.

Numbers are given in the order in which ids are met, by dictionary encoding: a hash table a batch,
whose dictionaries are unified at the end.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ranker.errors import TooManyNodesError
from ranker.graph import Floats, Numbers


class IdEncoder:
    """Takes columns of ids, and numbers each id that is new.

    Until the end it holds 4 bytes for each id that it was given, and each batch's different ids.
    """

    def __init__(self) -> None:
        self._chunks: list[pa.DictionaryArray] = []

    def add(self, *columns: pa.Array) -> None:
        """Take columns of integers, or of strings that mean the same, without nulls."""
        self._chunks += pa.chunked_array(list(columns)).dictionary_encode().chunks

    def finish(self) -> tuple[list[Numbers], "NodeIds"]:
        """The numbers of each column that was given, in that order, and the ids by number.

        Raises:
            TooManyNodesError: there are more ids than can be numbered.
        """
        if not self._chunks:
            return [], NodeIds(pa.array([], pa.string()))
        chunks, self._chunks = self._chunks, []
        if len({chunk.type for chunk in chunks}) > 1:
            chunks = [_of_strings(chunk) for chunk in chunks]
        try:
            unified = pa.chunked_array(chunks).unify_dictionaries()
        except pa.ArrowInvalid as error:
            raise TooManyNodesError(f"there are too many different ids: {error}") from error
        ids = unified.chunk(0).dictionary
        return [_numbers(chunk) for chunk in unified.chunks], NodeIds(pc.cast(ids, pa.string()))


def _of_strings(chunk: pa.DictionaryArray) -> pa.DictionaryArray:
    texts = pc.cast(chunk.dictionary, pa.string())
    return pa.DictionaryArray.from_arrays(chunk.indices, texts)


def _numbers(chunk: pa.DictionaryArray) -> Numbers:
    numbers: Numbers = chunk.indices.to_numpy(zero_copy_only=True).view(np.uint32)
    return numbers


class NodeIds:
    """The ids of a graph's nodes, by number."""

    def __init__(self, ids: pa.Array) -> None:
        """`ids` are different strings."""
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    def numbers(self, ids: pa.Array) -> NDArray[np.int64]:
        """The numbers of these ids; -1 for those that no node has."""
        found = pc.index_in(ids, value_set=self._ids)
        numbers: NDArray[np.int64] = found.fill_null(-1).to_numpy().astype(np.int64)
        return numbers

    def values(self, ids: pa.Array, values: Floats) -> Floats:
        """One value a node: that of its id, NaN if it has none; other ids are passed over."""
        numbers = self.numbers(ids)
        known = numbers >= 0
        found = np.full(len(self), np.nan)
        found[numbers[known]] = values[known]
        return found

    def ranked(self, scores: Floats) -> Iterator[tuple[list[str], list[float]]]:
        """Ids and scores by falling score, ties by id (as text), some thousand at a time."""
        table = pa.table({"id": self._ids, "score": scores})
        by = pc.sort_indices(table, [("score", "descending"), ("id", "ascending")])
        for begin in range(0, len(by), _LINES):
            part = table.take(by.slice(begin, _LINES))
            yield part.column("id").to_pylist(), part.column("score").to_pylist()

    def unprintable(self) -> Any:
        """An id that cannot stand in a line of text; None if all can."""
        found = pc.filter(self._ids, pc.match_substring_regex(self._ids, "[\t\r\n]"))
        return found[0].as_py() if len(found) else None


_LINES = 50_000
