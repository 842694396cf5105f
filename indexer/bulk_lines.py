"""Bulk lines: rows on their way from COPY to bulk bodies without a step in Python for each.

The database makes the two lines of a document's bulk action. What arrives is cut into bodies, and
the delimiter between the two becomes a line feed. It is a control character, which JSON escapes; so
is the quote, and the CSV form quotes only what has its delimiter or its quote in it: nothing here.
"""

from collections.abc import Iterator
from typing import NamedTuple

from core.definitions import Recipe
from indexer.hydrator import documents_by_range

# Between the two lines of an action; CSV takes no line feed.
DELIMITER = "\x02"
QUOTE = "\x01"
_DELIMITER = DELIMITER.encode()

# A row without a time becomes an action that the engine refuses, not a NULL that hides the row.
_LINES = """
SELECT '{{"index":{{"_id":"' || id || '","version":' || coalesce(version, -1)
           || ',"version_type":"external"}}}}',
       '{{"type":"{entity}","digest":' || digest || ',' || right(document, -1)
FROM ({documents}) l
"""
# Ranks are known to the indexer alone, who gives those of the range along.
_RANKED_LINES = """
SELECT '{{"index":{{"_id":"' || id || '","version":' || coalesce(version, -1)
           || ',"version_type":"external"}}}}',
       '{{"type":"{entity}","digest":' || (digest # coalesce(mark, 0)) || coalesce(ranks, '')
           || ',' || right(document, -1)
FROM ({documents}) l
LEFT JOIN unnest($3::bigint[], $4::text[], $5::bigint[]) AS r (id, ranks, mark) USING (id)
"""


class Body(NamedTuple):
    """The body of one bulk request, for an index that the request names."""

    content: bytes
    documents: int  # how many


def bulk_lines(recipe: Recipe) -> str:
    """SQL of the two lines of each document with ids from `$1` up to, but without, `$2`."""
    return _LINES.format(entity=recipe.entity, documents=documents_by_range(recipe))


def ranked_bulk_lines(recipe: Recipe) -> str:
    """The same with ranks: `$3`, `$4` and `$5` are what `RankView.window` gives."""
    return _RANKED_LINES.format(entity=recipe.entity, documents=documents_by_range(recipe))


class Cutter:
    """Cuts a stream of COPY into bodies.

    Pieces are small enough to be in the processor's cache; only the body as a whole is large.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._documents = 0
        self._broken = b""  # the beginning of a line whose end has not arrived

    def add(self, data: bytes, size: int) -> Iterator[Body]:
        """Take what arrived; a body of about `size` bytes or more as soon as there is one."""
        if self._broken or not data.endswith(b"\n"):  # as a rule whole lines arrive
            data = self._broken + data
            end = data.rfind(b"\n") + 1
            data, self._broken = data[:end], data[end:]
        self._documents += data.count(_DELIMITER)
        self._pieces.append(data.replace(_DELIMITER, b"\n"))
        self._size += len(data)
        if self._size >= size:
            yield from self.rest()

    def rest(self) -> Iterator[Body]:
        """The last body, if there is anything left."""
        if self._documents:
            yield Body(b"".join(self._pieces), self._documents)
        self._pieces, self._size, self._documents = [], 0, 0
