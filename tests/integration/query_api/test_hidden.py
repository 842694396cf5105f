"""What is private or deleted is behind no door: no hit, count, facet, highlight, page or cursor.

A generated catalogue through the real indexer, so that what is tested is what is served.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from core.definitions import load
from core.settings import Settings
from demo import operations as demo
from indexer.changes import Change
from indexer.generation import Generation
from indexer.services import Services, route_to
from query_api import profiles
from query_api.wording import plain
from tests.integration.gates.conftest import built, open_gates
from tests.integration.indexer.oracle import _Silence
from tests.integration.query_api.reading import all_pages, identities, page
from tests.integration.query_api.serving import served

ENTITIES = 400
UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
TABLES = {"sound": "sounds", "user": "users", "set": "sets", "group": "groups"}
OWNERS = {"sound": "user_id", "set": "user_id", "group": "owner_id"}
NAMES = {"sound": "title", "user": "display_name", "set": "title", "group": "name"}
LIVING = "{row}.visibility = 'public' AND {row}.deleted_at IS NULL"
PROFILES = profiles.read(load(Settings().definitions_path))


@dataclass(frozen=True)
class World:
    """A served catalogue."""

    settings: Settings
    api: httpx.Client
    public: Mapping[str, set[str]]  # ids by type
    hidden: Mapping[str, Mapping[str, str]]  # names by id, by type


@pytest.fixture(scope="module")
def world(settings: Settings) -> Iterator[World]:
    """The catalogue, of which a tenth more was hidden after it had been public and indexed."""
    public, hidden = asyncio.run(_made(settings))
    looking_back = replace(settings, explore_at=UNTIL.isoformat())
    with served(looking_back) as address, httpx.Client(base_url=address, timeout=20) as api:
        yield World(settings, api, public, hidden)


async def _made(settings: Settings) -> tuple[dict[str, set[str]], dict[str, dict[str, str]]]:
    await demo.load_generated(settings, ENTITIES, until=UNTIL)
    async with open_gates(settings) as services:
        live: dict[str, Generation] = {}
        for entity in services.definitions:
            live[entity] = await built(services, entity)
            await services.generations.promote(live[entity], before=None)
        await _hide(services, live, "sound", "id % 20 = 3", "visibility = 'private'")
        await _hide(services, live, "sound", "id % 20 = 7", "deleted_at = clock_timestamp()")
        rows = {entity: await _rows(services, entity) for entity in TABLES}
    public = {
        entity: {id_ for id_, (_, seen) in some.items() if seen} for entity, some in rows.items()
    }
    hidden = {
        entity: {id_: name for id_, (name, seen) in some.items() if not seen}
        for entity, some in rows.items()
    }
    return public, hidden


async def _hide(
    services: Services, live: Mapping[str, Generation], entity: str, which: str, how: str
) -> None:
    """Hide some rows, and have the index told, as by live events."""
    primary, table = services.databases.primary, TABLES[entity]
    rows = await primary.fetch(
        f"UPDATE {table} SET {how}, updated_at = clock_timestamp() WHERE {which} RETURNING id, "
        "(extract(epoch FROM updated_at) * 1000000)::bigint AS version"
    )
    assert rows
    changes = [Change((entity, row["id"]), row["version"], False) for row in rows]
    await services.pipeline(route_to(live[entity]), _Silence()).process(changes)
    sets = await primary.fetch("SELECT id FROM sets")
    again = [Change(("set", row["id"]), rows[0]["version"], False) for row in sets]
    await services.pipeline(route_to(live["set"]), _Silence()).process(again)
    for generation in live.values():
        await services.generations.refresh(generation)


async def _rows(services: Services, entity: str) -> dict[str, tuple[str, bool]]:
    """Name, and whether everybody may see it, of each row."""
    seen = LIVING.format(row="e")
    if owner := OWNERS.get(entity):
        seen += f" AND EXISTS (SELECT 1 FROM users u WHERE u.id = e.{owner} AND "
        seen += LIVING.format(row="u") + ")"
    found = await services.databases.primary.fetch(
        f"SELECT id, {NAMES[entity]} AS name, {seen} AS seen FROM {TABLES[entity]} e"
    )
    return {str(row["id"]): (row["name"], row["seen"]) for row in found}


def test_there_is_something_to_hide(world: World) -> None:
    assert all(world.public[entity] for entity in TABLES)
    assert len(world.hidden["sound"]) > 10
    assert world.hidden["user"]


@pytest.mark.parametrize("entity", TABLES)
def test_no_page_of_no_sort_has_it(world: World, entity: str) -> None:
    for sort in ("relevance", *PROFILES[entity].sorts):
        pages = all_pages(world.api, type=entity, sort=sort, limit=100)
        assert {id_ for _, id_ in identities(*pages)} == world.public[entity], sort
        assert {one["total"]["value"] for one in pages} == {len(world.public[entity])}


@pytest.mark.parametrize("entity", TABLES)
def test_no_facet_counts_it(world: World, entity: str) -> None:
    names = [name for name, one in PROFILES[entity].filters.items() if one.facet]
    answer = page(world.api, type=entity, facets=",".join(("type", *names)), limit=1)
    types = {one["value"]: one["count"] for one in answer["facets"]["type"]}
    assert types == {one: len(ids) for one, ids in world.public.items()}
    for name in {"created", "license", "downloadable", "verified", "kind", "duration"} & {*names}:
        counts = [one["count"] for one in answer["facets"][name]]
        assert sum(counts) == len(world.public[entity]), name


def test_its_name_finds_only_what_everybody_may_see(world: World) -> None:
    for entity, names in world.hidden.items():
        for id_, name in [*names.items()][:12]:
            answer = page(world.api, name[:500], limit=100, facets="type")
            assert (entity, id_) not in identities(answer)
            assert all(hit["id"] in world.public[hit["type"]] for hit in answer["hits"])


def test_no_suggestion_has_a_word_that_it_alone_has(world: World) -> None:
    pages = all_pages(world.api, limit=100)
    names = (f"{hit['title']} {hit['subtitle']}" for one in pages for hit in one["hits"])
    known = {word for name in names for word in plain(name).split()}
    asked = 0
    for name in [*world.hidden["sound"].values()][:12]:
        words = plain(name).split()
        typed = [word[:-2] + word[-1] if len(word) > 3 else word for word in words]
        answer = page(world.api, " ".join(typed), limit=1)
        told = plain(answer["suggestion"] or "").split()
        assert not set(told) - known - set(typed), (name, answer["suggestion"])
        asked += bool(answer["relaxed"])
    assert asked


def test_no_set_shows_the_name_of_a_sound_that_is_hidden(world: World) -> None:
    public_names = _names_of_public_sounds(world)
    for name in world.hidden["sound"].values():
        if name in public_names:
            continue
        for hit in page(world.api, name[:500], type="set", limit=100)["hits"]:
            shown = hit["highlight"].get("sounds", "")
            assert name not in shown.replace("<em>", "").replace("</em>", "")


def test_no_page_stands_at_its_permalink(world: World) -> None:
    for path in asyncio.run(_permalinks(world.settings)):
        assert world.api.get(path, headers={"Accept": "text/html"}).status_code == 404, path


def test_a_cursor_does_not_lead_to_what_was_hidden_meanwhile(world: World) -> None:
    pages = [page(world.api, type="sound", sort="title", limit=2)]
    later = world.public["sound"] - {id_ for _, id_ in identities(*pages)}
    asyncio.run(_hide_sound(world.settings, int(id_ := max(later, key=int))))
    world.public["sound"].discard(id_)
    while cursor := pages[-1]["next"]:
        pages.append(page(world.api, type="sound", sort="title", limit=50, cursor=cursor))
    assert {id_ for _, id_ in identities(*pages)} == world.public["sound"]


def test_filters_do_not_tell_of_it(world: World) -> None:
    owners = asyncio.run(_owners_of_hidden_sounds(world.settings))
    assert owners
    for owner, shown in owners.items():
        narrowed: dict[str, Any] = {"type": "sound", "filter.user": owner}
        assert page(world.api, **narrowed)["total"]["value"] == shown


def test_explore_does_not_list_it(world: World) -> None:
    listed: set[tuple[str, str]] = set()
    cursor: str | None = ""
    while cursor is not None:
        parameters: dict[str, Any] = {"window": "30d", "limit": 100, "cursor": cursor}
        answer = world.api.get("/v1/explore", params=parameters).json()
        listed |= set(identities(answer))
        cursor = answer["next"]
    assert {entity for entity, _ in listed} == {"sound", "user"}
    assert all(id_ in world.public[entity] for entity, id_ in listed)


def test_it_is_related_to_nothing(world: World) -> None:
    for id_ in world.hidden["sound"]:
        assert world.api.get(f"/v1/sounds/{id_}/related").status_code == 404
    for id_ in [*world.public["sound"]][:20]:
        answer = world.api.get(f"/v1/sounds/{id_}/related", params={"limit": 25}).json()
        assert {one for _, one in identities(answer)} <= world.public["sound"]


def _names_of_public_sounds(world: World) -> set[str]:
    pages = all_pages(world.api, type="sound", limit=100)
    return {hit["title"] for one in pages for hit in one["hits"]}


async def _permalinks(settings: Settings) -> Sequence[str]:
    """The paths of sounds that are hidden, or whose user is, where no other sound has it."""
    async with open_gates(settings) as services:
        rows = await services.databases.primary.fetch(
            "SELECT '/' || u.username || '/' || s.permalink AS path FROM sounds s "
            "JOIN users u ON u.id = s.user_id WHERE NOT (s.visibility = 'public' AND "
            "s.deleted_at IS NULL AND u.visibility = 'public' AND u.deleted_at IS NULL) LIMIT 20"
        )
    assert rows
    return [row["path"] for row in rows]


async def _hide_sound(settings: Settings, id_: int) -> None:
    async with open_gates(settings) as services:
        live = {one.name.entity: one for one in await services.generations.list() if one.is_live}
        await _hide(services, live, "sound", f"id = {id_}", "visibility = 'private'")


async def _owners_of_hidden_sounds(settings: Settings) -> dict[str, int]:
    """How many sounds everybody may see, by owner of hidden ones."""
    async with open_gates(settings) as services:
        rows = await services.databases.primary.fetch(
            "SELECT s.user_id, count(*) FILTER (WHERE s.visibility = 'public' AND s.deleted_at "
            "IS NULL AND u.visibility = 'public' AND u.deleted_at IS NULL) AS shown, count(*) "
            "FROM sounds s JOIN users u ON u.id = s.user_id GROUP BY s.user_id"
        )
    return {str(row["user_id"]): row["shown"] for row in rows if row["shown"] < row["count"]}
