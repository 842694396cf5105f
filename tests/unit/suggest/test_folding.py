import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suggest.folding import fold, fold_utf8, is_aligned, shapes, transliterate


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("John Travolta", "john travolta"),
        ("  AC/DC (Live) - Remix!", "ac dc live remix "),
        ("R.E.M.", "rem"),
        ("don\u2019t / don't", "dont dont"),
        ("BEYONCÉ", "beyonce"),
        ("e\u0301tude", "etude"),
        ("Øystein Ærø Łódź", "oystein aero lodz"),
        ("Straße", "strasse"),
        ("ﬁnal ½ \uff57\uff49\uff44\uff45", "final 1 2 wide"),
        ("A$AP", "a$ap"),
        ("Кино ёлка Й", "кино елка и"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
        ("مُحَمَّد", "محمد"),
        ("नमस्ते", "नमस्ते"),  # vowels of Indic scripts are marks, and stay
        ("がぎ", "がぎ"),
        ("김광석", "김광석"),
        ("東京事変", "東京事変"),
        ("🔥fire", "🔥fire"),
        ("!!!", "!!!"),
        ("? !", "?!"),
        ("\u202eabc\u200b", "abc"),
        ("a\tb\nc", "a b c"),
        ("", ""),
        (" \u00a0\n", ""),
        ("\ud800", ""),
    ],
)
def test_what_is_written_becomes_what_is_typed(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("folded", "latin"),
    [
        ("кино", "kino"),
        ("東京 事変", "dongjing shibian"),
        ("김광석", "gimgwangseog"),
        ("abc", None),
    ],
)
def test_other_scripts_in_latin_letters(folded: str, latin: str | None) -> None:
    assert transliterate(folded) == latin


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_case_and_composition_make_no_difference(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(st.text(st.characters(codec="ascii")))
def test_ascii_in_capitals_is_the_same(text: str) -> None:
    assert fold(text.upper()) == fold(text.lower())


# Letters that stand for themselves whatever follows, and all kinds of punctuation.
@given(st.text("abÅñßкéЖ日.'-/ &(!$"))
def test_the_fold_of_a_beginning_is_a_beginning_of_the_fold(text: str) -> None:
    whole = fold(text)
    if not any(c.isalnum() for c in whole):
        return  # punctuation alone is a name of its own
    for end in range(len(text)):
        begun = fold(text[:end])
        if any(c.isalnum() for c in begun):
            assert f"{whole} ".startswith(begun), text[:end]


@given(st.text())
def test_a_folded_text_can_be_encoded_and_has_single_spaces(text: str) -> None:
    folded = fold(text)
    folded.encode()
    assert "  " not in folded
    assert not folded.startswith(" ")
    assert not any(c < " " for c in folded)


@given(st.text() | st.text(st.characters(codec="ascii")))
def test_both_forms_of_the_function_are_one(text: str) -> None:
    assert fold_utf8(text) == fold(text).encode()


@given(st.text(st.characters(codec="ascii")))
def test_ascii_is_folded_as_the_rest(text: str) -> None:
    assert fold(f"x{text}") == fold(f"x{text}é").removesuffix("e")


def test_aligned_is_only_what_certainly_is() -> None:
    assert is_aligned("John Travolta", "john travolta")
    assert is_aligned("日本", "日本")
    assert not is_aligned("a  b", "a b")
    assert not is_aligned("É", "e")


def test_the_shape_of_a_character_is_its_length_in_both_forms() -> None:
    assert [shape.length for shape in shapes("ß")] == [2, 2]
    assert [shape.length for shape in shapes("京")] == [1, 4]
    assert shapes("/")[0].parts
    assert shapes("\u0301")[0].is_mark
    assert shapes(".")[0] == shapes("'")[0]
