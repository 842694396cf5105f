"""The little that is more than text in what a person types: quoted phrases and minus words.

`"drum and bass"` is found in this order, side by side; `-remix` and `-"radio edit"` leave out what
has them. A quote or a minus means something at the beginning of a word only, and only before a
letter or a number: a lone one, or one inside a word, is text. So is everything where no word is
left to be found, and what comes after the first `MOST`.
"""

import re
from dataclasses import dataclass
from typing import Final

# A word is as long as it has no space; the quotes are those that keyboards and phones type.
_TERM: Final = re.compile(
    r'(?<!\S)(?P<minus>-?)(?:["“”„](?P<phrase>[^"“”„]+)["“”„](?!\S)|(?<=-)(?P<word>\w\S*))'
)
MOST: Final = 8  # phrases and minus words of one text; each costs the engine a search per field
_LETTER: Final = re.compile(r"\w")


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What a text asks for."""

    text: str  # the words to be found, those of the phrases included; "": everything
    phrases: tuple[str, ...] = ()  # that have to stand as they are
    without: tuple[str, ...] = ()  # words and phrases that must not be there


def typed(text: str) -> Typed:
    """What `text`, with single spaces, asks for; the whole of it when it only leaves out."""
    phrases: list[str] = []
    without: list[str] = []

    def kept(term: re.Match[str]) -> str:
        said: str = term["phrase"] or term["word"]
        if not _LETTER.search(said) or len(phrases) + len(without) == MOST:
            return term[0]
        if term["minus"]:
            without.append(said.strip())
            return ""
        phrases.append(said.strip())
        return said

    words = " ".join(_TERM.sub(kept, text).split())
    if not _LETTER.search(words) and without:
        return Typed(text=text)
    return Typed(text=words, phrases=tuple(phrases), without=tuple(without))


def written(asked: Typed) -> str:
    """A text that asks for it: what `typed` makes of it is the same, for words of one script."""
    text = asked.text
    for phrase in asked.phrases:
        text = text.replace(phrase, f'"{phrase}"', 1)
    return " ".join((text, *(f'-"{one}"' if " " in one else f"-{one}" for one in asked.without)))
