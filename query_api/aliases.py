"""Aliases: the names that lead to the live index of each entity type."""

from collections.abc import Iterable
from typing import Final

from elasticsearch import AsyncElasticsearch

_PRESENT_PATH: Final = "*.aliases"


def alias_of(index_prefix: str, entity: str) -> str:
    """The alias of an entity type's live index."""
    return f"{index_prefix}-{entity}"


async def indices_behind(
    engine: AsyncElasticsearch, index_prefix: str, entities: Iterable[str]
) -> dict[str, str]:
    """The live index of each entity type, in the order given; a type without one is left out.

    All are as they were at one moment: the engine exchanges aliases in one step.
    """
    by_alias = {alias_of(index_prefix, entity): entity for entity in entities}
    found = await engine.indices.get_alias(
        index=list(by_alias), ignore_unavailable=True, filter_path=_PRESENT_PATH
    )
    behind = {alias: index for index in sorted(found) for alias in found[index]["aliases"]}
    return {entity: behind[alias] for alias, entity in by_alias.items() if alias in behind}


async def missing(
    engine: AsyncElasticsearch, index_prefix: str, entities: Iterable[str]
) -> tuple[str, ...]:
    """Those of the entity types that have no live index, in the order given."""
    wanted = tuple(entities)
    present = await indices_behind(engine, index_prefix, wanted)
    return tuple(entity for entity in wanted if entity not in present)
