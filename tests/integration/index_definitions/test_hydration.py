"""Which documents the SQL makes, and of what: on the real database, in both modes."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from core.database import open_pool
from core.definitions import Definition, load
from core.settings import Settings
from indexer.hydrator import documents_by_ids, documents_by_range

Document = dict[str, Any]
Run = Callable[[Callable[[Any], Awaitable[Any]]], Any]

DEFINITIONS = load(Settings().definitions_path)
ENTITIES = tuple(DEFINITIONS)
MANY = 130  # more sounds than a set shows, more tags than a sound shows

CATALOGUE = f"""
INSERT INTO users (id, username, display_name, full_name, city, country_code, verified, visibility,
                   deleted_at)
VALUES (1, 'ana', 'Ana', 'Ana Lovelace', 'Berlin', 'DE', true, 'public', NULL),
       (2, 'ben', 'Ben', NULL, NULL, 'FR', false, 'public', NULL),
       (3, 'hidden', 'Hidden', NULL, NULL, NULL, false, 'private', NULL),
       (4, 'gone', 'Gone', NULL, NULL, NULL, false, 'public', now()),
       (5, 'quiet', 'Quiet', NULL, NULL, NULL, false, 'public', NULL);
INSERT INTO genres (id, name) VALUES (1, 'Drum & Bass');
INSERT INTO sounds (id, user_id, title, permalink, genre_id, duration_ms, description, visibility,
                    deleted_at)
VALUES (1, 1, 'First "light"', 'first', 1, 1000, E'two\\nlines', 'public', NULL),
       (2, 2, 'Second', 'second', NULL, 2000, NULL, 'public', NULL),
       (3, 1, 'Private', 'private', NULL, 3000, NULL, 'private', NULL),
       (4, 1, 'Deleted', 'deleted', NULL, 4000, NULL, 'public', now()),
       (5, 3, 'Of a hidden user', 'of-hidden', NULL, 5000, NULL, 'public', NULL),
       (6, 4, 'Of a gone user', 'of-gone', NULL, 6000, NULL, 'public', NULL),
       (7, 5, normalize('가수 Été', NFD), 'composed', NULL, 7000, NULL, 'public', NULL);
INSERT INTO sounds (id, user_id, title, permalink, duration_ms)
SELECT 1000 + i, 2, 'Song ' || i, 'song-' || i, 1000 FROM generate_series(1, {MANY}) AS i;
INSERT INTO tags (id, name) SELECT i, 'tag ' || i FROM generate_series(1, {MANY}) AS i;
INSERT INTO sound_tags (sound_id, tag_id, user_id)
VALUES (1, 3, NULL), (1, 1, 1), (1, 2, NULL), (1, 2, 1), (1, 2, 2);
INSERT INTO sound_tags (sound_id, tag_id)
SELECT 2, i FROM generate_series(1, {MANY}) AS i;
INSERT INTO sets (id, user_id, title, permalink, kind, visibility)
VALUES (1, 1, 'Mixed', 'mixed', 'album', 'public'),
       (2, 2, 'Empty', 'empty', 'playlist', 'public'),
       (3, 1, 'Secret', 'secret', 'ep', 'private'),
       (4, 3, 'Of a hidden user', 'of-hidden', 'ep', 'public'),
       (5, 2, 'Long', 'long', 'playlist', 'public');
INSERT INTO set_sounds (set_id, sound_id, position)
VALUES (1, 2, 1), (1, 1, 2), (1, 3, 3), (1, 4, 4), (1, 5, 5), (1, 6, 6), (1, 1001, 2);
INSERT INTO set_sounds (set_id, sound_id, position)
SELECT 5, 1000 + i, {MANY} + 1 - i FROM generate_series(1, {MANY}) AS i;
INSERT INTO groups (id, owner_id, name, permalink, visibility)
VALUES (1, 1, 'Diggers', 'diggers', 'public'),
       (2, 1, 'Closed', 'closed', 'private'),
       (3, 4, 'Of a gone user', 'of-gone', 'public');
INSERT INTO likes VALUES (2, 1, '2000-01-09 00:00+00');
INSERT INTO follows VALUES (2, 1, '2000-01-09 00:00+00');
"""
# Eight days after the beginning of time, an act of weight 4: in half-lives, and two doublings more.
HEAT = {
    "active_at": "2000-01-09T00:00:00+00:00",
    "heat_day": 32 + 2,
    "heat_week": 4 + 2,
    "heat_month": 1 + 2,
}


@pytest.fixture(scope="module")
def catalogue(settings: Settings) -> Settings:
    """A place with the small catalogue above."""

    async def fill(connection: Any) -> None:
        await connection.execute(CATALOGUE)

    asyncio.run(_connected(settings, fill))
    return settings


async def _connected(settings: Settings, work: Callable[[Any], Awaitable[Any]]) -> Any:
    async with (
        open_pool(settings.database_url, application="test", size=1) as pool,
        pool.acquire() as connection,
    ):
        return await work(connection)


def _documents(settings: Settings, entity: str) -> dict[int, Document]:
    """All documents of an entity type by id: the same in both modes, or the test fails."""
    definition = DEFINITIONS[entity]

    async def read(connection: Any) -> dict[int, Document]:
        table = definition.source_table
        ids = [row[0] for row in await connection.fetch(f"SELECT id FROM {table}")]
        by_ids = await connection.fetch(documents_by_ids(definition), ids)
        by_range = await connection.fetch(documents_by_range(definition), 0, 2**62)
        assert sorted(by_ids) == sorted(by_range), "the two modes of the selector disagree"
        return {row["id"]: json.loads(row["document"]) for row in by_ids}

    found = asyncio.run(_connected(settings, read))
    assert isinstance(found, dict)
    return found


def _dependents(settings: Settings, entity: str, *ids: int) -> list[tuple[str, int]]:
    sql = DEFINITIONS[entity].dependents_sql
    assert sql is not None

    async def read(connection: Any) -> list[tuple[str, int]]:
        return [tuple(row) for row in await connection.fetch(sql, list(ids))]

    found = asyncio.run(_connected(settings, read))
    assert isinstance(found, list)
    return found


def test_only_what_is_public_and_lives_has_a_document(catalogue: Settings) -> None:
    many = {1000 + i for i in range(1, MANY + 1)}
    assert set(_documents(catalogue, "user")) == {1, 2, 5}
    assert set(_documents(catalogue, "sound")) == {1, 2, 7} | many
    assert set(_documents(catalogue, "set")) == {1, 2, 5}
    assert set(_documents(catalogue, "group")) == {1}


def test_a_sound_in_full(catalogue: Settings) -> None:
    document = _documents(catalogue, "sound")[1]
    times = {document.pop("created_at")[-6:], document.pop("updated_at")[-6:]}
    assert times == {"+00:00"}, "times have to be in UTC, or digests depend on the session"
    assert document == {
        "id": 1,
        "title": 'First "light"',
        "subtitle": "Ana",
        "permalink": "/ana/first",
        "description": "two\nlines",
        "genre": "Drum & Bass",
        # most given first, then by the tag's id
        "tags": ["tag 2", "tag 1", "tag 3"],
        "user_id": 1,
        "user_handle": "ana",
        "duration_ms": 1000,
        "license": "all-rights-reserved",
        "downloadable": False,
        **HEAT,
    }


def test_what_is_unknown_is_null_and_takes_nothing_else_with_it(catalogue: Settings) -> None:
    document = _documents(catalogue, "sound")[1001]
    assert document["genre"] is None
    assert document["description"] is None
    assert document["tags"] is None
    assert document["title"] == "Song 1"
    assert document["permalink"] == "/ben/song-1"


def test_titles_are_composed(catalogue: Settings) -> None:
    """File names of some systems are not, and nobody types what stands in them."""
    assert _documents(catalogue, "sound")[7]["title"] == "가수 Été"


def test_a_user_in_full(catalogue: Settings) -> None:
    documents = _documents(catalogue, "user")
    ana = documents[1]
    del ana["created_at"], ana["updated_at"]
    assert ana == {
        "id": 1,
        "title": "Ana",
        "subtitle": "Berlin, DE",
        "permalink": "/ana",
        "handle": "ana",
        "full_name": "Ana Lovelace",
        "city": "Berlin",
        "country": "DE",
        "description": None,
        "verified": True,
        **HEAT,
    }
    assert [documents[i]["subtitle"] for i in (2, 5)] == ["FR", None]


def test_a_set_shows_what_everybody_may_see_in_its_order(catalogue: Settings) -> None:
    mixed = _documents(catalogue, "set")[1]
    # Two stand at position 2: the lower id first.
    assert mixed["sounds"] == ["Second", 'First "light"', "Song 1"]
    assert mixed["sound_count"] == 3
    assert mixed["sound_ids"] == [2, 1, 1001]
    assert mixed["permalink"] == "/ana/sets/mixed"
    assert mixed["kind"] == "album"


def test_a_set_without_sounds_is_a_document_too(catalogue: Settings) -> None:
    empty = _documents(catalogue, "set")[2]
    assert (empty["sounds"], empty["sound_count"]) == (None, 0)


def test_documents_stay_small(catalogue: Settings) -> None:
    long = _documents(catalogue, "set")[5]
    assert long["sounds"] == [f"Song {i}" for i in range(MANY, MANY - 100, -1)]
    assert long["sound_count"] == MANY
    tags = _documents(catalogue, "sound")[2]["tags"]
    assert tags == [f"tag {i}" for i in range(1, 51)]


def test_a_group_in_full(catalogue: Settings) -> None:
    group = _documents(catalogue, "group")[1]
    assert (group["title"], group["subtitle"]) == ("Diggers", "Ana")
    assert (group["permalink"], group["user_id"]) == ("/groups/diggers", 1)


def test_what_shows_a_user_depends_on_him(catalogue: Settings) -> None:
    found = _dependents(catalogue, "user", 1)
    assert len(found) == len(set(found))
    assert set(found) == {
        *(("sound", i) for i in (1, 3, 4)),
        *(("set", i) for i in (1, 3)),
        *(("group", i) for i in (1, 2)),
    }


def test_sets_with_a_users_sounds_depend_on_him(catalogue: Settings) -> None:
    """The hidden user's sound is in a set by another: when he hides, so must it."""
    assert ("set", 1) in _dependents(catalogue, "user", 3)


def test_sets_depend_on_their_sounds(catalogue: Settings) -> None:
    assert sorted(_dependents(catalogue, "sound", 1, 2, 1001)) == [("set", 1), ("set", 5)]


HIDING = [
    ("sound", "UPDATE sounds SET visibility = 'private' WHERE id = 2"),
    ("sound", "UPDATE sounds SET deleted_at = now() WHERE id = 2"),
    ("user", "UPDATE users SET visibility = 'private' WHERE id = 2"),
    ("user", "UPDATE users SET deleted_at = now() WHERE id = 2"),
    ("user", "UPDATE users SET display_name = 'Benjamin' WHERE id = 2"),
    ("user", "UPDATE users SET username = 'benjamin' WHERE id = 2"),
    ("sound", "UPDATE sounds SET title = 'Other' WHERE id = 2"),
]


@pytest.mark.parametrize(("entity", "change"), HIDING, ids=lambda value: value)
def test_every_document_that_a_change_alters_is_a_dependent(
    catalogue: Settings, entity: str, change: str
) -> None:
    """What the change alters is compared with what the dependents SQL names."""

    async def altered(connection: asyncpg.Connection) -> set[tuple[str, int]]:
        transaction = connection.transaction()
        await transaction.start()
        before = await _all_digests(connection)
        await connection.execute(change)
        after = await _all_digests(connection)
        await transaction.rollback()
        return {key for key, _ in before ^ after}

    found = asyncio.run(_connected(catalogue, altered))
    assert (entity, 2) in found
    dependents = set(_dependents(catalogue, entity, 2))
    assert found - {(entity, 2)}, "the change should show elsewhere"
    assert found - {(entity, 2)} <= dependents


async def _all_digests(connection: Any) -> set[tuple[tuple[str, int], int]]:
    found: set[tuple[tuple[str, int], int]] = set()
    for entity, definition in DEFINITIONS.items():
        rows = await connection.fetch(documents_by_range(definition), 0, 2**62)
        found |= {((entity, row["id"]), row["digest"]) for row in rows}
    return found


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_definition_without_dependents_is_shown_nowhere_else(entity: str) -> None:
    """Sets and groups are leaves: no other document's SQL reads their tables."""
    definition: Definition = DEFINITIONS[entity]
    readers = [
        other.entity
        for other in DEFINITIONS.values()
        if other is not definition and f" {definition.source_table} " in other.hydrate_sql
    ]
    assert bool(readers) == (definition.dependents_sql is not None)
