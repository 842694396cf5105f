"""What people type finds what was written: real documents, real searches."""

# ruff: noqa: RUF001 - look-alikes are what is tested

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from elasticsearch import Elasticsearch

Find = Callable[[dict[str, Any]], set[str]]


class Pair(NamedTuple):
    """A title as it was written, and as it is looked for."""

    title: str
    query: str


def _both_ways(*spellings: str) -> list[Pair]:
    return [Pair(title, query) for title in spellings for query in spellings]


FOUND = [
    *_both_ways("drum & bass", "Drum and Bass", "drum n bass", "drum'n'bass", "d&b", "DnB"),
    *_both_ways("R&B", "rnb", "R 'n' B"),
    *_both_ways("rock'n'roll", "Rock ’n’ Roll", "rock and roll", "rock-n-roll", "Rock & Roll"),
    *_both_ways("hip-hop", "hip hop", "hiphop", "Hip_Hop"),
    *_both_ways("lo-fi", "lo fi", "lofi"),
    *_both_ways("Song feat. Ana", "Song ft. Ana", "Song featuring Ana"),
    *_both_ways("Ana vs. Ben", "Ana vs Ben", "Ana versus Ben"),
    *_both_ways("Set w/ Ana", "set with ana"),
    *_both_ways("mix04", "Mix 04", "mix 4", "mix-4"),
    *_both_ways("S01E02", "s01 e02", "s1e2"),
    *_both_ways("2step", "2-step", "2 Step"),
    *_both_ways("Beyoncé", "Beyonce", "Beyonce\u0301", "BEYONCÉ"),
    *_both_ways("Straße", "strasse"),
    *_both_ways("Ёлка", "елка"),
    *_both_ways("Αθήνα", "αθηνα", "ΑΘΗΝΑ"),
    *_both_ways("Don't Stop", "dont stop", "Don’t stop"),
    *_both_ways("Ke$ha", "kesha"),
    *_both_ways("P!nk", "pink"),
    *_both_ways("R.E.M.", "REM"),
    *_both_ways("ｶﾀｶﾅ", "カタカナ"),
    *_both_ways("❤️ song", "❤ song"),
    Pair("AC/DC", "ac dc"),
    Pair("AC/DC", "acdc"),
    Pair("AC/DC", "ac/dc"),
    Pair("UKGarage", "uk garage"),
    Pair("UKGarage", "ukg"),
    Pair("DeepHouse", "deep house"),
    Pair("DeepHouse", "deephouse"),
    Pair("l'amour toujours", "amour"),
    Pair("Schubert's Eighth", "schubert"),
    Pair("The The", "the the"),
    Pair("The Who", "the who"),
    Pair("It", "it"),
    Pair("A", "a"),
    Pair("愛してる", "愛"),
    Pair("愛してる", "愛して"),
    Pair("東京事変", "東京"),
    Pair("방탄소년단", "소년단"),
    Pair("아이유-좋은날", "좋은날"),
    Pair("Summer 🔥 Mix", "🔥"),
    Pair("10,000 Maniacs", "10000 maniacs"),
]
NOT_FOUND = [
    Pair("The Who", "the what"),
    Pair("東京事変", "京東"),
    Pair("hip-hop", "hip house"),
    Pair("mix04", "mix 5"),
    Pair("Summer 🔥 Mix", "❤"),
    Pair("It", "itself"),
    Pair("drum & bass", "drum machine"),
]
RESPELLED = [
    Pair("UK Garage", "UKGarage"),
    Pair("deep house", "#DeepHouse"),
    Pair("jazzhouse", "jazz-house"),
    Pair("acdc live", "AC/DC live"),
]
CORE = [
    Pair("Sound of Silence", "the sound of silence (official video)"),
    Pair("Simon Garfunkel", "Simon & Garfunkel"),
    Pair("Song Ana", "song feat. ana"),
    Pair("The Who", "Who"),
]
BEGUN = [
    Pair("Daft Punk", "daft pu"),
    Pair("Daft Punk", "da"),
    Pair("Beyoncé", "beyo"),
    Pair("DeepHouse", "deeph"),
    Pair("Antidisestablishmentarian", "antidisestablishmentar"),
    Pair("Чайковский", "чайк"),
    Pair("東京事変", "東京"),
]
NAMED = [
    *_both_ways("AC/DC", "acdc", "AC DC"),
    *_both_ways("Daft Punk", "daftpunk", "DAFT-PUNK"),
    *_both_ways("The Beatles", "Beatles"),
    Pair("!!!", "!!!"),
    Pair("÷", "÷"),
]
_ALL = (*FOUND, *NOT_FOUND, *RESPELLED, *CORE, *BEGUN, *NAMED)
TITLES = sorted({pair.title for pair in _ALL})


@pytest.fixture(scope="module")
def find(engine: Elasticsearch, index: str) -> Find:
    """Titles of the documents that a query matches."""
    operations: list[dict[str, Any]] = []
    for number, title in enumerate(TITLES):
        operations += [{"index": {"_id": str(number)}}, {"title": title}]
    answer = engine.bulk(index=index, operations=operations, refresh=True)
    assert not answer["errors"], answer

    def run(query: dict[str, Any]) -> set[str]:
        hits = engine.search(index=index, query=query, size=len(TITLES))["hits"]["hits"]
        return {hit["_source"]["title"] for hit in hits}

    return run


def _ids(pair: Pair) -> str:
    return f"{pair.query} → {pair.title}"


def _all_words(query: str, **more: str) -> dict[str, Any]:
    return {"match": {"title": {"query": query, "operator": "and", **more}}}


@pytest.mark.parametrize("pair", FOUND, ids=_ids)
def test_all_words_are_found(find: Find, pair: Pair) -> None:
    assert pair.title in find(_all_words(pair.query))


@pytest.mark.parametrize("pair", FOUND, ids=_ids)
def test_all_words_are_found_across_fields(find: Find, pair: Pair) -> None:
    """Synonyms of several words must survive the query that takes fields together."""
    fields = ["title^4", "subtitle^3", "tags^2", "description"]
    query = {"query": pair.query, "fields": fields, "operator": "and"}
    assert pair.title in find({"combined_fields": query})


@pytest.mark.parametrize("pair", NOT_FOUND, ids=_ids)
def test_other_words_are_not(find: Find, pair: Pair) -> None:
    assert pair.title not in find(_all_words(pair.query))


@pytest.mark.parametrize("pair", RESPELLED, ids=_ids)
def test_the_other_reading_of_a_compound(find: Find, pair: Pair) -> None:
    assert pair.title not in find(_all_words(pair.query)), "the first reading does as well"
    assert pair.title in find(_all_words(pair.query, analyzer="text_search_respelled"))


@pytest.mark.parametrize("pair", CORE, ids=_ids)
def test_light_words_can_be_left_out(find: Find, pair: Pair) -> None:
    assert pair.title in find(_all_words(pair.query, analyzer="text_search_core"))


def test_light_words_alone_match_nothing_without_them(find: Find) -> None:
    assert find(_all_words("the a", analyzer="text_search_core")) == set()


@pytest.mark.parametrize("pair", BEGUN, ids=_ids)
def test_beginnings_of_words_are_found(find: Find, pair: Pair) -> None:
    query = {"query": pair.query, "operator": "and"}
    assert pair.title in find({"match": {"title.prefix": query}})


@pytest.mark.parametrize("pair", NAMED, ids=_ids)
def test_whole_names_are_found_however_they_are_spelt(find: Find, pair: Pair) -> None:
    assert pair.title in find({"match": {"title.exact": pair.query}})


def test_a_name_of_signs_is_not_another_one(find: Find) -> None:
    assert find({"match": {"title.exact": "!!!"}}) == {"!!!"}
    assert find({"match": {"title.exact": "???"}}) == set()
