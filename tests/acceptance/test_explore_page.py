"""A person looks around: Explore, and from a sound on to what is related to it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from core.engine import create_engine
from core.settings import Settings
from tests.acceptance.browsing import violations
from tests.integration.query_api import catalogue
from tests.integration.query_api.catalogue import BEGINNING, Document, set_, sound
from tests.integration.query_api.serving import served

NOW = BEGINNING + timedelta(days=100)


def busy(number: int, title: str, *, hours: float, **fields: Any) -> Document:
    own = {
        "active_at": (NOW - timedelta(hours=hours)).isoformat(),
        **{f"heat_{span}": 9_000 - number for span in ("day", "week", "month")},
        "user_id": number,
        "permalink": f"/ana/{title.lower().replace(' ', '-')}",
    }
    return sound(number, title, **own | fields)


DOCUMENTS = [
    busy(1, "Hot", hours=2, genre="Techno", tags=["peak"]),
    busy(2, "Warm", hours=90, genre="Drum & Bass", tags=["peak"]),
    *(busy(number, f"Mild {number}", hours=300, genre="Dub") for number in range(3, 33)),
    sound(80, "Neighbour", user_id=80, permalink="/bo/neighbour"),
    set_(1, "Both", sound_ids=[1, 80]),
]


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    async def fill() -> None:
        async with create_engine(settings) as engine:
            await catalogue.create_indices(engine, settings)
            await catalogue.write(engine, settings, DOCUMENTS)

    asyncio.run(fill())
    with served(replace(settings, explore_at=NOW.isoformat())) as at:
        yield at


def titles(page: Page) -> list[str]:
    return page.locator(".hit-title").all_inner_texts()


def test_look_around_by_window_and_genre(either: Page) -> None:
    either.goto("/")
    either.get_by_role("link", name="Explore").click()
    expect(either).to_have_url("/explore")
    expect(either.get_by_role("link", name="Explore")).to_have_attribute("aria-current", "page")
    assert titles(either) == ["Hot", "Warm"]
    windows = either.get_by_role("navigation", name="How far back")
    windows.get_by_role("link", name="24 hours").click()
    expect(either.locator(".hit")).to_have_count(1)
    windows.get_by_role("link", name="30 days").click()
    expect(either.locator(".hit")).to_have_count(20)
    genres = either.get_by_role("navigation", name="Genres")
    expect(genres.get_by_role("link", name="Dub 30")).to_be_visible()
    genres.get_by_role("link", name="Drum & Bass").click()
    expect(either).to_have_url("/explore?window=30d&genre=Drum+%26+Bass")
    expect(either.locator(".hit")).to_have_count(1)
    windows.get_by_role("link", name="24 hours").click()
    expect(either.get_by_role("main")).to_contain_text("It was quiet in Drum & Bass")
    either.get_by_role("link", name="Look further back").click()
    expect(either).to_have_url("/explore?window=7d&genre=Drum+%26+Bass")
    assert titles(either) == ["Warm"]


def test_page_through_what_is_busy(either: Page) -> None:
    either.goto("/explore?window=30d&genre=dub")
    seen = titles(either)
    either.get_by_role("link", name="More").click()
    expect(either.locator(".hit")).to_have_count(10)
    assert sorted(seen + titles(either)) == sorted(f"Mild {number}" for number in range(3, 33))
    either.get_by_role("link", name="First page").click()
    expect(either.locator(".hit")).to_have_count(20)


@pytest.mark.parametrize("query", ["cursor=old", "window=1y", "type=film", "utm_source=mail"])
def test_a_link_that_is_not_quite_right_still_shows_what_is_busy(either: Page, query: str) -> None:
    either.goto(f"/explore?{query}")
    assert titles(either) == ["Hot", "Warm"]


def test_from_a_sound_on_to_what_is_related(either: Page) -> None:
    either.goto("/explore")
    either.get_by_role("link", name="Hot").click()
    related = either.get_by_role("region", name="Related sounds")
    assert related.locator(".hit-title").all_inner_texts() == ["Neighbour", "Warm"]
    related.get_by_role("link", name="Neighbour").click()
    expect(either).to_have_url("/bo/neighbour")
    expect(either.get_by_role("region", name="Related").get_by_role("link")).to_have_text("Hot")


def test_typing_leaves_explore_for_the_results(scripted: Page) -> None:
    scripted.goto("/explore")
    scripted.keyboard.press("/")
    scripted.keyboard.type("neighbour")
    expect(scripted).to_have_url("/?q=neighbour")
    expect(scripted.locator(".hit")).to_have_count(1)
    expect(scripted.locator(".site-link[aria-current]")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/explore?window=30d", "/explore?genre=none", "/ana/hot"])
def test_the_rules_of_accessibility_are_kept(
    browser: Browser, address: str, path: str, scheme: Literal["light", "dark"]
) -> None:
    assert violations(browser, address, path, scheme) == []


@pytest.mark.parametrize("path", ["/explore", "/explore?window=30d&genre=Dub", "/ana/hot"])
def test_a_phone_shows_everything_without_scrolling_sideways(
    browser: Browser, address: str, path: str
) -> None:
    page = browser.new_page(base_url=address, viewport={"width": 320, "height": 640})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.context.close()
