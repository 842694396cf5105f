"""What a person types: phrases, minus words, and all that is text."""

import pytest

from query_api.grammar import MOST, Typed, typed

RADIO = Typed(text="rain", without=("remix", "radio edit"))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('"drum and bass"', Typed(text="drum and bass", phrases=("drum and bass",))),
        ("“drum and bass” rain", Typed(text="drum and bass rain", phrases=("drum and bass",))),
        ('rain -remix -"radio edit"', RADIO),
        ('-remix rain -"radio edit"', RADIO),
        ('"雨 音" -雪', Typed(text="雨 音", phrases=("雨 音",), without=("雪",))),
    ],
)
def test_phrases_and_minus_words(text: str, meant: Typed) -> None:
    assert typed(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", '"', "ana - rain", "jay-z", "rain --remix", "rain -", "rain -!", '"!" rain'),
        *('7" single', 'rain "drum', 'title:"rain"', '""', "-remix", '-remix -"radio edit"'),
        *("rain 🙂", '"drum"bass', "-🙂 rain"),
    ],
)
def test_all_else_is_text(text: str) -> None:
    assert typed(text) == Typed(text=text)


def test_only_so_many_of_them_count() -> None:
    many = typed("rain" + " -remix" * MOST + ' -live "one two"')
    assert many == Typed(text='rain -live "one two"', without=("remix",) * MOST)
