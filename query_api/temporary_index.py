"""Temporary indices: documents that are searched as entities are, for as long as it takes.

The planner, the profile's grammar and the engine's search are those of every query. The index is
deleted whatever happens to whoever uses it.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from core.definitions import Definition
from core.engine import engine_client, is_unavailable
from core.errors import DiscoError, ServiceUnavailableError
from core.settings import Settings, shown
from query_api import engine_defaults, engine_search, planner, profiles, unhurried
from query_api.parameters import SearchRequest, shortened
from query_api.planner import Plan
from query_api.problems import QueryError
from query_api.wording import clean

_DOCUMENTS_A_BULK: Final = 500

Planned = Callable[[str], Plan]  # from a text to a search


class TemporaryIndexError(DiscoError):
    """The engine refuses the index, a document or a search; the message has its reason."""


class TemporaryIndex:
    """An index of one entity type, filled and searched by one user."""

    def __init__(
        self, engine: AsyncElasticsearch, settings: Settings, definition: Definition, index: str
    ) -> None:
        self._engine = engine
        self._deadline = unhurried.deadline_of(settings)
        self._entity = definition.entity
        self._profiles = profiles.read({definition.entity: definition})
        self._index = index

    async def fill(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Index documents, by their `id`; they can be found at once."""
        for at in range(0, len(documents), _DOCUMENTS_A_BULK):
            lines: list[Mapping[str, Any]] = []
            for document in documents[at : at + _DOCUMENTS_A_BULK]:
                lines += [{"index": {"_id": document["id"]}}, document]
            answer = await self._engine.bulk(index=self._index, operations=lines)
            for item in answer["items"]:
                if problem := item["index"].get("error"):
                    raise TemporaryIndexError(
                        f"the engine refuses document {item['index']['_id']!r}: "
                        f"{problem.get('reason')}; mend the document"
                    )
        await self._engine.indices.refresh(index=self._index)

    async def ours(self, texts: Mapping[str, str], depth: int) -> Mapping[str, Sequence[str]]:
        """What searches find, as ids, best first, by the key of the text."""
        return await self._ranked(texts, lambda text: self._plan(text, depth))

    async def defaults(
        self, texts: Mapping[str, str], fields: Sequence[str], depth: int
    ) -> Mapping[str, Sequence[str]]:
        """What the engine finds in these fields by itself; as `ours`."""

        def planned(text: str) -> Plan:
            return engine_defaults.plan(
                text, fields, [self._index], limit=depth, deadline=self._deadline
            )

        return await self._ranked(texts, planned)

    def words_fields(self) -> Sequence[str]:
        """The fields that ours looks for words in."""
        return [*self._profiles[self._entity].match.words]

    def _plan(self, text: str, depth: int) -> Plan:
        return planner.plan(
            SearchRequest(text=shortened(clean(text)), entities=(self._entity,), limit=depth),
            self._profiles,
            indices={self._entity: self._index},
            deadline=self._deadline,
        )

    async def _ranked(
        self, texts: Mapping[str, str], planned: Planned
    ) -> Mapping[str, Sequence[str]]:
        async def found(text: str) -> Sequence[str]:
            response = await engine_search.run(self._engine, planned(text))
            return [hit["_id"] for hit in response["hits"].get("hits", ())]

        return await unhurried.each(texts, found)


@asynccontextmanager
async def temporary_index(
    settings: Settings, definition: Definition, similarity: Mapping[str, Any]
) -> AsyncIterator[TemporaryIndex]:
    """An empty index, deleted at the end, also after an error or when the task is cancelled.

    `similarity` is how it scores, as index settings have it. Raises `DefinitionError`,
    `ServiceUnavailableError`, and `TemporaryIndexError` when the engine refuses something.
    """
    # No entity type has an underscore in its name: nobody takes it for a generation.
    index = f"{settings.index_prefix}-temporary_{definition.entity}-{secrets.token_hex(8)}"
    async with engine_client(settings, request_seconds=unhurried.PATIENCE) as engine:
        made = TemporaryIndex(engine, settings, definition, index)
        try:
            with _told(settings):
                await engine.indices.create(
                    index=index,
                    mappings=definition.mappings,
                    settings=_settings(definition, similarity),
                )
                yield made
        finally:
            await _delete(engine, index)


async def _delete(engine: AsyncElasticsearch, index: str) -> None:
    """Delete the index, if there is one: a request that was cut off may have made it."""
    try:
        await engine.options(ignore_status=404).indices.delete(index=index)
    except (ApiError, TransportError) as error:
        raise ServiceUnavailableError(
            f"the temporary index {index} could not be deleted ({error}); delete it once the "
            "engine answers"
        ) from error


def _settings(definition: Definition, similarity: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "number_of_shards": 1,  # words weigh the same in all documents
        "number_of_replicas": 0,
        "refresh_interval": "-1",
        "analysis": definition.analysis,
        "similarity": similarity,
    }


@contextmanager
def _told(settings: Settings) -> Iterator[None]:
    """What the engine's client and the search raise, as errors that say what to do."""
    try:
        yield
    except (ApiError, TransportError, QueryError) as error:
        if isinstance(error, QueryError) or is_unavailable(error):
            raise ServiceUnavailableError(
                f"the engine at {shown(settings.engine_url)} does not answer in time ({error}); "
                "look at it with `disco doctor`, and try again"
            ) from error
        raise TemporaryIndexError(
            f"the engine refuses a temporary index or a search in it: {error}"
        ) from error
