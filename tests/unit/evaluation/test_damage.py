"""Damage to queries, lists of misspellings, and how well damaged queries were answered."""

import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import misspellings
from evaluation.damage import Damage, Named, damaged
from evaluation.known_items import KnownItem, made, success
from evaluation.misspellings import MisspellingsError

RAIN = Named(title="Necessary Rain", artist="Zoë Água")
KNOWN = {"necessary": ["neccessary"]}
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
LISTS = Path(os.environ.get("DISCO_DEMO_DATA", DATA)) / "misspellings"


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (Damage.SWAPPED, "Zoë Água Necessary Rain"),
        (Damage.MISSPELT, "neccessary Rain Zoë Água"),
        (Damage.ACCENTS, "Necessary Rain Zoe Agua"),
    ],
)
def test_each_kind_does_what_it_says(damage: Damage, text: str) -> None:
    assert damaged(RAIN, damage, Random(1), KNOWN) == text


@given(st.integers())
def test_one_word_is_dropped(seed: int) -> None:
    text = damaged(RAIN, Damage.DROPPED, Random(seed), {})
    assert text is not None
    words = RAIN.text.split()
    assert text.split() in [words[:at] + words[at + 1 :] for at in range(len(words))]


@given(st.integers())
def test_a_typo_is_one_edit_within_one_word(seed: int) -> None:
    text = damaged(RAIN, Damage.TYPO, Random(seed), {})
    assert text is not None
    pairs = zip(RAIN.text.split(), text.split(), strict=True)
    [(word, typed)] = [(word, typed) for word, typed in pairs if word != typed]
    assert word[0] == typed[0]
    assert abs(len(word) - len(typed)) <= 1
    exchanged = {
        word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)
    }
    gone = {word[:at] + word[at + 1 :] for at in range(len(word))}
    less = {typed[:at] + typed[at + 1 :] for at in range(len(typed))}
    assert typed in gone | exchanged or word in less or gone & less


@pytest.mark.parametrize("damage", [Damage.DROPPED, Damage.TYPO, Damage.MISSPELT, Damage.ACCENTS])
def test_what_cannot_be_damaged_so_is_left_out(damage: Damage) -> None:
    assert damaged(Named(title="Go", artist="Ana"), damage, Random(1), KNOWN) is None


def test_kinds_are_as_even_as_the_names_allow_and_follow_from_the_seed() -> None:
    named = {str(number): Named(title=f"Rain {number}", artist="Anna") for number in range(12)}
    items = made(named, {}, count=9, seed=1)
    kinds = [item.damage for item in items]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        Damage.DROPPED: 3,
        Damage.SWAPPED: 3,
        Damage.TYPO: 3,
    }
    assert made(named, {}, count=9, seed=1) == items
    assert made(named, {}, count=9, seed=2) != items


def test_success_is_told_by_kind() -> None:
    items = [
        KnownItem(id=str(number), named=RAIN, damage=damage, text="text")
        for number, damage in enumerate([Damage.TYPO, Damage.TYPO, Damage.DROPPED])
    ]
    found = success(items, {"0": 1, "1": 4, "2": None})
    assert (found["typo"].success_at_1, found["typo"].success_at_10) == (0.5, 1.0)
    assert found["typo"].mrr == pytest.approx(0.625)
    assert found["all"].queries == 3
    assert found["all"].mrr == pytest.approx(1.25 / 3)
    assert found["dropped"].success_at_10 == 0.0


def test_another_sound_of_that_name_and_artist_is_as_good() -> None:
    item = KnownItem(id="7", named=RAIN, damage=Damage.TYPO, text="text")
    assert item.is_answered_by("sound", "7", "renamed", None)
    assert item.is_answered_by("sound", "8", "necessary rain", "zoë água")
    assert not item.is_answered_by("sound", "8", "Necessary Rain", "Ana")
    assert not item.is_answered_by("user", "7", "Necessary Rain", "Zoë Água")


def test_lists_of_misspellings_are_read(tmp_path: Path) -> None:
    file = tmp_path / "list.dat"
    file.write_text("$A_lot\nalot\n$Rain\nrian\nRain\n")
    assert misspellings.read(str(file)) == {"a lot": ["alot"], "rain": ["rian"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [("rian\n", "line 1: 'rian' misspells nothing"), ("$rain\n", "holds no misspelling")],
)
def test_malformed_lists_are_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "list.dat"
    file.write_text(content)
    with pytest.raises(MisspellingsError, match=message):
        misspellings.read(str(file))


@pytest.mark.skipif(not LISTS.is_dir(), reason="the lists of misspellings are not here")
@pytest.mark.parametrize(("name", "pairs"), [("wikipedia.dat", 2455), ("aspell.dat", 531)])
def test_real_lists_are_read_whole(name: str, pairs: int) -> None:
    found = misspellings.read(str(LISTS / name))
    # A misspelling in capitals alone is none here.
    assert 0.95 * pairs <= sum(map(len, found.values())) <= pairs
