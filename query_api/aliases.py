"""Aliases: the names under which the live index of each entity type is searched."""

from collections.abc import Iterable
from typing import Final

from elasticsearch import AsyncElasticsearch

_PRESENT_PATH: Final = "*.aliases"


def alias_of(index_prefix: str, entity: str) -> str:
    """The alias of an entity type's live index."""
    return f"{index_prefix}-{entity}"


async def missing(
    engine: AsyncElasticsearch, index_prefix: str, entities: Iterable[str]
) -> tuple[str, ...]:
    """Those of the entity types that have no live index, in the order given."""
    by_alias = {alias_of(index_prefix, entity): entity for entity in entities}
    indices = await engine.indices.get_alias(
        index=list(by_alias), ignore_unavailable=True, filter_path=_PRESENT_PATH
    )
    present = {alias for index in indices.values() for alias in index["aliases"]}
    return tuple(entity for alias, entity in by_alias.items() if alias not in present)
