"""How text becomes words: asked of the engine that does it."""

# ruff: noqa: RUF001 - look-alikes are what is tested

from typing import Any, NamedTuple

import pytest
from elasticsearch import Elasticsearch


class Written(NamedTuple):
    """Text, and the words that it becomes when a document is indexed."""

    text: str
    words: str


INDEXED = [
    Written("Bohemian RHAPSODY", "bohemian rhapsody"),
    # accents and letters with a stroke, composed or not
    Written(
        "Beyoncé Beyonce\u0301 Ænima Łódź Øresund straße naïve",
        "beyonce beyonce aenima lodz oresund strasse naive",
    ),
    Written("İstanbul ışık IŞIK", "istanbul isik isik"),
    Written("Чайковский Ёлка чаи\u0306ка", "чайковский елка чайка"),
    Written("Αθήνα ΟΔΟΣ οδός", "αθηνα οδοσ οδοσ"),
    Written("مُوسِيقَى", "موسيقي"),
    Written("हिन्दी गाना", "हिन्दी गाना"),
    # apostrophes, whichever way they are typed
    Written("Don't don’t don`t", "dont don t dont don t dont don t"),
    Written("l'amour O’Neil", "lamour l amour oneil o neil"),
    Written("singin' 'til dawn", "singin til dawn"),
    # "and" in all its spellings
    Written("drum & bass", "drum and bass"),
    Written("drum&bass", "drum and bass"),
    Written("Drum &amp; Bass", "drum and bass"),
    Written("drum n bass", "drum and bass"),
    Written("Drum 'n' Bass", "drum and bass"),
    Written("drum’n’bass", "drum and bass"),
    Written("rock ‘n’ roll", "rock and roll"),
    Written("Rock'n Roll", "rock and roll"),
    Written("rock-n-roll", "rock and roll"),
    Written("Guns N' Roses", "guns and roses"),
    Written("Simon + Garfunkel", "simon and garfunkel"),
    # parts of words
    Written("hip-hop", "hiphop hip hop"),
    Written("AC/DC", "acdc ac dc"),
    Written("R.E.M.", "rem r e m"),
    Written("technohouse/minimal_mix", "technohouseminimalmix technohouse minimal mix"),
    Written("DeepHouse UKGarage", "deephouse deep house ukgarage uk garage"),
    Written("mix04 S01E02 2step", "mix04 mix 4 s01e02 s 1 e 2 2step 2 step"),
    Written("10,000 Maniacs", "10000 10 0 maniacs"),
    Written("007 0", "7 0"),
    Written("Artist - Title. The end.", "artist title the end"),
    # signs for letters
    Written("Ke$ha $uicideboy$ Bada$$", "kesha suicideboys badass"),
    Written("P!nk", "pink"),
    # nothing is lost that may be a name
    Written("The The", "the the"),
    Written("A It Who DJ", "a it who dj"),
    Written("Song (feat. X) ft. Y w/ Z vs. V", "song feat x ft y with z vs v"),
    # Chinese, Japanese, Korean: single characters and pairs
    Written("東京", "東 東京 京"),
    Written("愛してる", "愛 愛し し して て てる る"),
    Written("カナ ｶﾅ", "カ カナ ナ カ カナ ナ"),
    Written("노래 좋아요.", "노 노래 래 좋 좋아 아 아요 요"),
    Written("아이유-좋은날", "아 아이 이 이유 유 좋 좋은 은 은날 날"),
    Written("カナ/テスト", "カ カナ ナ テ テス ス スト ト"),
    Written("ＤＪ", "dj"),
    Written("٣ songs", "3 songs"),
    # emoji, without colour of skin and presentation
    Written("🔥 fire ❤️ ❤ 👍🏽 👨‍👩‍👧 🇩🇪", "🔥 fire ❤ ❤ 👍 👨‍👩‍👧 🇩🇪"),
    # characters that are there and not seen
    Written("mix\u200btape so\u00adft \u202edj\u202c", "mixtape soft dj"),
    Written("!!!", ""),
]


class Searched(NamedTuple):
    """Text, and the words that are looked for, by the analyzer of queries that is named."""

    analyzer: str
    text: str
    words: str


SEARCHED = [
    Searched("text_search", "Don't stop", "dont stop"),
    Searched("text_search", "R.E.M. S.O.S", "rem sos"),
    Searched("text_search", "hip-house ac/dc Mr.Oizo", "hip house ac dc mr oizo"),
    Searched("text_search", "mix04", "mix 4"),
    Searched("text_search", "10,000 5,6,7", "10000 5 6 7"),
    Searched("text_search", "McCartney YouTube", "mccartney youtube"),
    Searched("text_search", "愛してる 愛", "愛し して てる 愛"),
    Searched("text_search", "The The", "the the"),
    Searched("text_search_respelled", "hip-house ac/dc", "hiphouse acdc"),
    Searched("text_search_respelled", "DeepHouse UKGarage", "deep house ukg uk garage"),
    Searched("text_search_respelled", "아이유-좋은날", "아이 이유 좋은 은날"),
    Searched("text_search_core", "the sound of silence (official video)", "sound silence"),
    Searched("text_search_core", "The The", ""),
    Searched("text_search_core", "The Who", "who"),
    Searched("prefix_search", "Antidisestablishmentarian", "antidisestablis"),
    Searched("prefix_search", "dnb feat", "dnb feat"),
]


class Name(NamedTuple):
    """Text, and what a whole name is compared by."""

    text: str
    key: str


NAMES = [
    Name("AC/DC", "acdc"),
    Name("Daft Punk", "daftpunk"),
    Name("hip-hop", "hiphop"),
    Name("Rock ’n’ Roll", "rockandroll"),
    Name("Rock & Roll", "rockandroll"),
    Name("Beyonce\u0301", "beyonce"),
    Name("The Beatles", "beatles"),
    Name("The The", "the"),
    Name("Theory", "theory"),
    Name("🔥 Fire 🔥", "fire"),
    Name("Чайковский", "чайковский"),
    Name("愛してる", "愛してる"),
    Name("P!nk", "pink"),
    # a name of signs alone is that name and no other
    Name("!!!", "!!!"),
    Name("÷", "÷"),
    Name("🔥", "🔥"),
]


def words(engine: Elasticsearch, index: str, analyzer: str, text: str) -> str:
    answer = engine.indices.analyze(index=index, analyzer=analyzer, text=text)
    return " ".join(token["token"] for token in answer["tokens"])


@pytest.mark.parametrize("case", INDEXED, ids=lambda case: case.text)
def test_text_becomes_words(engine: Elasticsearch, index: str, case: Written) -> None:
    assert words(engine, index, "text", case.text) == case.words


@pytest.mark.parametrize("case", SEARCHED, ids=lambda case: f"{case.analyzer} {case.text}")
def test_query_becomes_words(engine: Elasticsearch, index: str, case: Searched) -> None:
    assert words(engine, index, case.analyzer, case.text) == case.words


@pytest.mark.parametrize("case", NAMES, ids=lambda case: case.text)
def test_name_becomes_key(engine: Elasticsearch, index: str, case: Name) -> None:
    answer = engine.indices.analyze(index=index, normalizer="name", text=case.text)
    assert [token["token"] for token in answer["tokens"]] == [case.key]


def test_words_have_beginnings_up_to_fifteen_characters(engine: Elasticsearch, index: str) -> None:
    assert words(engine, index, "prefix", "Daft Punk") == "d da daf daft p pu pun punk"
    assert words(engine, index, "prefix", "Antidisestablishmentarian").split()[-1] == (
        "antidisestablis"
    )


def test_parts_of_a_word_stand_one_after_the_other(engine: Elasticsearch, index: str) -> None:
    """Else a phrase would find "hip hop mix", and not "hip-hop mix"."""
    tokens: list[dict[str, Any]] = engine.indices.analyze(
        index=index, analyzer="text", text="hip-hop mix"
    )["tokens"]
    positions = {token["token"]: token["position"] for token in tokens}
    assert positions == {"hiphop": 0, "hip": 0, "hop": 1, "mix": 2}
