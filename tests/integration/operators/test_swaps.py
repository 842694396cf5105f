"""Generations change places while people search: nobody goes without an answer, or gets two."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from core.settings import Settings
from indexer import operations
from indexer.generation import Generation, State
from tests.integration.indexer.oracle import open_index
from tests.integration.query_api.catalogue import sound
from tests.integration.query_api.serving import served

SWAPS = 30
PEOPLE = 4
SOUNDS = {"old": 30, "new": 20}  # how many sounds the two generations have, by a word in each title


@dataclass
class Watch:
    """What people were answered."""

    answers: int = 0
    by: set[str] = field(default_factory=set)  # generations
    wrong: list[str] = field(default_factory=list)


@pytest.fixture
async def two(
    settings: Settings,
) -> AsyncIterator[tuple[operations.Services, dict[str, Generation]]]:
    """The services, and two generations of sounds that tell themselves apart; "old" is live."""
    async with open_index(settings) as index:
        services = index.services
        made: dict[str, Generation] = {}
        for word, count in SOUNDS.items():
            generation = await services.generations.create(services.definitions["sound"])
            for number in range(1, count + 1):
                document = sound(number, f"Echo {word}")
                await services.engine.index(
                    index=generation.index, id=str(number), document=document
                )
            await services.generations.refresh(generation)
            made[word] = await services.generations.enter(generation, State.READY)
        await operations.promote(services, made["new"].index)
        await operations.promote(services, made["old"].index)
        yield services, made


async def test_every_answer_is_whole_and_of_one_generation(
    two: tuple[operations.Services, dict[str, Generation]], settings: Settings
) -> None:
    services, made = two
    words = {generation.index: word for word, generation in made.items()}
    done, watch = asyncio.Event(), Watch()
    with served(settings) as address:
        async with (
            httpx.AsyncClient(base_url=address, timeout=20) as client,
            asyncio.TaskGroup() as people,
        ):
            for _ in range(PEOPLE):
                people.create_task(_search(client, words, watch, done))
            for _ in range(SWAPS):
                await operations.rollback(services, "sound")
            done.set()
    assert not watch.wrong, watch.wrong[:5]
    assert watch.by == set(words), "one of them never answered"
    assert watch.answers > SWAPS
    history = await operations.history(settings, subject="sound", limit=SWAPS)
    assert {(one.action, one.outcome) for one in history} == {("index.rollback", "done")}
    reached = [(one.before, one.after) for one in reversed(history)]
    assert all(
        before[1]["index"] == after[0]["index"]  # type: ignore[index]
        for before, after in itertools.pairwise(reached)
    ), "the log tells of another order than things happened in"


async def _search(
    client: httpx.AsyncClient, words: dict[str, str], watch: Watch, done: asyncio.Event
) -> None:
    """Search, and turn the page, over and over."""
    while not done.is_set():
        first = await _page(client, watch)
        if first is None:
            continue
        pages = [first]
        while cursor := pages[-1]["next"]:
            following = await _page(client, watch, cursor=cursor)
            if following is None:
                break
            pages.append(following)
        else:
            _check(pages, words, watch)


async def _page(client: httpx.AsyncClient, watch: Watch, **more: str) -> dict[str, Any] | None:
    parameters = {"q": "echo", "type": "sound", "limit": "10"} | more
    response = await client.get("/v1/search", params=parameters)
    if response.status_code != 200:
        watch.wrong.append(response.text)
        return None
    watch.answers += 1
    answer: dict[str, Any] = response.json()
    return answer


def _check(pages: list[dict[str, Any]], words: dict[str, str], watch: Watch) -> None:
    generations = {page["generations"]["sound"] for page in pages}
    watch.by |= generations
    titles = [hit["title"] for page in pages for hit in page["hits"]]
    word = words[pages[0]["generations"]["sound"]]
    if len(generations) != 1 or titles != [f"Echo {word}"] * SOUNDS[word]:
        watch.wrong.append(f"{generations}: {titles}")
