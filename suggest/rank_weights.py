"""Ranks in weights: what is loved is suggested before what is merely as popular.

A rank is the logarithm of a score, and weights are compared as logarithms, too. So a source says
what a doubling of the score counts, measured in doublings of the popularity: with `"rank": 0.5` an
entity with four times the score of another goes before it, unless that is twice as popular.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from elastic_transport import TransportError
from elasticsearch import ApiError

from core.engine import engine_client
from core.errors import ServiceUnavailableError
from core.live_ranks import live_slot
from core.rank_bucket import open_rank_store
from core.rank_editions import HIGHEST_RANK, RANKS_PER_DOUBLING, Edition, RankStore, RankTable
from core.settings import Settings, shown
from suggest.errors import SuggestError

#: In place of an edition's name: weights without ranks.
NONE: Final = "none"


class UnrankedIdError(SuggestError):
    """Ranks belong to whole numbers, and a source has other ids: give it `"rank": 0`."""

    exit_code = 2


class RankWeights:
    """What an edition makes of weights."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition.name
        # Every file is checked now, before hours of reading.
        self._tables = {kind: edition.table(kind) for kind in edition.types}

    def factors(self, kind: str, ids: Sequence[str], strength: float) -> Sequence[float]:
        """What the weight of each entity is multiplied by: 1 or more, 1 for the rank 0.

        Raises `UnrankedIdError`.
        """
        table = self._tables.get(kind)
        if not strength or table is None:
            return [1.0] * len(ids)
        by_rank = [
            2.0 ** (strength * rank / RANKS_PER_DOUBLING) for rank in range(HIGHEST_RANK + 1)
        ]
        return [by_rank[rank] for rank in _ranks(table, ids)]


async def choose(settings: Settings, name: str | None) -> RankWeights | None:
    """The weights by an edition: the named one, else the live one; None if there is none.

    The engine is asked which one is live, if any was published.

    Raises:
        RankStoreError: The edition is missing or damaged, or the record of the slots is.
        ServiceUnavailableError: The engine does not answer.
    """
    if name == NONE:
        return None
    store = open_rank_store(settings)
    chosen = name or await _live(settings, store)
    return None if chosen is None else RankWeights(store.open(chosen))


async def _live(settings: Settings, store: RankStore) -> str | None:
    slots = store.slots()
    if slots.a is None and slots.b is None:
        return None
    try:
        async with engine_client(settings) as engine:
            slot = await live_slot(engine, settings.index_prefix)
    except (ApiError, TransportError, ServiceUnavailableError) as error:
        raise ServiceUnavailableError(
            f"Elasticsearch at {shown(settings.engine_url)} does not say which rank edition is "
            f"live ({error}); start it, or name an edition with --ranks (`--ranks {NONE}`: without)"
        ) from error
    return None if slot is None else slots.edition(slot)


def _ranks(table: RankTable, ids: Sequence[str]) -> list[int]:
    try:
        numbers = np.array([int(one) for one in ids], dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise UnrankedIdError(f"ids that are ranked are whole numbers ({error})") from None
    ranks: list[int] = table.of(numbers).tolist()
    return ranks
