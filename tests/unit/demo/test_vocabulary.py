import random
import re

import pytest

from demo import vocabulary
from demo.titles import FORMS, SET_FORMS
from demo.vocabulary import Culture, Template, plural, slug

VOCABULARY = vocabulary.load()
CULTURES = pytest.mark.parametrize("culture", VOCABULARY.cultures, ids=lambda c: c.name)
FROM_OUTSIDE = {"artist", "genre", "genre2"}  # the fields of sentences that no word list answers


@CULTURES
def test_every_template_can_be_filled(culture: Culture) -> None:
    draw = random.Random(1)

    def value(field: str) -> str:
        return "X" if field in FROM_OUTSIDE else culture.word(field, draw)

    templates = culture.person + culture.alias + culture.phrase
    for template in templates + culture.sentences + culture.comments:
        assert template.fill(value)


@CULTURES
def test_no_text_would_need_escaping(culture: Culture) -> None:
    texts = [word for words in culture.words.values() for word in words]
    texts += [place.city for place in culture.places]
    for template in culture.sentences + culture.comments + culture.phrase:
        texts += template.parts
    assert not [text for text in texts if re.search(r"[\\\t\r\n]", text)]


@CULTURES
def test_places_have_a_country(culture: Culture) -> None:
    assert all(re.fullmatch("[A-Z]{2}", place.country_code) for place in culture.places)
    assert all(place.city for place in culture.places)


@pytest.mark.thorough
@CULTURES
def test_names_and_titles_vary(culture: Culture) -> None:
    draw = random.Random(1)
    assert len({culture.make_name(draw, alias=False) for _ in range(1_000)}) > 200
    assert len({culture.make_phrase(draw) for _ in range(1_000)}) > 200


@CULTURES
def test_every_name_has_an_address(culture: Culture) -> None:
    draw = random.Random(1)
    for _ in range(200):
        address = slug(culture.make_name(draw, alias=True), fallback="")
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", address)


def test_every_form_has_templates() -> None:
    assert set(VOCABULARY.music.titles) == set(FORMS)
    assert set(VOCABULARY.music.set_titles) == set(SET_FORMS)


def test_ambiguous_tags_are_tags() -> None:
    tags = {tag for genre in VOCABULARY.music.genres for tag in genre.tags}
    assert not VOCABULARY.music.ambiguous_tags - tags - set(VOCABULARY.music.general_tags)


def test_common_words_do_not_all_begin_with_a() -> None:
    english = next(c for c in VOCABULARY.cultures if c.name == "english")
    assert len({word[0] for word in english.words["noun"][:30]}) > 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Drum & Bass mix 04", "drum-bass-mix-04"),
        ("Þóra Ísaksdóttir", "thora-isaksdottir"),
        ("Жуков", "zhukov"),
        ("横山直樹", "hengshanzhishu"),
        ("가을", "gaeul"),
        ("  --  ", "untitled"),
        ("a" * 200, "a" * 80),
    ],
)
def test_slug(text: str, expected: str) -> None:
    assert slug(text) == expected


@pytest.mark.parametrize(
    ("noun", "expected"),
    [("City", "Cities"), ("Box", "Boxes"), ("Witch", "Witches"), ("Day", "Days"), ("Owl", "Owls")],
)
def test_plural(noun: str, expected: str) -> None:
    assert plural(noun) == expected


def test_template_keeps_text_and_fields_in_order() -> None:
    assert Template("{a} - {b} ({a} Remix)").fill(str.upper) == "A - B (A Remix)"
