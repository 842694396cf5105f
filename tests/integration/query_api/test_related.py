"""Related sounds over real indices."""

from typing import Any

import httpx
import pytest

from query_api.answers import RelatedAnswer
from tests.integration.query_api.catalogue import set_, sound, user
from tests.integration.query_api.conftest import Write

DOCUMENTS = [
    sound(1, "Rain", genre="Dub", tags=["rare", "common"], user_id=1),
    sound(2, "Other", genre="Dub", tags=["rare", "common"], user_id=2),
    sound(3, "Thing", genre="Techno", tags=["common"], user_id=3),
    sound(4, "Unlike", genre="House", tags=["else"], user_id=4),
    sound(5, "Neighbour", genre="Folk", tags=None, user_id=5),
    sound(6, "Distant neighbour", genre="Folk", tags=None, user_id=6),
    sound(7, "Alone", genre=None, tags=None, user_id=7),
    *(sound(number, "Rain again", tags=["rare"], user_id=1) for number in range(20, 26)),
    *(sound(number, "Filler", tags=["common"], user_id=number) for number in range(30, 40)),
    set_(1, "First", sound_ids=[1, 5, 6]),
    set_(2, "Second", sound_ids=[5, 1]),
    set_(3, "Third", sound_ids=[1, 5, 888]),
    set_(4, "Elsewhere", sound_ids=[4, 3]),
    user(1, "Ana"),
]


@pytest.fixture(autouse=True, scope="module")
def _documents(write: Write) -> None:
    write(DOCUMENTS)


def related(api: httpx.Client, sound_id: int, **parameters: Any) -> list[int]:
    response = api.get(f"/v1/sounds/{sound_id}/related", params=parameters)
    assert response.status_code == 200, response.text
    RelatedAnswer.model_validate(response.json())
    assert {hit["type"] for hit in response.json()["hits"]} <= {"sound"}
    return [int(hit["id"]) for hit in response.json()["hits"]]


def test_neighbours_and_what_is_alike_come_together(api: httpx.Client) -> None:
    found = related(api, 1, limit=25)
    assert found[0] == 5  # in three sets with it
    assert found.index(2) < found.index(3)  # the rare tag as well, and the genre
    assert 6 in found
    assert not {1, 4, 888} & set(found)  # neither itself, nor unlike, nor hidden


def test_nobody_has_more_than_a_few(api: httpx.Client) -> None:
    assert len(set(related(api, 1, limit=25)) & set(range(20, 26))) == 3


def test_the_best_of_them_alone(api: httpx.Client) -> None:
    assert related(api, 1, limit=2) == related(api, 1, limit=25)[:2]


def test_neighbourhood_is_mutual_and_follows_the_sets(api: httpx.Client, write: Write) -> None:
    assert related(api, 5, limit=1) == [1]
    assert related(api, 7) == []
    write([set_(5, "Late", sound_ids=[7, 4], updated_at="2026-06-01T00:00:00+00:00")])
    assert related(api, 7) == [4]
    write([set_(5, "Late", sound_ids=[7], updated_at="2026-06-02T00:00:00+00:00")])
    assert related(api, 7) == []


@pytest.mark.parametrize("sound_id", ["888", "0", "-1", "abc", "9" * 30, "1%20"])
def test_what_is_not_there_is_not_found(api: httpx.Client, sound_id: str) -> None:
    response = api.get(f"/v1/sounds/{sound_id}/related")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("query", "parameter"), [("limit=26", "limit"), ("limits=3", "limits")])
def test_what_is_wrong_is_named(api: httpx.Client, query: str, parameter: str) -> None:
    response = api.get(f"/v1/sounds/1/related?{query}")
    assert (response.status_code, response.json()["parameter"]) == (422, parameter)
