"""Each index is searched by the profile that it notes, whatever the files of the process say."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.definitions import Definition
from core.settings import Settings
from indexer import operations
from indexer.generation import Generation, State
from indexer.services import Services
from tests.integration.indexer.oracle import open_index
from tests.integration.indexer.waiting import until
from tests.integration.query_api.catalogue import sound
from tests.integration.query_api.reading import Answer
from tests.integration.query_api.serving import served

PATIENCE = 20.0  # seconds
SWAPS = 15
BY_DESCRIPTION = {"words": {"description": 1}}
TRIAL = """
[variants.next]
generations = {sound = "ready"}
[experiment]
name = "next"
unit = "session"
shares = {next = 1.0}
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Two:
    """Two generations of sounds with the same documents, searched in different ways."""

    services: Services
    old: Generation  # is live, and searched as the files say
    new: Generation  # is ready, and searched by descriptions alone


@pytest.fixture
async def two(settings: Settings) -> AsyncIterator[Two]:
    async with open_index(settings) as index:
        services = index.services
        definition = services.definitions["sound"]
        old = await _filled(services, definition)
        if live := [one for one in await services.generations.list() if one.is_live]:
            await services.generations.promote(old, before=live[0])
        else:
            await services.generations.promote(old, before=None)
        profile = {**definition.profile, "match": BY_DESCRIPTION}
        new = await _filled(services, dataclasses.replace(definition, profile=profile))
        yield Two(services=services, old=old, new=new)
        for one in await services.generations.list():
            if not one.is_live:
                await services.generations.delete(one)


async def _filled(services: Services, definition: Definition) -> Generation:
    generation = await services.generations.create(definition)
    for number, title, description in [(1, "Rain", None), (2, "Sun", "Rain"), (3, "Snow", "Rain")]:
        document = sound(number, title, description=description)
        await services.engine.index(index=generation.index, id=str(number), document=document)
    await services.generations.refresh(generation)
    return await services.generations.enter(generation, State.READY)


@pytest.fixture
def address(two: Two, settings: Settings) -> Iterator[str]:
    with served(settings) as at:
        yield at


@pytest.fixture
async def api(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        yield client


async def _ask(api: httpx.AsyncClient, **parameters: Any) -> Answer:
    response = await api.get("/v1/search", params={"q": "rain", "type": "sound"} | parameters)
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    return answer


def _found(answer: Answer) -> tuple[str, frozenset[str]]:
    """The index that answered, and the hits."""
    return answer["generations"]["sound"], frozenset(hit["id"] for hit in answer["hits"])


async def _answers(api: httpx.AsyncClient, generation: Generation) -> None:
    """Wait until searches are answered by that generation."""

    async def look() -> bool:
        return _found(await _ask(api))[0] == generation.index

    await until(look, within=PATIENCE, what=f"{generation.index} answers")


async def test_a_promotion_brings_its_profile_along_and_a_rollback_takes_it_away(
    two: Two, api: httpx.AsyncClient
) -> None:
    right = {
        (two.old.index, frozenset({"1", "2", "3"})),
        (two.new.index, frozenset({"2", "3"})),
    }
    await operations.promote(two.services, two.new.index)
    done, seen = asyncio.Event(), set()

    async def search() -> None:
        while not done.is_set():
            seen.add(_found(await _ask(api)))

    async with asyncio.TaskGroup() as people:
        for _ in range(3):
            people.create_task(search())
        for _ in range(SWAPS):
            exchange = await operations.rollback(two.services, "sound")
            await _answers(api, exchange.after)
        done.set()
    assert seen == right, "an answer was made by one index, and by the profile of the other"


async def test_a_page_is_searched_as_the_first_one_was(two: Two, api: httpx.AsyncClient) -> None:
    first = await _ask(api, limit=2)
    await operations.promote(two.services, two.new.index)
    await _answers(api, two.new)
    second = await _ask(api, limit=2, cursor=first["next"])
    assert second["generations"] == first["generations"]
    assert _found(first)[1] | _found(second)[1] == {"1", "2", "3"}


async def test_a_profile_that_is_applied_is_in_use_without_a_restart(
    two: Two, api: httpx.AsyncClient
) -> None:
    assert _found(await _ask(api, sort="longest"))[1] == {"1", "2", "3"}
    definitions = two.services.definitions
    sorts = dict(definitions["sound"].profile["sorts"])
    del sorts["longest"]
    profile = {**definitions["sound"].profile, "match": BY_DESCRIPTION, "sorts": sorts}
    changed = dataclasses.replace(definitions["sound"], profile=profile)
    services = dataclasses.replace(two.services, definitions={**definitions, "sound": changed})
    await operations.apply_changes(services, "sound")

    async def in_use() -> bool:
        return _found(await _ask(api))[1] == {"2", "3"}

    await until(in_use, within=PATIENCE, what="the profile is in use")
    refused = await api.get("/v1/search", params={"type": "sound", "sort": "longest"})
    assert (refused.status_code, refused.json()["parameter"]) == (422, "sort")
    described = (await api.get("/openapi.json")).json()["paths"]["/v1/search"]["get"]["parameters"]
    [sort] = [one for one in described if one["name"] == "sort"]
    assert "newest" in sort["schema"]["enum"]
    assert "longest" not in sort["schema"]["enum"], "of sounds alone"


async def test_a_variant_on_another_index_searches_it_by_the_profile_of_that(
    two: Two, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "experiments.toml"
    file.write_text(TRIAL)
    with served(dataclasses.replace(settings, experiments=str(file))) as at:
        session = {"Disco-Session": "s"}
        async with httpx.AsyncClient(base_url=at, timeout=PATIENCE, headers=session) as api:
            answer = await _ask(api)
            assert answer["variant"] == "next"
            assert _found(answer) == (two.new.index, frozenset({"2", "3"}))


async def test_what_cannot_be_used_is_not_used(two: Two, api: httpx.AsyncClient) -> None:
    await two.services.generations.note(two.old, profile={"match": {"words": {"no_field": 1}}})
    assert _found(await _ask(api)) == (two.old.index, frozenset({"1", "2", "3"}))
