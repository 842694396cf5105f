from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from query_api import spelling
from query_api.spelling import Candidate, Word

Entries = Mapping[str, Sequence[Mapping[str, Any]]]


def entry(offset: int, length: int, **options: tuple[float, int]) -> Mapping[str, Any]:
    """What the engine says of a word: likeness and frequency of others."""
    told = [{"text": text, "score": score, "freq": freq} for text, (score, freq) in options.items()]
    return {"text": "x" * length, "offset": offset, "length": length, "options": told}


def test_candidates_of_all_fields_stand_in_one_order() -> None:
    suggest: Entries = {
        "title": [entry(0, 4, rain=(0.75, 5), ryan=(0.75, 4), riff=(0.5, 99)), entry(5, 3)],
        "subtitle": [entry(0, 4, ryan=(0.75, 5), riano=(0.75, 9)), entry(5, 3)],
    }
    first, second = spelling.words("rian tin", suggest)
    assert first == Word(
        start=0,
        end=4,
        text="rian",
        candidates=(
            Candidate(text="riano", likeness=0.75),
            Candidate(text="ryan", likeness=0.75),
            Candidate(text="rain", likeness=0.75),
        ),
    )
    assert second == Word(start=5, end=8, text="tin")


@pytest.mark.parametrize(
    ("typed", "other", "likeness", "is_candidate"),
    [
        ("zzqq", "zzan", 0.5, False),
        ("rian", "rain", 0.75, True),
        ("bloom", "broom", 0.8, True),
        ("bloom", "brown", 0.6, False),
        ("ligths", "lights", 1 - 1 / 6, True),
        ("remembr", "remember", 1 - 1 / 7, True),
        ("rythim", "rhythm", 1 - 2 / 6, True),
    ],
)
def test_one_letter_of_a_short_word_may_differ_and_two_of_others(
    typed: str, other: str, likeness: float, is_candidate: bool
) -> None:
    found = entry(0, len(typed), **{other: (likeness, 1)})
    (word,) = spelling.words(typed, {"title": [found]})
    assert bool(word.candidates) is is_candidate


def test_places_are_counted_in_characters() -> None:
    (word,) = spelling.words("🎧🎧 Café rian", {"title": [entry(10, 4, rain=(0.75, 1))]})
    assert (word.start, word.end, word.text) == (8, 12, "rian")


def test_only_the_best_candidates_of_a_word_are_kept() -> None:
    options = {f"w{number}": (0.5 + number / 100, 1) for number in range(20)}
    (word,) = spelling.words("longer", {"title": [entry(0, 6, **options)]})
    assert [one.text for one in word.candidates] == ["w19", "w18", "w17", "w16", "w15", "w14"]


def test_many_words_are_not_looked_up() -> None:
    entries = [entry(2 * at, 1) for at in range(spelling.MOST_WORDS + 1)]
    text = "x " * len(entries)
    assert spelling.words(text, {"title": entries}) == []
    assert len(spelling.words(text, {"title": entries[1:]})) == spelling.MOST_WORDS


@pytest.mark.parametrize(("text", "can_be"), [("", False), ("x" * 128, True), ("x" * 129, False)])
def test_a_long_text_is_not_looked_up(text: str, can_be: bool) -> None:
    assert spelling.can_be_looked_up(text) is can_be


def test_a_text_is_only_ever_what_is_looked_up() -> None:
    body = spelling.question('title:"x" OR *', ["title", "subtitle"])
    assert body["suggest"]["text"] == 'title:"x" OR *'
    assert {one["term"]["field"] for name, one in body["suggest"].items() if name != "text"} == {
        "title",
        "subtitle",
    }
