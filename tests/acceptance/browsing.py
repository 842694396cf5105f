"""A real browser, and pages that are watched while a person uses them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser. Start it after the service: its loop would keep `asyncio.run` from running."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def watched(browser: Browser, address: str, *, scripts: bool) -> Iterator[Page]:
    """A page that must neither complain nor load anything from elsewhere."""
    context = browser.new_context(base_url=address, java_script_enabled=scripts)
    page = context.new_page()
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on(
        "request",
        lambda request: None if request.url.startswith(address) else complaints.append(request.url),
    )
    yield page
    context.close()
    assert not complaints, complaints


def violations(
    browser: Browser, address: str, path: str, scheme: Literal["light", "dark"]
) -> list[str]:
    """The rules of axe-core that a page breaks, each with the places."""
    page = browser.new_page(base_url=address, color_scheme=scheme)
    page.goto(path)
    found = Axe().run(page).response["violations"]
    page.context.close()
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]
