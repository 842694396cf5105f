"""A person watches the dashboard in a real browser while people search and things change."""

import asyncio
import dataclasses
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from access.operations import Scope, open_keys
from core.database import open_pool
from core.operation_log import Actor
from core.settings import Settings
from demo import writes
from demo.application import open_application
from evaluation.judgment_operations import (
    Entity,
    Judgment,
    JudgmentStore,
    Query,
    ResultStore,
    Scale,
)
from evaluation.run_operations import of_rankings, side_by_side
from stack import programs
from tests.acceptance.browsing import launched, watched
from tests.integration.indexer.oracle import open_index
from tests.integration.query_api.serving import served

WAIT = 60_000  # milliseconds of patience; a few looks of the dashboard take a few seconds
NOBODY = "http://127.0.0.1:9/metrics"


@pytest.fixture(scope="module")
def key(settings: Settings) -> str:
    async def make() -> str:
        async with open_keys(settings, Actor(name="tests", via="cli")) as keys:
            return (await keys.create("hall", [Scope.DASHBOARD_READ])).text

    return asyncio.run(make())


@pytest.fixture(scope="module")
def address(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The query API beside a worker whose metrics it reads, and a process that is not there."""

    async def index() -> None:
        async with open_index(settings) as index:
            generations = index.services.generations
            for definition in index.services.definitions.values():
                await generations.promote(await generations.create(definition), before=None)

    asyncio.run(index())
    with programs.worker(settings, tmp_path_factory.mktemp("logs")) as worker:
        told = f"{worker.url}/metrics, {NOBODY}"
        with served(dataclasses.replace(settings, dashboard_metrics=told)) as at:
            yield at


@pytest.fixture(scope="module")
def blind_address(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A query API that reaches nothing but the database, which knows the keys.

    A process of its own: other tests leave metrics of an indexer in this one.
    """
    away = dataclasses.replace(
        settings,
        engine_url="http://127.0.0.1:9",
        broker_url="amqp://127.0.0.1:9/",
        rank_store="s3:nowhere",
        dashboard_metrics=NOBODY,
    )
    with programs.query_api(away, tmp_path_factory.mktemp("blind"), ready="/healthz") as program:
        yield program.url


@pytest.fixture(scope="module")
def browser(address: str, blind_address: str, key: str, measured: None) -> Iterator[Browser]:
    assert address
    assert blind_address
    assert key
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def measured(settings: Settings) -> None:
    """What `disco eval run` keeps: the live variant brought what was meant in the second place."""

    async def measure() -> None:
        meant = Judgment(query="q", entity=Entity("sound", "1"), rater="ana", grade=3)
        run = of_rankings("live", {"q": ["sound:2", "sound:1"]})
        async with open_pool(settings.database_url, application="disco tests") as pool:
            judgments = JudgmentStore(pool)
            await judgments.add("spring", Scale.GRADES, [Query.of("rain", "q")], [meant])
            result = side_by_side(
                await judgments.read("spring"),
                {"live": run},
                "live",
                ["nDCG@10", "Judged@10"],
                titles={},
                floors={"nDCG@10": 0.9},
            )
            await ResultStore(pool).keep(result, {"live"})

    asyncio.run(measure())


@contextmanager
def traffic(address: str, settings: Settings) -> Iterator[None]:
    """People search, half of them in vain, and the catalogue changes, until the end."""
    stopping = threading.Event()

    def search() -> None:
        with httpx.Client(base_url=address, timeout=10) as client:
            while not stopping.wait(0.1):
                for query in ("rain", "nobodyhasthisname"):
                    answer = client.get("/v1/search", params={"q": query})
                    if answer.status_code not in (503, 504):  # a busy machine; the next is in time
                        answer.raise_for_status()

    async def change() -> None:
        async with open_application(settings, connections=1) as application:
            while not stopping.is_set():
                await application.apply(writes.create_user("Rain"))
                await asyncio.sleep(0.2)

    threads = [
        threading.Thread(target=search),
        threading.Thread(target=lambda: asyncio.run(change())),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join(20)
    assert not any(thread.is_alive() for thread in threads)


def enter(page: Page, key: str) -> None:
    page.goto("/dashboard")
    expect(page).to_have_url("/login?next=%2Fdashboard")
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Go on").click()
    expect(page).to_have_url("/dashboard")


def tile(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(
        has=page.get_by_role("heading", name=name, exact=True)
    )


def value(page: Page, name: str) -> Locator:
    return tile(page, name).locator(".stat-value")


def test_the_numbers_follow_what_happens(
    browser: Browser, address: str, key: str, settings: Settings
) -> None:
    with watched(browser, address, scripts=True) as page:
        enter(page, key)
        expect(page.get_by_role("status").filter(has_text="live")).to_be_visible()
        with traffic(address, settings):
            above_zero = re.compile(r"^\d*[1-9]|^0\.\d*[1-9]")
            for name in ("Searches a second", "Search latency", "Engine latency", "Freshness"):
                expect(value(page, name)).to_have_text(above_zero, timeout=WAIT)
            expect(value(page, "Searches without a hit")).to_have_text(
                re.compile(r"^[3-9]\d"), timeout=WAIT
            )
        expect(value(page, "Failed searches")).to_have_text("0 %")
        expect(value(page, "Dead letters")).to_have_text("0")
        expect(tile(page, "Search latency").get_by_role("img")).to_be_visible()
        clicks = page.get_by_role("region", name="Clicks")
        expect(clicks).to_contain_text("Nobody has searched", timeout=WAIT)
        judged = page.get_by_role("region", name="Judged queries").get_by_role("row")
        expect(judged.filter(has_text="spring")).to_contain_text(
            re.compile(r"live\s*0\.631\s*below 0\.900\s*–\s*nDCG@10\s*50\.0 %"), timeout=WAIT
        )
        users = page.get_by_role("row").filter(has_text=f"{settings.index_prefix}-user-")
        expect(users).to_contain_text("live")
        expect(page.get_by_role("row").filter(has_text=NOBODY)).to_contain_text("missing")
        page.get_by_role("button", name="Log out").click()
        expect(page).to_have_url("/login")
        page.goto("/dashboard")
        expect(page).to_have_url("/login?next=%2Fdashboard")


def test_it_is_complete_without_scripts(browser: Browser, address: str, key: str) -> None:
    with watched(browser, address, scripts=False) as page:
        enter(page, key)
        expect(page.get_by_role("heading", level=2)).to_have_count(18)
        expect(value(page, "Changes that wait")).to_have_text(re.compile(r"^\d"))
        refreshed = page.locator("noscript, head meta[http-equiv=refresh]").first
        assert 'content="10"' in (refreshed.evaluate("node => node.outerHTML"))


def test_what_is_away_is_missing_with_its_reason(
    browser: Browser, blind_address: str, key: str
) -> None:
    with watched(browser, blind_address, scripts=True) as page:
        enter(page, key)
        reasons = {
            "Freshness": "DISCO_DASHBOARD_METRICS",
            "Changes that wait": "RabbitMQ",
            "Suggest latency": "DISCO_DASHBOARD_METRICS",
        }
        for name, reason in reasons.items():
            expect(tile(page, name)).to_contain_text(reason)
        for name in ("Indices", "Rank edition"):
            region = page.get_by_role("region", name=name)
            expect(region).to_contain_text("missing")
        expect(value(page, "Searches a second")).to_have_text(re.compile(r"^\d"))


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
def test_it_fits_a_phone_and_the_dark(
    browser: Browser, address: str, key: str, width: int, scheme: str
) -> None:
    page = browser.new_page(
        base_url=address,
        viewport={"width": width, "height": 700},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    enter(page, key)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    colour = page.evaluate("getComputedStyle(document.querySelector('.panel')).backgroundColor")
    brightness = sum(map(int, colour.strip("rgb()").split(",")))
    assert brightness < 150 if scheme == "dark" else brightness > 600
    page.context.close()
