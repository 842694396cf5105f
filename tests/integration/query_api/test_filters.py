"""Filters, facets and sorts: what is found, counted, and in which order."""

from typing import Any

import httpx
import pytest

from query_api import filters
from query_api.problems import Problem
from tests.integration.query_api.catalogue import group, set_, sound, user
from tests.integration.query_api.conftest import Write
from tests.integration.query_api.reading import Answer, all_pages, identities, page

GENRES = ("Techno", "House", "Folk, World, & Country")
DOCUMENTS = [
    *(
        sound(
            number,
            f"Rain {number}",
            genre=GENRES[number % 3],
            tags=["Wet", f"tag-{number}"],
            user_id=number % 2,
            duration_ms=number * 60_000,
            license="cc-by" if number % 4 == 0 else "all-rights-reserved",
            downloadable=number % 5 == 0,
            created_at=f"{2020 + number % 4}-06-15T12:00:00.000000+00:00",
            rank_a=number * 7 % 13,
        )
        for number in range(1, 31)
    ),
    *(user(number, f"Rain Man {number}", verified=number == 1) for number in range(1, 4)),
    *(set_(number, f"Rain Songs {number}", sound_count=number * 10) for number in range(1, 5)),
    group(1, "Rain Dancers"),
]
SOUNDS = [one for one in DOCUMENTS if one["type"] == "sound"]


@pytest.fixture(scope="module", autouse=True)
def _documents(write: Write) -> None:
    write(DOCUMENTS)


def found(api: httpx.Client, **parameters: Any) -> set[str]:
    """Ids of the sounds that a search finds."""
    pages = all_pages(api, **parameters)
    hits = identities(*pages)
    assert {one["total"]["value"] for one in pages} == {len(hits)}
    assert {entity for entity, _ in hits} <= {"sound"}
    return {id_ for _, id_ in hits}


def those(**values: Any) -> set[str]:
    """Ids of the sounds with these values."""
    return {
        str(one["id"])
        for one in SOUNDS
        if all(one[name] == wanted for name, wanted in values.items())
    }


def counts(answer: Answer, name: str) -> dict[str, int]:
    return {one["value"]: one["count"] for one in answer["facets"][name]}


@pytest.mark.parametrize("q", ["", "rain"])
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("genre", "techno", those(genre="Techno")),
        ("genre", "Techno,HOUSE", those(genre="Techno") | those(genre="House")),
        ("genre", filters.escaped(GENRES[2]), those(genre=GENRES[2])),
        ("genre", "Tech", set()),
        ("tag", "WET,dry", those()),
        ("tag", "tag-7", {"7"}),
        ("user", "0", those(user_id=0)),
        ("license", "cc-by", those(license="cc-by")),
        ("downloadable", "true", those(downloadable=True)),
        ("duration", "60000..180000", {"1", "2", "3"}),
        ("duration", "..60000,1800000..", {"1", "30"}),
        ("duration", "120000", {"2"}),
        ("created", "2020", {str(one) for one in range(4, 31, 4)}),
        ("created", "..2020-06-14", set()),
    ],
)
def test_a_filter_leaves_what_has_the_value(
    api: httpx.Client, q: str, name: str, value: str, expected: set[str]
) -> None:
    types = {"type": "sound"} if name in {"user", "created"} else {}
    assert found(api, q=q, limit=9, **{f"filter.{name}": value}, **types) == expected


def test_all_filters_narrow_together(api: httpx.Client) -> None:
    both = {"filter.genre": "Techno", "filter.license": "cc-by"}
    assert found(api, q="rain", **both) == those(genre="Techno", license="cc-by")


def test_types_without_the_filter_are_left_out(api: httpx.Client) -> None:
    answer = page(api, "rain", **{"filter.verified": "true"})
    assert identities(answer) == [("user", "1")]
    assert list(answer["generations"]) == ["user"]
    several = page(api, "rain", limit=100, **{"filter.user": "1"})
    assert {hit["type"] for hit in several["hits"]} == {"sound", "set", "group"}


def test_facets_count_under_the_other_filters(api: httpx.Client) -> None:
    narrowed = {"filter.genre": "Techno", "filter.license": "cc-by"}
    asked = {"type": "sound", "facets": "genre,license,downloadable,duration"}
    answer = page(api, "rain", **narrowed, **asked)
    assert answer["total"]["value"] == len(those(genre="Techno", license="cc-by"))
    assert counts(answer, "genre") == {
        genre: len(those(genre=genre, license="cc-by"))
        for genre in GENRES
        if those(genre=genre, license="cc-by")
    }
    assert counts(answer, "license") == {
        license_: len(those(genre="Techno", license=license_))
        for license_ in ("cc-by", "all-rights-reserved")
    }
    assert sum(counts(answer, "downloadable").values()) == answer["total"]["value"]
    assert sum(counts(answer, "duration").values()) == answer["total"]["value"]


@pytest.mark.parametrize("name", ["genre", "tag", "license", "downloadable", "duration", "created"])
def test_each_count_is_what_the_value_finds(api: httpx.Client, name: str) -> None:
    narrowed = {"type": "sound", "filter.user": "1"}
    counted = counts(page(api, "rain", facets=name, **narrowed), name)
    assert counted
    for value, count in list(counted.items())[:6]:
        one = {f"filter.{name}": filters.escaped(value)}
        assert page(api, "rain", **narrowed, **one)["total"]["value"] == count, value


def test_a_chosen_value_is_counted_however_rare(api: httpx.Client) -> None:
    rare = {"filter.tag": "tag-30", "facets": "tag"}
    assert counts(page(api, "rain", **rare), "tag")["tag-30"] == 1


def test_types_are_counted_beside_the_one_that_is_asked_for(api: httpx.Client) -> None:
    answer = page(api, "rain", type="set", facets="type")
    assert {hit["type"] for hit in answer["hits"]} == {"set"}
    assert answer["total"]["value"] == 4
    assert counts(answer, "type") == {"sound": 30, "user": 3, "set": 4, "group": 1}


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("longest", lambda one: -one["duration_ms"]),
        ("shortest", lambda one: one["duration_ms"]),
        ("newest", lambda one: (-int(one["created_at"][:4]), -one["id"])),
        ("oldest", lambda one: (int(one["created_at"][:4]), -one["id"])),
        ("popular", lambda one: (-one["rank_a"], -one["id"])),
        ("title", lambda one: one["title"].lower().replace(" ", "")),
    ],
)
@pytest.mark.parametrize("q", ["", "rain"])
def test_a_sort_orders_all_pages(api: httpx.Client, q: str, sort: str, key: Any) -> None:
    pages = all_pages(api, q, type="sound", sort=sort, limit=7)
    ids = [int(id_) for _, id_ in identities(*pages)]
    assert ids == [one["id"] for one in sorted(SOUNDS, key=key)]


def test_what_lacks_a_value_stands_last(api: httpx.Client) -> None:
    pages = all_pages(api, "rain", sort="popular", limit=7)
    hits = identities(*pages)
    assert len(hits) == len(set(hits)) == len(DOCUMENTS)
    assert {entity for entity, _ in hits[:30]} == {"sound"}


def test_without_text_there_is_no_relevance(api: httpx.Client) -> None:
    by_name = identities(page(api, sort="relevance", limit=50))
    assert by_name == identities(page(api, limit=50))


@pytest.mark.parametrize(
    "other",
    [
        {"sort": "oldest"},
        {"filter.genre": "House"},
        {"filter.genre": "Techno,House"},
        {"filter.license": "cc-by"},
    ],
)
def test_a_cursor_belongs_to_its_filters_and_sort(api: httpx.Client, other: dict[str, str]) -> None:
    asked = {"q": "rain", "filter.genre": "Techno", "sort": "newest", "limit": "2"}
    cursor = page(api, **asked)["next"]
    response = api.get("/v1/search", params=asked | {"cursor": cursor} | other)
    assert (response.status_code, response.json()["code"]) == (422, "cursor_mismatch")


@pytest.mark.parametrize(
    ("parameters", "code", "parameter"),
    [
        ({"filter.gerne": "x"}, "unknown_parameter", "filter.gerne"),
        ({"filter.duration": "long"}, "invalid_value", "filter.duration"),
        ({"filter.updated": "2024"}, "unknown_parameter", "filter.updated"),
        ({"sort": "rank_a"}, "invalid_value", "sort"),
        ({"facets": "user"}, "invalid_value", "facets"),
    ],
)
def test_what_is_not_declared_is_refused(
    api: httpx.Client, parameters: dict[str, str], code: str, parameter: str
) -> None:
    response = api.get("/v1/search", params=parameters)
    problem = Problem.model_validate(response.json())
    assert (response.status_code, problem.code, problem.parameter) == (422, code, parameter)
    assert problem.allowed
