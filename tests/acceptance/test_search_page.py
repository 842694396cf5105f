"""A person searches in a real browser, with JavaScript and without."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from core.engine import create_engine
from core.settings import Settings
from tests.acceptance.browsing import violations
from tests.integration.query_api import catalogue
from tests.integration.query_api.catalogue import group, moment, set_, sound, user
from tests.integration.query_api.serving import served

GENRES = ("Dub, Roots", "House", None, "Techno", None)
DOCUMENTS = [
    *(
        sound(number, f"Rain {number}", created_at=moment(number), genre=GENRES[number % 5])
        for number in range(1, 46)
    ),
    sound(
        90,
        "Windowlicker",
        subtitle="Aphex Twin",
        permalink="/aphextwin/windowlicker",
        user_handle="aphextwin",
        tags=["idm", "drum & bass"],
        description="Not about windows at all.",
    ),
    sound(91, "<img src=x onerror=document.title='broken'>", subtitle="<b>Bold</b>"),
    sound(92, "مطر في القاهرة", subtitle="Dina"),
    user(1, "Aphex Twin", handle="aphextwin", permalink="/aphextwin"),
    set_(1, "Windows Down"),
    group(1, "Window Cleaners"),
]


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    async def fill() -> None:
        async with create_engine(settings) as engine:
            await catalogue.create_indices(engine, settings)
            await catalogue.write(engine, settings, DOCUMENTS)

    asyncio.run(fill())
    with served(settings) as at:
        yield at


def box(page: Page) -> Locator:
    return page.get_by_role("searchbox")


def test_search_by_pressing_enter(either: Page) -> None:
    either.goto("/")
    box(either).fill("windowlicker")
    box(either).press("Enter")
    expect(either).to_have_title("windowlicker \u2013 Disco")
    link = either.get_by_role("link", name="Windowlicker")
    expect(link.locator("em")).to_have_text("Windowlicker")
    expect(box(either)).to_have_value("windowlicker")
    link.click()
    expect(either).to_have_url("/aphextwin/windowlicker")
    expect(either.get_by_role("heading", name="Windowlicker")).to_be_visible()
    either.get_by_role("link", name="Aphex Twin").click()
    expect(either).to_have_url("/aphextwin")
    expect(either.get_by_role("heading", name="Aphex Twin")).to_be_visible()


def test_what_is_opened_is_told_with_its_position(scripted: Page) -> None:
    accepted = _accepted(scripted)
    scripted.goto("/?q=window")
    hit = scripted.locator(".hit").nth(1)
    shown = (hit.get_attribute("data-type"), hit.get_attribute("data-id"))
    with scripted.expect_request("**/v1/interactions") as told:
        hit.get_by_role("link").first.click()
    (event,) = json.loads(told.value.post_data or "{}")["events"]
    assert (event["type"], event["entity_id"]) == shown
    assert (event["kind"], event["position"]) == ("click", 2)
    deadline = time.monotonic() + 10
    while _accepted(scripted) != accepted + 1:
        assert time.monotonic() < deadline, "it was not accepted"


def _accepted(page: Page) -> float:
    """Interactions that the service has accepted so far."""
    name = 'disco_query_api_interactions_total{outcome="accepted"} '
    lines = page.request.get("/metrics").text().splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_search_by_the_button(either: Page) -> None:
    either.goto("/")
    box(either).fill("cleaners")
    either.get_by_role("button", name="Search").click()
    expect(either.get_by_role("link", name="Window Cleaners")).to_be_visible()


def test_narrow_to_one_type_and_keep_it_while_searching_on(either: Page) -> None:
    either.goto("/?q=window")
    expect(either.locator(".hit")).to_have_count(3)
    either.get_by_role("navigation", name="Kinds").get_by_role("link", name="Sets").click()
    expect(either).to_have_url("/?q=window&type=set")
    expect(either.locator(".hit")).to_have_count(1)
    expect(either.locator("[aria-current=page]")).to_have_text("Sets")
    box(either).fill("cleaners")
    box(either).press("Enter")
    expect(either.get_by_text("Nothing is like “cleaners”")).to_be_visible()
    either.get_by_role("link", name="Search among everything").click()
    expect(either.get_by_role("link", name="Window Cleaners")).to_be_visible()


def test_a_better_spelling_is_said_and_can_be_followed(either: Page) -> None:
    either.goto("/?q=windwolicker&type=sound")
    expect(either.locator(".notice")).to_contain_text("Nothing has “windwolicker”")
    expect(either.locator(".hit")).to_have_count(1)
    either.get_by_role("link", name="windowlicker", exact=True).click()
    expect(either).to_have_url("/?q=windowlicker&type=sound")
    expect(box(either)).to_have_value("windowlicker")
    expect(either.locator(".notice")).to_have_count(0)


def test_narrow_by_filters_and_keep_them_in_the_address(either: Page) -> None:
    either.goto("/?q=rain&type=sound")
    either.get_by_text("Filters").click()
    genres = either.get_by_role("region", name="Genre")
    genres.get_by_role("link", name="Dub, Roots").click()
    expect(either).to_have_url("/?q=rain&type=sound&filter.genre=Dub%5C%2C+Roots")
    expect(either.locator(".hit")).to_have_count(9)
    either.get_by_role("region", name="Genre").get_by_role("link", name="House").click()
    expect(either.locator(".count")).to_contain_text("18 results")
    either.get_by_role("link", name="Remove Genre: House").click()
    expect(either.locator(".hit")).to_have_count(9)
    either.get_by_role("navigation", name="Order").get_by_role("link", name="Oldest").click()
    expect(either.locator(".hit-title").first).to_have_text("Rain 5")
    box(either).fill("rain 1")
    box(either).press("Enter")
    expect(either).to_have_url(re.compile(r"q=rain\+1&type=sound&sort=oldest&filter\.genre=.*"))
    expect(either.locator(".hit-title").first).to_have_text("Rain 10")
    either.get_by_role("link", name="Remove all").click()
    expect(either).to_have_url("/?q=rain+1&type=sound")


def test_typing_keeps_the_filters(scripted: Page) -> None:
    scripted.goto("/?type=sound&filter.genre=House")
    box(scripted).press_sequentially("rain")
    expect(scripted).to_have_url("/?q=rain&type=sound&filter.genre=House")
    expect(scripted.locator(".hit")).to_have_count(9)


def test_page_through_the_results(either: Page) -> None:
    either.goto("/?q=rain&type=sound")
    titles = either.locator(".hit-title").all_inner_texts()
    for expected in (20, 5):
        either.get_by_role("link", name="More results").click()
        expect(either.locator(".hit")).to_have_count(expected)
        titles += either.locator(".hit-title").all_inner_texts()
    assert sorted(titles) == sorted(f"Rain {number}" for number in range(1, 46))
    expect(either.get_by_role("link", name="More results")).to_have_count(0)
    expect(either.locator(".count")).to_contain_text("41\u201345 of 45 results")
    either.get_by_role("link", name="First page").click()
    expect(either).to_have_url("/?q=rain&type=sound")


def test_a_stale_link_to_a_later_page_shows_the_first(either: Page) -> None:
    either.goto("/?q=rain&type=sound&cursor=left-in-a-bookmark")
    expect(either.get_by_text("no longer valid")).to_be_visible()
    expect(either.locator(".hit")).to_have_count(20)


def test_parameters_that_others_append_do_no_harm(either: Page) -> None:
    either.goto("/?q=windowlicker&utm_source=mail&fbclid=1")
    expect(either.get_by_role("link", name="Windowlicker")).to_be_visible()


def test_nothing_typed_lists_the_newest(either: Page) -> None:
    either.goto("/")
    expect(either.get_by_text("Newest first")).to_be_visible()
    expect(either.locator(".hit").first).to_contain_text("مطر في القاهرة")


def test_markup_in_names_is_shown_as_text(either: Page) -> None:
    either.goto("/?q=onerror")
    expect(either.locator(".hit-title")).to_contain_text("<img src=x onerror=")
    expect(either.locator(".hit-subtitle")).to_contain_text("<b>Bold</b>")
    expect(either.locator("main img, main b")).to_have_count(0)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/nobody/nothing", 404, "Not found"),
        ("/?q=rain&type=film", 422, "There is no type 'film'"),
        ("/?q=" + "x" * 600, 422, "Please search for fewer words"),
    ],
)
def test_what_goes_wrong_is_told_with_a_way_on(
    browser: Browser, address: str, path: str, status: int, text: str
) -> None:
    page = browser.new_page(base_url=address)
    response = page.goto(path)
    assert response is not None
    assert response.status == status
    expect(page.get_by_text(text).first).to_be_visible()
    page.get_by_role("link", name="Go to the start page").click()
    expect(page).to_have_url("/")
    page.context.close()


def test_results_come_while_typing(scripted: Page) -> None:
    scripted.goto("/")
    box(scripted).press_sequentially("windowl", delay=20)
    expect(scripted.locator(".hit")).to_have_count(1)
    expect(scripted.locator(".hit em").first).to_have_text("Windowlicker")
    expect(scripted).to_have_url("/?q=windowl")
    expect(scripted.get_by_role("status")).to_contain_text("1 result")
    expect(box(scripted)).to_be_focused()
    box(scripted).press_sequentially("zzz")
    expect(scripted.get_by_role("main")).to_contain_text("Nothing is like “windowlzzz”")
    expect(scripted.get_by_role("status")).to_contain_text("This is what is popular")
    box(scripted).fill("")
    expect(scripted.get_by_role("main")).to_contain_text("Newest first")
    expect(scripted).to_have_url("/")


def test_tabs_lead_on_from_what_was_typed(scripted: Page) -> None:
    scripted.goto("/")
    box(scripted).press_sequentially("window")
    expect(scripted).to_have_url("/?q=window")
    scripted.get_by_role("navigation", name="Kinds").get_by_role("link", name="Groups").click()
    expect(scripted).to_have_url("/?q=window&type=group")
    expect(scripted.locator(".hit")).to_have_count(1)


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(scripted: Page) -> None:
    held: list[Route] = []
    scripted.goto("/")
    scripted.route("**/?q=rain", lambda route: held.append(route))  # noqa: PLW0108  (it sets an attribute)
    box(scripted).fill("rain")
    scripted.wait_for_event("request", lambda request: request.url.endswith("?q=rain"))
    box(scripted).fill("windowlicker")
    expect(scripted.locator(".hit")).to_have_count(1)
    assert held
    held[0].continue_()
    scripted.wait_for_load_state("networkidle")
    expect(scripted.locator(".hit-title")).to_have_text("Windowlicker")
    expect(scripted).to_have_url("/?q=windowlicker")


def test_going_back_from_a_hit_returns_to_the_results(scripted: Page) -> None:
    scripted.goto("/")
    box(scripted).press_sequentially("windowlicker")
    expect(scripted).to_have_url("/?q=windowlicker")
    scripted.get_by_role("link", name="Windowlicker").click()
    expect(scripted).to_have_url("/aphextwin/windowlicker")
    scripted.go_back()
    expect(scripted).to_have_url("/?q=windowlicker")
    expect(scripted.get_by_role("link", name="Windowlicker")).to_be_visible()
    expect(box(scripted)).to_have_value("windowlicker")


def test_everything_can_be_reached_by_the_keyboard(scripted: Page) -> None:
    scripted.goto("/?q=window")
    scripted.keyboard.press("/")
    expect(box(scripted)).to_be_focused()
    scripted.keyboard.press("ArrowDown")
    expect(scripted.locator(".hit-title a").first).to_be_focused()
    scripted.keyboard.press("ArrowDown")
    expect(scripted.locator(".hit-title a").nth(1)).to_be_focused()
    scripted.keyboard.press("ArrowUp")
    scripted.keyboard.press("ArrowUp")
    expect(box(scripted)).to_be_focused()
    scripted.keyboard.press("Escape")
    expect(box(scripted)).to_have_value("")
    expect(scripted.get_by_role("main")).to_contain_text("Newest first")


def test_a_slash_in_the_box_is_a_slash(scripted: Page) -> None:
    scripted.goto("/")
    box(scripted).press_sequentially("ac/dc")
    expect(box(scripted)).to_have_value("ac/dc")


def test_a_screen_reader_finds_its_way(either: Page) -> None:
    either.goto("/?q=window")
    expect(either.get_by_role("search")).to_be_visible()
    expect(either.get_by_role("searchbox", name="Search sounds")).to_be_visible()
    expect(either.get_by_role("main")).to_be_visible()
    expect(either.get_by_role("heading", level=1)).to_have_count(1)
    expect(either.get_by_role("heading", level=2)).to_have_count(3)
    expect(either.get_by_role("navigation", name="Kinds of results")).to_be_visible()
    either.keyboard.press("Tab")
    expect(either.get_by_role("link", name="Skip to results")).to_be_focused()


def test_names_of_every_script_stand_in_one_column(either: Page) -> None:
    either.goto("/")
    edges = [
        either.locator(".hit-title a", has_text=name).evaluate(
            """link => {
                const range = document.createRange();
                range.selectNodeContents(link);
                return Math.round(range.getBoundingClientRect().left);
            }"""
        )
        for name in ("القاهرة", "Windowlicker")
    ]
    assert edges[0] == edges[1]


@pytest.mark.parametrize("path", ["/", "/?q=window", "/aphextwin/windowlicker", "/?q=مطر"])
def test_a_phone_shows_everything_without_scrolling_sideways(
    browser: Browser, address: str, path: str
) -> None:
    page = browser.new_page(base_url=address, viewport={"width": 320, "height": 640})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.context.close()


def test_the_dark_is_dark(browser: Browser, address: str) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(base_url=address, color_scheme=scheme)
        page.goto("/?q=window")
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness[scheme] = sum(map(int, colour.strip("rgb()").split(",")))
        page.context.close()
    assert brightness["light"] > 600
    assert brightness["dark"] < 150


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?q=window",
        "/?q=rain&type=sound&filter.genre=House",
        "/?q=zzzz",
        "/aphextwin/windowlicker",
        "/nobody/nothing",
        "/?q=windwolicker&type=sound",
    ],
)
def test_the_rules_of_accessibility_are_kept(
    browser: Browser, address: str, path: str, scheme: Literal["light", "dark"]
) -> None:
    assert violations(browser, address, path, scheme) == []
