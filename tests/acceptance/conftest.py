"""A browser, and pages of the service that a test module starts as its `address`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.acceptance.browsing import launched, watched


@pytest.fixture(scope="module")
def browser(address: str) -> Iterator[Browser]:
    assert address
    with launched() as running:
        yield running


@pytest.fixture(params=["with scripts", "without scripts"])
def either(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in a browser that runs scripts, and in one that does not."""
    with watched(browser, address, scripts=request.param == "with scripts") as page:
        yield page


@pytest.fixture
def scripted(browser: Browser, address: str) -> Iterator[Page]:
    with watched(browser, address, scripts=True) as page:
        yield page
