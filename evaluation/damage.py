"""Damage: what becomes of a title and an artist on the way from memory to the search box. Pure.

Each kind of damage is done once to a query, so that what a search forgives can be told by kind.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from evaluation.misspellings import Misspellings

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_SHORTEST: Final = 4  # letters of a word that is mistyped; shorter ones become other words
_FEWEST: Final = 3  # words of which one can be left out, and the others still say what is meant


class Damage(StrEnum):
    """What was done to a query."""

    DROPPED = "dropped"  # a word is left out
    SWAPPED = "swapped"  # the artist comes first
    TYPO = "typo"  # a letter is left out, added or replaced, or two are exchanged
    MISSPELT = "misspelt"  # a word is written as people misspell it
    ACCENTS = "accents"  # letters have lost their accents


@dataclass(frozen=True, kw_only=True)
class Named:
    """What a query is made from."""

    title: str
    artist: str

    @property
    def text(self) -> str:
        """Both, without damage."""
        return f"{self.title} {self.artist}"


def damaged(named: Named, damage: Damage, chance: Random, known: Misspellings) -> str | None:
    """A query with that damage; None: there is nothing in it to be damaged so."""
    done = _DONE[damage](named, chance, known)
    return None if done is None or done.casefold() == named.text.casefold() else done


def _dropped(named: Named, chance: Random, known: Misspellings) -> str | None:
    del known
    words = named.text.split()
    if len(words) < _FEWEST:
        return None
    del words[chance.randrange(len(words))]
    return " ".join(words)


def _swapped(named: Named, chance: Random, known: Misspellings) -> str | None:
    del chance, known
    return f"{named.artist} {named.title}"


def _mistyped(named: Named, chance: Random, known: Misspellings) -> str | None:
    del known
    words = named.text.split()
    able = [at for at, word in enumerate(words) if len(word) >= _SHORTEST and word.isalpha()]
    if not able:
        return None
    at = chance.choice(able)
    words[at] = _edited(words[at], chance)
    return " ".join(words)


def _edited(word: str, chance: Random) -> str:
    """One edit that changes the word, not in its first letter, which people seldom get wrong."""
    at = chance.randrange(1, len(word) - 1)
    before, here, after = word[:at], word[at], word[at + 1 :]
    other = chance.choice([letter for letter in _LETTERS if letter != here.lower()])
    kind = chance.randrange(4)
    if kind == 0:
        return before + after
    if kind == 1:
        return before + other + here + after
    if kind == 2 or after[0].lower() == here.lower():
        return before + other + after
    return before + after[0] + here + after[1:]


def _misspelt(named: Named, chance: Random, known: Misspellings) -> str | None:
    words = named.text.split()
    able = [at for at, word in enumerate(words) if word.lower() in known]
    if not able:
        return None
    at = chance.choice(able)
    words[at] = chance.choice(known[words[at].lower()])
    return " ".join(words)


def _without_accents(named: Named, chance: Random, known: Misspellings) -> str | None:
    del chance, known
    decomposed = unicodedata.normalize("NFD", named.text)
    kept = "".join(one for one in decomposed if unicodedata.category(one) != "Mn")
    plain = unicodedata.normalize("NFC", kept)
    return None if plain == unicodedata.normalize("NFC", named.text) else plain


_DONE: Final[Mapping[Damage, Callable[[Named, Random, Misspellings], str | None]]] = {
    Damage.DROPPED: _dropped,
    Damage.SWAPPED: _swapped,
    Damage.TYPO: _mistyped,
    Damage.MISSPELT: _misspelt,
    Damage.ACCENTS: _without_accents,
}
