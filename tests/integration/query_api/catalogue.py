"""A small catalogue in real indices, made from the real definitions, for the query API's tests."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from elasticsearch import AsyncElasticsearch

from core import definitions
from core.settings import Settings
from query_api.aliases import alias_of

Document = dict[str, Any]

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


async def create_indices(
    engine: AsyncElasticsearch, settings: Settings, entities: Iterable[str] | None = None
) -> None:
    """An empty index with its alias for each entity type (default: all of them)."""
    known = definitions.load(settings.definitions_path)
    for entity in known if entities is None else entities:
        definition = known[entity]
        alias = alias_of(settings.index_prefix, entity)
        await engine.indices.create(
            index=f"{alias}-{definition.hash}-20260101000000000000",
            settings={"number_of_replicas": 0, "analysis": dict(definition.analysis)},
            mappings=dict(definition.mappings),
            aliases={alias: {}},
        )


async def delete_indices(engine: AsyncElasticsearch, settings: Settings) -> None:
    """Remove every index of the prefix."""
    found = await engine.indices.get(index=f"{settings.index_prefix}-*", filter_path="*.aliases")
    if found.body:
        await engine.indices.delete(index=list(found.body))


async def write(
    engine: AsyncElasticsearch, settings: Settings, documents: Iterable[Document]
) -> None:
    """Write documents with their external version, and wait until they can be found."""
    operations: list[Mapping[str, Any]] = []
    for document in documents:
        version = datetime.fromisoformat(document["updated_at"]).timestamp() * 1_000_000
        header = {
            "_index": alias_of(settings.index_prefix, document["type"]),
            "_id": str(document["id"]),
            "version": int(version),
            "version_type": "external",
        }
        operations += [{"index": header}, document]
    answer = await engine.bulk(operations=operations, refresh=True)
    refused = [item for item in answer["items"] if item["index"]["status"] >= 300]
    assert not refused, refused[:3]


def sound(number: int, title: str, **fields: Any) -> Document:
    """A sound's document; `fields` replace the defaults."""
    own = {
        "subtitle": "Ana Lovelace",
        "permalink": f"/ana/sound-{number}",
        "description": None,
        "genre": None,
        "tags": None,
        "user_id": 1,
        "user_handle": "ana",
        "duration_ms": 180_000 + number,
        "license": "all-rights-reserved",
        "downloadable": False,
    }
    return _document("sound", number, title, own | fields)


def user(number: int, title: str, **fields: Any) -> Document:
    """A user's document; `fields` replace the defaults."""
    own = {
        "subtitle": "Berlin, DE",
        "permalink": f"/user-{number}",
        "handle": f"user-{number}",
        "full_name": None,
        "city": "Berlin",
        "country": "DE",
        "description": None,
        "verified": False,
    }
    return _document("user", number, title, own | fields)


def set_(number: int, title: str, **fields: Any) -> Document:
    """A set's document; `fields` replace the defaults."""
    own = {
        "subtitle": "Ana Lovelace",
        "permalink": f"/ana/sets/set-{number}",
        "description": None,
        "kind": "playlist",
        "sounds": ["Rain", "Sunday"],
        "sound_count": 2,
        "user_id": 1,
        "user_handle": "ana",
    }
    return _document("set", number, title, own | fields)


def group(number: int, title: str, **fields: Any) -> Document:
    """A group's document; `fields` replace the defaults."""
    own = {
        "subtitle": "Ana Lovelace",
        "permalink": f"/groups/group-{number}",
        "description": None,
        "user_id": 1,
        "user_handle": "ana",
    }
    return _document("group", number, title, own | fields)


def moment(minutes: int) -> str:
    """A time that many minutes after the catalogue's beginning."""
    return (BEGINNING + timedelta(minutes=minutes)).isoformat(timespec="microseconds")


def _document(entity: str, number: int, title: str, fields: Document) -> Document:
    common = {
        "type": entity,
        "id": number,
        "digest": number,
        "title": title,
        "created_at": moment(number),
        "updated_at": moment(number),
    }
    return common | fields
