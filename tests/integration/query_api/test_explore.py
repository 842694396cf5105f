"""Explore over real indices: order, windows, genres, shares, pages."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.settings import Settings, SettingsError
from query_api.answers import ExploreAnswer
from query_api.app import create_app
from tests.integration.query_api.catalogue import BEGINNING, Document, sound, user
from tests.integration.query_api.conftest import Write
from tests.integration.query_api.serving import served

NOW = BEGINNING + timedelta(days=100)


def busy(make: Any, number: int, heat: float, *, hours: float = 1, **fields: Any) -> Document:
    """An old entity of that heat (doublings above the quietest), busy until `hours` ago."""
    own = {
        "active_at": (NOW - timedelta(hours=hours)).isoformat(),
        "heat_day": 38_000 + heat,
        "heat_week": 4_000 + heat,
        "heat_month": 1_000 + heat,
        "created_at": (NOW - timedelta(days=3000)).isoformat(),
    }
    document: Document = make(number, f"Busy {number}", **own | {"user_id": number} | fields)
    if make is user:
        del document["user_id"]
    return document


DOCUMENTS = [
    busy(sound, 1, 5, genre="Techno"),
    busy(sound, 2, 9, genre="Techno", hours=30),
    busy(sound, 3, 8, genre="Dub", hours=200),
    busy(sound, 4, 7, genre="Ambient", hours=800),
    # As busy as the first, but new; and as busy, but well known.
    busy(sound, 5, 5, genre="Dub", created_at=(NOW - timedelta(hours=3)).isoformat()),
    busy(sound, 6, 5, genre="Dub", rank_a=160),
    # All by one person.
    *(busy(sound, number, 4 - number / 100, user_id=77) for number in range(10, 20)),
    busy(user, 1, 6),
    sound(90, "Nobody hears this", user_id=90),
    # In the genres of the week, one each.
    *(busy(sound, number, 1, hours=100, genre="House") for number in range(30, 60)),
]


@pytest.fixture(scope="module")
def explore_address(indices: Settings, write: Write) -> Iterator[str]:
    write(DOCUMENTS)
    with served(replace(indices, explore_at=NOW.isoformat())) as at:
        yield at


@pytest.fixture
def explore(explore_address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=explore_address, timeout=20) as client:
        yield client


def answer(explore: httpx.Client, **parameters: Any) -> dict[str, Any]:
    response = explore.get("/v1/explore", params=parameters)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    ExploreAnswer.model_validate(found)
    return found


def keys(found: dict[str, Any]) -> list[str]:
    return [f"{hit['type']} {hit['id']}" for hit in found["hits"]]


def test_the_busiest_come_first_and_what_is_new_or_known_above_its_equals(
    explore: httpx.Client,
) -> None:
    found = answer(explore, window="24h")
    assert keys(found)[:4] == ["sound 5", "sound 6", "user 1", "sound 1"]
    assert found["hits"][0]["score"] == 1
    assert found["hits"][0]["fields"]["genre"] == "Dub"


def test_a_window_has_what_was_busy_within_it(explore: httpx.Client) -> None:
    day, week, month = (set(keys(answer(explore, window=w, limit=100))) for w in WINDOWS)
    assert week - day == {"sound 2", *(f"sound {number}" for number in range(30, 60))}
    assert month - week == {"sound 3"}
    assert "sound 4" not in month
    assert keys(answer(explore)) == keys(answer(explore, window="7d"))


WINDOWS = ("24h", "7d", "30d")


def test_nobody_has_more_than_a_few(explore: httpx.Client) -> None:
    found = keys(answer(explore, window="24h", limit=100))
    assert [key for key in found if int(key.split()[1]) in range(10, 20)] == [
        "sound 10",
        "sound 11",
    ]


def test_genres_are_counted_and_narrow_whatever_their_case(explore: httpx.Client) -> None:
    found = answer(explore, window="7d")
    counts = {one["value"]: one["count"] for one in found["genres"]}
    assert counts == {"House": 30, "Techno": 2, "Dub": 2}
    narrowed = answer(explore, window="7d", genre="techno")
    assert set(keys(narrowed)) == {"sound 1", "sound 2"}
    assert narrowed["genres"] == found["genres"]
    assert keys(answer(explore, genre="Polka")) == []


def test_one_type_alone(explore: httpx.Client) -> None:
    assert keys(answer(explore, type="user")) == ["user 1"]
    assert not any(key.startswith("user") for key in keys(answer(explore, type="sound")))


def test_pages_are_one_list(explore: httpx.Client) -> None:
    whole = answer(explore, limit=100)
    pages = [answer(explore, limit=7)]
    while cursor := pages[-1]["next"]:
        pages.append(answer(explore, limit=7, cursor=cursor))
    assert [key for one in pages for key in keys(one)] == keys(whole)
    assert len({one["query_id"] for one in pages}) == 1
    assert whole["total"] == {"value": len(whole["hits"]), "relation": "eq"}


@pytest.mark.parametrize(
    ("query", "code", "parameter", "said"),
    [
        ("windows=7d", "unknown_parameter", "windows", "Did you mean 'window'?"),
        ("window=1y", "invalid_value", "window", "one of 24h, 7d, 30d"),
        ("type=set", "invalid_value", "type", "Types are user, sound"),
        ("limit=0", "invalid_value", "limit", "from 1 to 100"),
        ("limit=7&limit=8", "repeated_parameter", "limit", "Give it once"),
        ("cursor=abc", "cursor_invalid", "cursor", "Start again"),
        (f"genre={'x' * 300}", "invalid_value", "genre", "at most 256"),
    ],
)
def test_what_is_wrong_is_named(
    explore: httpx.Client, query: str, code: str, parameter: str, said: str
) -> None:
    response = explore.get(f"/v1/explore?{query}")
    problem = response.json()
    assert (response.status_code, problem["code"], problem["parameter"]) == (422, code, parameter)
    assert said in problem["detail"]


def test_a_cursor_belongs_to_its_list(explore: httpx.Client, explore_address: str) -> None:
    cursor = answer(explore, limit=5)["next"]
    response = explore.get("/v1/explore", params={"window": "24h", "cursor": cursor})
    assert response.json()["code"] == "cursor_mismatch"
    search = httpx.get(f"{explore_address}/v1/search", params={"cursor": cursor})
    assert search.json()["code"] == "cursor_mismatch"


def test_without_a_moment_it_looks_back_from_now(api: httpx.Client, explore_address: str) -> None:
    assert explore_address  # the documents are there
    found = api.get("/v1/explore", params={"window": "30d"}).json()
    assert found["hits"] == []
    assert found["total"] == {"value": 0, "relation": "eq"}


@pytest.mark.parametrize("moment", ["yesterday", "2026-03-01T00:00:00"])
def test_a_moment_that_is_none_is_refused_at_the_start(moment: str) -> None:
    with pytest.raises(SettingsError, match=r"explore_at is .* RFC 3339 time with its offset"):
        create_app(Settings(explore_at=moment))
