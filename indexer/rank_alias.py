"""The live slot: which of a document's two ranks queries read.

Mappings have the field `rank`, an alias of `rank_a` or `rank_b`. Queries know no other. The engine
is the only one who knows where it leads; leading it elsewhere is one change of the cluster's state,
for all indices at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from elasticsearch import AsyncElasticsearch

from core.rank_editions import Slot
from indexer.errors import engine_within_reach

FIELD: Final = "rank"
_SLOTS: Final = {slot.field: slot for slot in Slot}


async def live_slots(engine: AsyncElasticsearch, pattern: str) -> dict[str, Slot]:
    """The live slot of each index of a pattern that has ranks."""
    with engine_within_reach():
        found = await engine.indices.get_mapping(
            index=pattern, filter_path=f"*.mappings.properties.{FIELD}.path"
        )
    return {
        index: _SLOTS[content["mappings"]["properties"][FIELD]["path"]]
        for index, content in found.items()
    }


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
