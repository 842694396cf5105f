"""The ways in which somebody looks for an entity that he knows."""

import pytest

from indexer.operations import Hit, KnownItem
from query_api.known_items import TITLE, WORD, answers, known_items
from query_api.profiles import SearchProfile

PROFILE = SearchProfile.model_validate(
    {
        "match": {
            "exact": {"title.exact": 8, "handle": 5, "subtitle.exact": 2},
            "words": {"title": 4, "subtitle": 2, "handle.text": 2, "tags": 1, "likes": 1},
            "prefix": {"title.prefix": 1},
        }
    }
)
DOCUMENT = {
    "id": 7,
    "title": "Café & Sunday",
    "subtitle": "Ana Lovelace of Berlin West",
    "handle": "ana",
    "tags": ["deep house", "rain"],
    "likes": 3,
}


def test_every_searched_field_is_asked_for() -> None:
    found = {one.kind: one.text for one in known_items([DOCUMENT], PROFILE)}
    assert found == {
        "title": "Café & Sunday",
        "word of a title": "sunday",
        "plain title": "cafe sunday",
        "begun title": "Café & Sund",
        "title and subtitle": "Café & Sunday Ana Lovelace of",
        "title and handle": "Café & Sunday ana",
        "title and tags": "Café & Sunday deep house",
        "handle": "ana",
    }


def test_what_has_no_title_is_not_looked_for() -> None:
    assert known_items([{"id": 1, "title": None}, {"id": 2}], PROFILE) == []


@pytest.mark.parametrize(
    ("kind", "text", "title", "is_answer"),
    [
        (TITLE, "Rain", "rain", True),
        (TITLE, "Rain", "Rain (live)", False),
        (WORD, "cafe", "Le Café!", True),
        (WORD, "cafe", "Cafeteria", False),
    ],
)
def test_what_is_as_good(kind: str, text: str, title: str, is_answer: bool) -> None:
    item = KnownItem(kind=kind, text=text, id="1", title=text)
    assert answers(item, Hit("2", title)) is is_answer
