"""Leading searches to a slot: the field `rank` of mappings, an alias, gets another path.

That is one change of the cluster's state, for all indices at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from elasticsearch import AsyncElasticsearch

from core.live_ranks import FIELD, slots_by_index
from core.rank_editions import Slot
from indexer.errors import engine_within_reach


async def live_slots(engine: AsyncElasticsearch, pattern: str) -> dict[str, Slot]:
    """The live slot of each index of a pattern that has ranks."""
    with engine_within_reach():
        return await slots_by_index(engine, pattern)


async def lead(engine: AsyncElasticsearch, indices: Sequence[str], slot: Slot) -> None:
    """Have queries read a slot, in all of these indices at the same moment."""
    with engine_within_reach():
        await engine.indices.put_mapping(index=list(indices), properties=_alias(slot))


def led(mappings: Mapping[str, Any], slot: Slot) -> dict[str, Any]:
    """The mappings of a new index, led to a slot if they have ranks."""
    properties = mappings.get("properties", {})
    if FIELD not in properties:
        return dict(mappings)
    return {**mappings, "properties": {**properties, **_alias(slot)}}


def _alias(slot: Slot) -> dict[str, Any]:
    return {FIELD: {"type": "alias", "path": slot.field}}
