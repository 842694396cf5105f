"""Names that are made of next to nothing come first when they are searched, by the real planner."""

from collections.abc import Callable
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from core.definitions import Definition
from query_api import profiles
from query_api.parameters import SearchRequest
from query_api.planner import plan

Search = Callable[[str], list[str]]

NAMES = [
    *("The The", "The Who", "Who", "The Beatles", "It", "A", "X", "!!!", "÷", "M", "1975", "U2"),
    *("AC/DC", "R.E.M.", "P!nk", "Guns N' Roses", "Simon & Garfunkel", "Daft Punk", "东京", "愛"),
    *("Feat", "DJ", "And", "Beyoncé", "Ke$ha", "A-ha", "N.W.A", "of the"),
]
# Titles that have the words of the names as well, more often or among others.
CROWD = [
    "The Who and the What of the The",
    "The, the and the the",
    "Who are you, who who",
    "Is it it? It's it",
    "A is for a-plus, a to z",
    "X marks the X",
    "M for M, U2 for M",
    "Wow!!! Wow!!!",
    "÷ by ÷ is 1",
    "The 1975 Beatles tribute",
    "AC or DC, AC and DC",
    "R and E and M",
    "Pink in pink",
    "Roses and guns and roses",
    "Garfunkel without Simon",
    "Punk, daft",
    "东京 in the rain",
    "是但求其愛",
    "Beatles feat. DJ feat. the DJ",
    "Kesha and Beyoncé and a-ha and N.W.A",
]
CASES = [
    *((name, name) for name in NAMES if name not in ("Who", "The Who")),
    *(("the who", "The Who"), ("who", "Who"), ("beatles", "The Beatles"), ("it", "It")),
    *(("acdc", "AC/DC"), ("ac dc", "AC/DC"), ("rem", "R.E.M."), ("pink", "P!nk")),
    *(("guns and roses", "Guns N' Roses"), ("simon and garfunkel", "Simon & Garfunkel")),
    *(("daftpunk", "Daft Punk"), ("beyonce", "Beyoncé")),
    *(("kesha", "Ke$ha"), ("nwa", "N.W.A"), ("aha", "A-ha")),
]


@pytest.fixture(scope="module")
def search(engine: Elasticsearch, index: str, sound: Definition) -> Search:
    """Titles in the order in which the planner's search finds them."""
    operations: list[dict[str, Any]] = []
    for number, title in enumerate([*NAMES, *CROWD]):
        document = {"type": "sound", "id": number, "title": title, "subtitle": "Ana"}
        operations += [{"index": {"_id": str(number)}}, document]
    answer = engine.bulk(index=index, operations=operations, refresh=True)
    assert not answer["errors"], answer
    known = profiles.read({"sound": sound})

    def run(text: str) -> list[str]:
        request = SearchRequest(text=text, entities=("sound",), limit=10)
        body = plan(request, known, indices={"sound": index}, deadline=10).body
        hits = engine.search(index=index, **body)["hits"]["hits"]
        return [hit["_source"]["title"] for hit in hits]

    return run


@pytest.mark.parametrize(("query", "name"), CASES)
def test_a_name_comes_first(search: Search, query: str, name: str) -> None:
    assert search(query)[:1] == [name]
