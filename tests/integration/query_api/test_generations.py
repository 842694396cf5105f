"""Which index answers: one for all pages, and for a new search the live one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest
from elasticsearch import AsyncElasticsearch

from core.engine import create_engine
from core.settings import Settings
from query_api.aliases import alias_of
from tests.integration.query_api import catalogue
from tests.integration.query_api.catalogue import sound
from tests.integration.query_api.reading import Answer, all_pages, identities, page
from tests.integration.query_api.serving import served

OLD, NEW = "20260101000000000000", "20260202000000000000"


class Indices:
    """The indices of sounds in a place, and which of them is live."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._alias = alias_of(settings.index_prefix, "sound")

    def name(self, stamp: str) -> str:
        async def find() -> list[str]:
            async with create_engine(self._settings) as engine:
                found = await engine.indices.get(index=f"{self._alias}-*", filter_path="*.aliases")
                return [name for name in found if name.endswith(stamp)]

        [name] = asyncio.run(find())
        return name

    def build(self, count: int, title: str) -> None:
        """Another index, which is not live, with so many sounds of that title."""

        async def make() -> None:
            async with create_engine(self._settings) as engine:
                old = (await engine.indices.get(index=self._alias)).body
                [(name, content)] = old.items()
                new = name.removesuffix(OLD) + NEW
                await engine.indices.create(
                    index=new,
                    settings={"analysis": content["settings"]["index"]["analysis"]},
                    mappings=content["mappings"],
                )
                for number in range(1, count + 1):
                    await engine.index(index=new, id=str(number), document=sound(number, title))
                await engine.indices.refresh(index=new)

        asyncio.run(make())

    def exchange(self, before: str, after: str) -> None:
        actions = [
            {"remove": {"index": self.name(before), "alias": self._alias}},
            {"add": {"index": self.name(after), "alias": self._alias}},
        ]
        self._do(lambda engine: engine.indices.update_aliases(actions=actions))

    def delete(self, stamp: str) -> None:
        name = self.name(stamp)
        self._do(lambda engine: engine.indices.delete(index=name))

    def _do(self, call: Callable[[AsyncElasticsearch], Awaitable[object]]) -> None:
        async def run() -> None:
            async with create_engine(self._settings) as engine:
                await call(engine)

        asyncio.run(run())


@pytest.fixture
def indices(fresh_settings: Settings) -> Indices:
    async def create() -> None:
        async with create_engine(fresh_settings) as engine:
            await catalogue.create_indices(engine, fresh_settings)
            sounds = [sound(number, "Echo old") for number in range(1, 31)]
            await catalogue.write(engine, fresh_settings, sounds)

    asyncio.run(create())
    made = Indices(fresh_settings)
    made.build(20, "Echo new")
    return made


@pytest.fixture
def api(indices: Indices, fresh_settings: Settings) -> Iterator[httpx.Client]:
    with (
        served(fresh_settings) as address,
        httpx.Client(base_url=address, timeout=20) as client,
    ):
        yield client


def _generation(answer: Answer) -> str:
    return str(answer["generations"]["sound"])[-20:]


def _eventually(api: httpx.Client, generation: str) -> Answer:
    """The first answer that is by that generation."""
    for _ in range(1_000):
        answer = page(api, q="echo", type="sound", limit=10)
        if _generation(answer) == generation:
            return answer
    raise AssertionError(f"no answer by {generation}")


def test_an_answer_tells_its_indices_also_without_a_hit(api: httpx.Client) -> None:
    answer = page(api, q="nothing has this", relax="false")
    assert answer["hits"] == []
    assert set(answer["generations"]) == {"sound", "user", "set", "group"}
    assert (answer["variant"], answer["experiment"]) == ("live", None)
    assert set(page(api, q="echo", type="sound")["generations"]) == {"sound"}


def test_a_search_stays_with_its_index_and_a_new_one_goes_to_the_live_one(
    api: httpx.Client, indices: Indices
) -> None:
    first = page(api, q="echo", type="sound", limit=10)
    assert _generation(first) == OLD
    indices.exchange(OLD, NEW)
    new = _eventually(api, NEW)
    assert new["total"]["value"] == 20
    pages = [first]
    while cursor := pages[-1]["next"]:
        pages.append(page(api, q="echo", type="sound", limit=10, cursor=cursor))
    assert {_generation(one) for one in pages} == {OLD}
    assert len(set(identities(*pages))) == 30
    assert len(identities(*all_pages(api, q="echo", type="sound", limit=7))) == 20


def test_a_page_of_an_index_that_is_gone_says_so(api: httpx.Client, indices: Indices) -> None:
    cursor = page(api, q="echo", type="sound", limit=10)["next"]
    indices.exchange(OLD, NEW)
    indices.delete(OLD)
    response = api.get("/v1/search", params={"q": "echo", "type": "sound", "cursor": cursor})
    assert (response.status_code, response.json()["code"]) == (422, "cursor_expired")
    assert "replaced" in response.json()["detail"]


def test_an_index_that_is_deleted_at_the_swap_costs_no_search(
    api: httpx.Client, indices: Indices
) -> None:
    assert _generation(page(api, q="echo", type="sound")) == OLD
    indices.exchange(OLD, NEW)
    indices.delete(OLD)
    # What this process knew a moment ago is not there any more.
    assert _generation(page(api, q="echo", type="sound")) == NEW
