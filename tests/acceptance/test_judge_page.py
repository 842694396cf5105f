"""A person judges results in a real browser, with JavaScript and without."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from access.operations import open_keys
from core.database import open_pool
from core.engine import create_engine
from core.operation_log import Actor
from core.settings import Settings
from evaluation.judgment_operations import Entity, Judgment, JudgmentStore, Query, Scale
from tests.acceptance.browsing import launched, watched
from tests.integration.query_api import catalogue
from tests.integration.query_api.catalogue import group, set_, sound, user
from tests.integration.query_api.serving import served

DOCUMENTS = [
    *(sound(number, f"Rain {number}", genre="Ambient", tags=["field"]) for number in range(1, 7)),
    user(1, "Rain Maker", handle="rainmaker"),
    set_(1, "Rain, all day"),
    group(1, "Rain <b>people</b>"),
    sound(20, "Sunday Mass"),
]
PROFILE = Path("index_definitions/sound.search.json")


@pytest.fixture(scope="module")
def place(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The place, with a variant beside the live one."""
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "wide").mkdir()
    (folder / "wide" / "sound.search.json").write_text(PROFILE.read_text())
    (folder / "experiments.toml").write_text('[variants.wide]\nprofiles = "wide"\n')
    return Settings(
        **{**vars(settings), "experiments": str(folder / "experiments.toml")},
    )


@pytest.fixture(scope="module")
def keys(place: Settings) -> dict[str, str]:
    """Keys of raters by name, over a catalogue and two sets that bo has judged a little of."""

    async def fill() -> dict[str, str]:
        async with create_engine(place) as engine:
            await catalogue.create_indices(engine, place)
            await catalogue.write(engine, place, DOCUMENTS)
        async with open_pool(place.database_url, application="disco tests") as pool:
            store = JudgmentStore(pool)
            queries = [Query.of("rain", "q1"), Query.of("sunday mass", "q2")]
            for name, scale in [("graded", Scale.GRADES), ("thumbed", Scale.THUMBS)]:
                by_bo = Judgment(query="q2", entity=Entity("sound", "20"), rater="bo", grade=1)
                await store.add(name, scale, queries, [by_bo])
        async with open_keys(place, Actor(name="ana", via="cli")) as keys:
            return {
                name: (await keys.create(name, ["feedback:write"])).text for name in ("ana", "cy")
            }

    return asyncio.run(fill())


@pytest.fixture(scope="module")
def address(place: Settings, keys: dict[str, str]) -> Iterator[str]:
    assert keys
    with served(place) as at:
        yield at


@pytest.fixture(scope="module")
def browser(address: str) -> Iterator[Browser]:
    assert address
    with launched() as running:
        yield running


@contextmanager
def _entered(browser: Browser, address: str, key: str, *, scripts: bool) -> Iterator[Page]:
    """A watched page of somebody who may judge."""
    with watched(browser, address, scripts=scripts) as page:
        session = page.request.post("/login", form={"key": key, "next": "/judge"})
        assert session.ok
        page.goto("/judge")
        yield page


def test_grades_without_scripts_to_the_end(
    browser: Browser, address: str, keys: dict[str, str]
) -> None:
    with _entered(browser, address, keys["ana"], scripts=False) as page:
        chosen = page.locator(".judge-set", has_text="graded")
        chosen.get_by_role("button", name="Begin").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("rain")
        items = page.locator(".judged-hit")
        expect(items).to_have_count(9)
        assert "live" not in page.locator("main").inner_text()
        first = items.first.locator(".hit-title").inner_text()
        items.first.get_by_label("Exactly").check()
        items.nth(1).get_by_label("No use").check()
        page.get_by_role("button", name="Save").click()

        expect(page.get_by_role("heading", level=1)).to_contain_text("sunday mass")
        expect(page.locator(".judge-progress")).to_contain_text("1 of 2 queries")
        page.get_by_label("Good").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="All of graded is judged")).to_be_visible()
        expect(page.locator("main")).to_contain_text("You gave 3 judgments for 2 queries")
        expect(page.locator(".judge-agreement")).to_contain_text("Krippendorff")

        page.get_by_text("Look at a query again").click()
        page.get_by_role("link", name="rain").click()
        expect(items.first.locator(".hit-title")).to_have_text(first)  # as it stood
        expect(items.first.get_by_label("Exactly")).to_be_checked()
        page.goto("/judge")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Key")).to_be_visible()
        page.goto("/judge/graded")
        expect(page).to_have_url("/login?next=%2Fjudge%2Fgraded")


def test_thumbs_by_the_keyboard(browser: Browser, address: str, keys: dict[str, str]) -> None:
    with _entered(browser, address, keys["cy"], scripts=True) as page:
        page.locator(".judge-set", has_text="thumbed").get_by_role("button", name="Begin").click()
        items = page.locator(".judged-hit")
        expect(items.first).to_have_class("hit judged-hit current")
        for key in ("1", "0", "1"):
            page.keyboard.press(key)
        expect(items.nth(3)).to_have_class("hit judged-hit current")
        expect(page.locator("#graded")).to_have_text("3 of 9 graded")
        page.keyboard.press("k")
        page.keyboard.press("x")
        expect(page.locator("#graded")).to_have_text("2 of 9 graded")
        page.keyboard.press("s")
        expect(page.get_by_role("heading", level=1)).to_contain_text("sunday mass")
        page.keyboard.press("0")
        page.keyboard.press("s")
        expect(page.locator("main")).to_contain_text("You gave 3 judgments")


def test_a_phone_shows_it_without_scrolling_sideways(
    browser: Browser, address: str, keys: dict[str, str]
) -> None:
    with _entered(browser, address, keys["cy"], scripts=True) as page:
        page.set_viewport_size({"width": 320, "height": 640})
        for path in ("/judge", "/judge/graded?query=q1", "/judge/thumbed?query=q1"):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
