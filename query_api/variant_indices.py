"""The indices that a variant is answered by, at this moment."""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from elasticsearch import AsyncElasticsearch

from core.settings import Settings
from indexer import operations
from indexer.operations import Generation
from query_api.live_indices import LiveIndices
from query_api.problems import Code, QueryError
from query_api.variants import Variant

_LEASE: Final = 1.0  # seconds that knowledge of all generations is used for
_STATES: Final = frozenset({"ready", "standby"})


class VariantIndices:
    """Finds the indices of variants."""

    def __init__(self, engine: AsyncElasticsearch, settings: Settings, live: LiveIndices) -> None:
        self._engine = engine
        self._settings = settings
        self._live = live
        self._known: Sequence[Generation] = ()
        self._read_at = float("-inf")  # monotonic seconds

    async def of(self, variant: Variant, *, fresh: bool = False) -> Mapping[str, str]:
        """The index of each entity type; a type without one is not in it.

        Raises `QueryError` when there is no such index as the variant names. `fresh`: asked of the
        engine after the call, rather than known from a moment ago.
        """
        live = await (self._live.fresh() if fresh else self._live.current())
        if not variant.generations:
            return live
        known = await self._generations(fresh=fresh)
        chosen = {
            entity: _choose(variant, entity, wanted, known)
            for entity, wanted in variant.generations.items()
        }
        return {**live, **chosen}

    async def _generations(self, *, fresh: bool) -> Sequence[Generation]:
        now = time.monotonic()
        if fresh or now - self._read_at >= _LEASE:
            self._known = await operations.known_generations(self._engine, self._settings)
            self._read_at = now
        return self._known


def _choose(variant: Variant, entity: str, wanted: str, known: Sequence[Generation]) -> str:
    """The newest index of that state, or the one of that name."""
    fitting = [
        one
        for one in known
        if one.name.entity == entity and wanted == (one.state if wanted in _STATES else one.index)
    ]
    if not fitting:
        what = f"{wanted} index" if wanted in _STATES else f"index {wanted}"
        raise QueryError(
            Code.VARIANT_UNAVAILABLE,
            f"The variant '{variant.name}' is made for the {what} of {entity}, and there is none "
            "(any more). `disco index list` shows those there are.",
            parameter="variant",
        )
    return max(fitting, key=lambda one: (one.promoted_at or 0, one.name.created_at)).index
