"""Pages: complete, in one order, and of one search."""

import httpx
import pytest

from tests.integration.query_api.catalogue import moment, set_, sound, user
from tests.integration.query_api.conftest import Write
from tests.integration.query_api.reading import all_pages, identities, page

# Most score alike: only the fixed order of ties keeps them apart.
TIED = [sound(number, "Echo", created_at=moment(0)) for number in range(1, 61)]
DOCUMENTS = [
    *TIED,
    *(user(number, "Echo", created_at=moment(0)) for number in range(1, 41)),
    *(set_(number, "Echo", created_at=moment(number % 3)) for number in range(1, 31)),
    *(sound(number, f"Echo {'delta ' * (number % 7)}") for number in range(100, 120)),
]
EVERYTHING = {(document["type"], str(document["id"])) for document in DOCUMENTS}


@pytest.fixture(scope="module", autouse=True)
def _documents(write: Write) -> None:
    write(DOCUMENTS)


@pytest.mark.parametrize("limit", [1, 7, 50, 100])
@pytest.mark.parametrize("q", ["echo", ""])
def test_all_pages_together_hold_every_hit_once(api: httpx.Client, q: str, limit: int) -> None:
    pages = all_pages(api, q=q, limit=limit)
    hits = identities(*pages)
    assert len(hits) == len(set(hits))
    assert set(hits) == EVERYTHING
    assert all(len(one["hits"]) == limit for one in pages[:-1])
    assert {one["total"]["value"] for one in pages} == {len(EVERYTHING)}


def test_the_order_does_not_depend_on_the_size_of_pages(api: httpx.Client) -> None:
    orders = [identities(*all_pages(api, q="echo", limit=limit)) for limit in (3, 11, 100)]
    assert orders[0] == orders[1] == orders[2]


def test_the_size_of_pages_may_change_on_the_way(api: httpx.Client) -> None:
    first = page(api, q="echo", limit=10)
    second = page(api, q="echo", limit=20, cursor=first["next"])
    whole = page(api, q="echo", limit=30)
    assert first["hits"] + second["hits"] == whole["hits"]


def test_all_pages_are_one_search_to_its_feedback(api: httpx.Client) -> None:
    assert len({one["query_id"] for one in all_pages(api, q="echo", limit=40)}) == 1
    assert page(api, q="echo")["query_id"] != page(api, q="echo")["query_id"]


def test_the_last_page_has_no_next_even_when_it_is_full(api: httpx.Client) -> None:
    pages = all_pages(api, q="echo", type="user", limit=20)
    assert [len(one["hits"]) for one in pages] == [20, 20]


@pytest.mark.parametrize("other", [{"q": "delta"}, {"type": "sound"}, {"q": ""}])
def test_a_cursor_belongs_to_its_search(api: httpx.Client, other: dict[str, str]) -> None:
    cursor = page(api, q="echo", limit=5)["next"]
    response = api.get("/v1/search", params={"q": "echo", "cursor": cursor} | other)
    assert response.status_code == 422
    assert response.json()["code"] == "cursor_mismatch"
    assert response.json()["parameter"] == "cursor"


def test_a_changed_cursor_is_refused(api: httpx.Client) -> None:
    cursor = page(api, q="echo", limit=5)["next"]
    changed = cursor[:30] + ("A" if cursor[30] != "A" else "B") + cursor[31:]
    response = api.get("/v1/search", params={"q": "echo", "cursor": changed})
    assert (response.status_code, response.json()["code"]) == (422, "cursor_invalid")
