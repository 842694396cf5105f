"""The splice: ranks enter documents, which the database made without them.

Ranks come from files, so they are put into the JSON text beside what only the indexer knows. They
are part of the digest: a document with an outdated rank is as stale as one with an outdated title,
and everything that finds and mends the one does so with the other. A rank of 0 is left out, and
leaves the digest as it is; so a catalogue without any edition has the documents it always had.
"""

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import asyncpg
import numpy as np
from numpy.typing import NDArray

from core.definitions import Recipe
from core.errors import ServiceUnavailableError
from core.rank_bucket import open_rank_store
from core.rank_editions import RankStore, RankStoreError, RankTable, Slot, Slots
from core.settings import Settings
from core.telemetry import logger
from indexer.changes import Key, Row
from indexer.errors import TemporarilyUnavailableError

Ids = NDArray[np.int64]
Marks = NDArray[np.int64]
Ranks = NDArray[np.uint8]
# Odd, so that no two pairs of ranks have one mark; spread over all bits of the digest.
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
# Seconds that a store which does not answer is left alone: each attempt keeps work waiting.
_REST: Final = 10.0
_NONE: Final = RankTable(ids=np.empty(0, np.int64), ranks=np.empty(0, np.uint8))

log = logger("splice")


@dataclass(frozen=True, kw_only=True, eq=False)
class Tables:
    """The ranks that documents are to have."""

    slots: Slots = field(default_factory=Slots)
    by_slot: Mapping[Slot, Mapping[str, RankTable]] = field(default_factory=dict)

    def of(self, entity: str, slot: Slot) -> RankTable:
        """The ranks of one type in one slot."""
        return self.by_slot.get(slot, {}).get(entity, _NONE)


class RankView:
    """What the store says that documents are to have. It is looked at for every batch."""

    def __init__(self, store: RankStore) -> None:
        self.store = store
        self._tables: Tables | None = None
        self._seen: Hashable = None
        self._rest_until = 0.0

    def tables(self) -> Tables:
        """The tables, read anew if the slots were recorded anew.

        What cannot be read is refused, and the former tables stay. Without any, raises
        `TemporarilyUnavailableError`: documents without their ranks would be wrong.
        """
        try:
            return self._current()
        except (RankStoreError, ServiceUnavailableError) as error:
            if self._tables is None:
                raise TemporarilyUnavailableError("the rank store", str(error)) from error
            if isinstance(error, ServiceUnavailableError):
                self._rest_until = time.monotonic() + _REST
            log.error("ranks_refused", reason=str(error))  # noqa: TRY400 - the reason says all
            return self._tables

    def ranks(self, recipe: Recipe, ids: Ids) -> tuple[Ranks, Ranks]:
        """The ranks of these ids in both slots; 0 where documents have no fields for them."""
        if not recipe.ranked:
            nothing = np.zeros(len(ids), dtype=np.uint8)
            return nothing, nothing
        tables = self.tables()
        a, b = (tables.of(recipe.entity, slot).of(ids) for slot in Slot)
        return a, b

    def marked(self, recipe: Recipe, digests: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pairs (id, digest) of what the database holds, as documents with ranks have them."""
        marks = marks_of(*self.ranks(recipe, digests[:, 0]))
        return np.stack((digests[:, 0], digests[:, 1] ^ marks), axis=1)

    def window(
        self, recipe: Recipe, start: int, end: int
    ) -> tuple[list[int], list[str], list[int]]:
        """Ids from `start` up to, but without, `end` that have a rank, their text and mark.

        For who has the database put documents together: the text goes behind the digest, which is
        to be XORed with the mark.
        """
        if not recipe.ranked:
            return [], [], []
        tables = self.tables()
        parts = []
        for slot in Slot:
            table = tables.of(recipe.entity, slot)
            low, high = np.searchsorted(table.ids, (start, end))
            parts.append(table.ids[low:high][table.ranks[low:high] > 0])
        ids = np.union1d(*parts)
        a, b = (tables.of(recipe.entity, slot).of(ids) for slot in Slot)
        texts = [_TEXTS(pair) for pair in zip(a.tolist(), b.tolist(), strict=True)]
        return ids.tolist(), texts, marks_of(a, b).tolist()

    def _current(self) -> Tables:
        if self._tables is not None and time.monotonic() < self._rest_until:
            return self._tables
        mark = self.store.slots_mark()
        if self._tables is None or mark != self._seen:
            try:
                self._tables = self._read()
            except RankStoreError:
                self._seen = mark  # what is damaged stays so until another is recorded
                raise
            self._seen = mark
        return self._tables

    def _read(self) -> Tables:
        slots = self.store.slots()
        read: dict[Slot, dict[str, RankTable]] = {}
        for slot in Slot:
            if (name := slots.edition(slot)) is not None:
                edition = self.store.open(name)
                read[slot] = {kind: edition.table(kind) for kind in edition.types}
        return Tables(slots=slots, by_slot=read)


def open_view(settings: Settings) -> RankView:
    """The ranks of an installation."""
    return RankView(open_rank_store(settings))


def marks_of(a: Ranks, b: Ranks) -> Marks:
    """What pairs of ranks add to digests, by XOR; 0 for a pair of zeros."""
    pairs = a.astype(np.uint64) | (b.astype(np.uint64) << np.uint64(8))
    marks: Marks = (pairs * _SPREAD).view(np.int64)
    return marks


def rows_of(
    recipe: Recipe, records: Sequence[asyncpg.Record], view: RankView
) -> list[tuple[Key, Row]]:
    """The rows that records of (id, version, document, digest) stand for."""
    ids = np.fromiter((record[0] for record in records), np.int64, len(records))
    a, b = view.ranks(recipe, ids)
    spliced = zip(records, marks_of(a, b).tolist(), a.tolist(), b.tolist(), strict=True)
    rows = []
    for (one, version, document, digest), mark, rank_a, rank_b in spliced:
        marked = digest ^ mark
        text = _TEXTS((rank_a, rank_b)) if mark else ""
        content = complete(recipe.entity, document, marked, text)
        rows.append(((recipe.entity, one), Row(version, content, marked)))
    return rows


def complete(entity: str, document: str, digest: int, ranks: str = "") -> bytes:
    """The document as it is indexed: with its type, digest and ranks."""
    return f'{{"type":"{entity}","digest":{digest}{ranks},{document[1:]}'.encode()


def _text(pair: tuple[int, int]) -> str:
    """The members of a document's JSON for a pair of ranks."""
    named = zip((slot.field for slot in Slot), pair, strict=True)
    return "".join(f',"{name}":{rank}' for name, rank in named if rank)


class _Texts(dict[tuple[int, int], str]):
    """Texts by pair of ranks; there are 65,536 at most."""

    def __missing__(self, pair: tuple[int, int]) -> str:
        self[pair] = made = _text(pair)
        return made


_TEXTS: Final = _Texts().__getitem__
