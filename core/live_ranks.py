"""The live slot: which of a document's two ranks searches read.

Mappings have the field `rank`, an alias of `rank_a` or `rank_b`. Searches know no other. The engine
is the only one who knows where it leads, and the indexer leads it.
"""

from typing import Final

from elasticsearch import AsyncElasticsearch

from core.rank_editions import Slot

FIELD: Final = "rank"
_PATH: Final = f"mappings.properties.{FIELD}.path"
_SLOTS: Final = {slot.field: slot for slot in Slot}


async def slots_by_index(engine: AsyncElasticsearch, pattern: str) -> dict[str, Slot]:
    """The slot that each index of a pattern reads, if it has ranks.

    Errors of the engine's client pass through.
    """
    found = await engine.indices.get_mapping(index=pattern, filter_path=f"*.{_PATH}")
    return {
        index: _SLOTS[content["mappings"]["properties"][FIELD]["path"]]
        for index, content in found.items()
    }


async def live_slot(engine: AsyncElasticsearch, index_prefix: str) -> Slot | None:
    """The slot that searches of an installation read; None if no index has ranks.

    Errors of the engine's client pass through.
    """
    pattern = f"{index_prefix}-*"
    slots = await slots_by_index(engine, pattern)
    aliased = await engine.indices.get_alias(index=pattern, filter_path="*.aliases")
    # All are led together; one that is being built this moment may be a step behind.
    live = [index for index in slots if aliased.get(index, {}).get("aliases")]
    first = min(live or slots, default=None)
    return None if first is None else slots[first]
