"""Widening: what a search turns into when nothing has what was typed. Pure.

Its steps are taken one after the other until something is found, and every answer says which one
found it. What must not be there, filters and types hold at each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from query_api import grammar
from query_api.grammar import Typed


class Step(StrEnum):
    """How far a search was widened."""

    UNQUOTED = "unquoted"  # phrases need not stand as they are
    RESPELLED = "respelled"  # words are spelled as names that are there spell them
    FEWER_WORDS = "fewer_words"  # some of the words are enough
    FUZZY = "fuzzy"  # any word is enough, and it may be spelled a little differently
    POPULAR = "popular"  # what is best known, whatever was typed


@dataclass(frozen=True, kw_only=True)
class Widening:
    """A search that was widened."""

    step: Step
    text: str | None = None  # the words that are looked for; "": none, None: those that were typed
    phrases: tuple[str, ...] = ()  # that have to stand as they are
    lacking: int = 0  # words that a hit may lack

    def of(self, typed: Typed) -> Typed:
        """What is looked for in place of `typed`."""
        text = typed.text if self.text is None else self.text
        return Typed(text=text, phrases=self.phrases, without=typed.without)

    def suggestion(self, typed: Typed) -> str | None:
        """A text that finds the same without being widened; None: there is no such."""
        if self.step not in {Step.UNQUOTED, Step.RESPELLED}:
            return None
        return grammar.written(self.of(typed))

    def state(self) -> list[Any]:
        """It as JSON, for cursors; `of_state` is its inverse."""
        return [self.step, self.text, self.phrases, self.lacking]


def of_state(state: Sequence[Any]) -> Widening:
    """The widening that `state` tells of."""
    step, text, phrases, lacking = state
    return Widening(step=Step(step), text=text, phrases=tuple(phrases), lacking=lacking)
