"""Copying: a generation with the documents of another, whose queries are read in another way.

The engine links the files of an index into a new one in a moment, whatever its size, and takes
another analysis for it. While it does, the original takes no writes (`holds.py`).
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from elasticsearch import AsyncElasticsearch

from core.definitions import Definition
from indexer.errors import engine_within_reach
from indexer.generation import Generation, changeable_settings, new_generation, new_meta
from indexer.holds import held
from indexer.services import Services

_ANALYSIS = "index.analysis"


async def copy(services: Services, original: Generation, definition: Definition) -> Generation:
    """A generation with the documents of `original`, whose definition holds the same.

    It takes live writes from a lease later on, and lacks what was written in between. Raises
    `TemporarilyUnavailableError` when it takes too long, and what the engine's client raises for a
    definition that it refuses. Nothing is left behind then.
    """
    engine, generations = services.engine, services.generations
    name = generations.new_name(definition)
    index = name.build()
    with engine_within_reach():
        # Its metadata are copied, too: they must say whose they are.
        await generations.note(original, index=original.index)
        settings = {
            **await _analysis_in_place_of(engine, original, definition),
            **flat(changeable_settings(services.settings), "index"),
            "index.blocks.write": None,
        }
        # What is written out before need not be while writes wait.
        await engine.indices.flush(index=original.index)
        try:
            async with held(generations, original):
                await engine.indices.clone(index=original.index, target=index, settings=settings)
            await engine.indices.put_mapping(
                index=index,
                properties=_fields(definition.mappings["properties"]),
                meta=new_meta(definition, index),
            )
            await generations.lead(index)
        except BaseException:
            # Best effort: what is left is unfinished, and goes when another one is promoted.
            with contextlib.suppress(Exception):
                await generations.remove(index)
            raise
    return new_generation(name, definition)


async def _analysis_in_place_of(
    engine: AsyncElasticsearch, original: Generation, definition: Definition
) -> dict[str, Any]:
    """Settings that give a copy of the original the definition's analysis.

    Parts that the definition has no more stay, and are of no use to anybody: the engine can unset
    what is in a part, but not the part.
    """
    found = await engine.indices.get_settings(
        index=original.index, name=f"{_ANALYSIS}.*", flat_settings=True
    )
    parts = tuple(
        f"{_ANALYSIS}.{section}.{name}."
        for section, named in definition.analysis.items()
        for name in named
    )
    former = found[original.index]["settings"] if found else {}
    unset = dict.fromkeys(name for name in former if name.startswith(parts))
    return unset | flat(definition.analysis, _ANALYSIS)


def flat(settings: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Nested settings by their full names."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        full = f"{prefix}.{name}"
        found |= flat(value, full) if isinstance(value, Mapping) else {full: value}
    return found


def _fields(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, but for the alias that says which rank is live: that stays as it is."""
    return {name: field for name, field in properties.items() if field.get("type") != "alias"}
