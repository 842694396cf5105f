"""Privacy: whether what nobody may find can be found in a generation.

A definition says by a query of its own (`<entity>.private.sql`) what is private. It is not the
hydration SQL, so that a filter that is lost there is still noticed. Two things are asked: whether a
private entity has a document, and whether documents tell the name of one.
"""

import random
import time
from asyncio import sleep
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from elasticsearch import AsyncElasticsearch

from core.database import UNAVAILABLE_ERRORS, Pool
from core.definitions import PRIVATE_SUFFIX, Definition
from indexer.errors import IndexerError, TemporarilyUnavailableError, engine_within_reach
from indexer.generation import Generation
from indexer.services import Services

_CHUNK = 5_000  # ids that the engine is asked for at once
_NAMES = 100  # names of each entity type that documents are searched for
_SHORTEST = 6  # characters of such a name: shorter ones are anybody's
_TOLD_BY = 20  # documents that are read for a name
_PAUSE = 0.5  # seconds until the next look
_SEED = 1


class PrivateSqlError(IndexerError):
    """The database refuses the SQL of what is private: check it with `disco index check`."""

    exit_code = 1


@dataclass(kw_only=True)
class Exposure:
    """What was found that nobody may find."""

    entities: int = 0  # private entities of the type that were looked for
    exposed: list[str] = field(default_factory=list)  # ids of those that have a document
    names: int = 0  # names of private entities, of all types, that were looked for
    told: list[str] = field(default_factory=list)  # those that documents tell


async def exposure(
    services: Services, candidate: Generation, live: Generation | None, *, patience: float
) -> Exposure:
    """Look for everything private in a generation.

    What was made private a moment ago counts if it is there after `patience` seconds. A name that
    the live generation tells, too, is taken for a coincidence: public things bear it as well.
    """
    found = Exposure()
    _, pool = await services.fence.wait()
    names: list[str] = []
    for definition in services.definitions.values():
        if definition.private_sql is None:
            continue
        own = definition.entity == candidate.recipe.entity
        sample = _Sample()
        async for chunk in _private(pool, definition):
            sample.add(chunk.values())
            if own:
                found.entities += len(chunk)
                found.exposed += await _exposed(services.engine, candidate.index, [*chunk])
        names += sample.names
    if found.exposed:
        found.exposed = await _lasting(services, candidate, found.exposed, patience)
    found.names = len(names)
    found.told = await _told(services.engine, candidate, live, names)
    return found


class _Sample:
    """Names drawn from a stream of them, each as likely as any other."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._seen = 0
        self._chance = random.Random(_SEED)  # noqa: S311 - the same each time

    def add(self, names: Any) -> None:
        for name in names:
            if name is None or len(name) < _SHORTEST:
                continue
            self._seen += 1
            if len(self.names) < _NAMES:
                self.names.append(name)
            elif (place := self._chance.randrange(self._seen)) < _NAMES:
                self.names[place] = name


async def _private(pool: Pool, definition: Definition) -> AsyncIterator[Mapping[int, str | None]]:
    """Ids and names of private entities, in chunks."""
    try:
        async with pool.acquire() as connection, connection.transaction(readonly=True):
            cursor = await connection.cursor(f"SELECT id, name FROM ({definition.private_sql}) p")
            while rows := await cursor.fetch(_CHUNK):
                yield {row["id"]: row["name"] for row in rows}
    except UNAVAILABLE_ERRORS as error:
        raise TemporarilyUnavailableError("PostgreSQL", repr(error)) from error
    except asyncpg.PostgresError as error:
        raise PrivateSqlError(
            f"{definition.entity}{PRIVATE_SUFFIX}: the database refuses it: {error}; "
            f"`disco index check {definition.entity}` says where"
        ) from error


async def _exposed(engine: AsyncElasticsearch, index: str, ids: Sequence[int]) -> list[str]:
    """Those of the ids that a search finds."""
    with engine_within_reach():
        answer = await engine.search(
            index=index,
            query={"terms": {"id": list(ids)}},
            size=_CHUNK,
            source=False,
            filter_path=["hits.hits._id"],
        )
    return [hit["_id"] for hit in answer.get("hits", {}).get("hits", [])]


async def _lasting(
    services: Services, candidate: Generation, suspects: Sequence[str], patience: float
) -> list[str]:
    """Those of the ids that are still private, and can still be found, after a while."""
    definition = services.definitions[candidate.recipe.entity]
    deadline = time.monotonic() + patience
    left = list(suspects)
    while left and time.monotonic() < deadline:
        await sleep(_PAUSE)
        await services.generations.refresh(candidate)
        _, pool = await services.fence.wait()
        private = await _still_private(pool, definition, left)
        left = [
            one
            for at in range(0, len(private), _CHUNK)
            for one in await _exposed(services.engine, candidate.index, private[at : at + _CHUNK])
        ]
    return left


async def _still_private(pool: Pool, definition: Definition, ids: Sequence[str]) -> list[int]:
    rows = await pool.fetch(
        f"SELECT id FROM ({definition.private_sql}) p WHERE id = ANY($1::bigint[])",
        [int(one) for one in ids],
    )
    return [row["id"] for row in rows]


async def _told(
    engine: AsyncElasticsearch,
    candidate: Generation,
    live: Generation | None,
    names: Sequence[str],
) -> list[str]:
    """Names that documents of the generation tell and those of the live one do not."""
    told = await _tellers(engine, candidate, names)
    if live is None or not told:
        return told
    known = set(await _tellers(engine, live, told))
    return [name for name in told if name not in known]


async def _tellers(
    engine: AsyncElasticsearch, generation: Generation, names: Sequence[str]
) -> list[str]:
    """Those of the names that are the value of some field, or one of its values."""
    fields = await _phrase_fields(engine, generation.index)
    if not names or not fields:
        return []
    searches: list[Mapping[str, Any]] = []
    for name in names:
        phrase = {"query": name, "type": "phrase", "fields": fields}
        searches += [{}, {"query": {"multi_match": phrase}, "size": _TOLD_BY}]
    with engine_within_reach():
        answer = await engine.msearch(index=generation.index, searches=searches)
    return [
        name
        for name, found in zip(names, answer["responses"], strict=True)
        if any(_says(hit["_source"], name) for hit in found.get("hits", {}).get("hits", []))
    ]


async def _phrase_fields(engine: AsyncElasticsearch, index: str) -> list[str]:
    """Text fields that know where their words stand."""
    found = await engine.indices.get_mapping(index=index)
    properties = found[index]["mappings"].get("properties", {})
    return [
        name
        for name, body in properties.items()
        if body.get("type") == "text" and body.get("index_options", "positions") == "positions"
    ]


def _says(document: Mapping[str, Any], name: str) -> bool:
    wanted = name.casefold()
    for value in document.values():
        values = value if isinstance(value, list) else [value]
        if any(isinstance(one, str) and one.casefold() == wanted for one in values):
            return True
    return False
