"""Phrases: the texts that can be suggested, with weight, type and target; and files of them."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from suggest.errors import PhraseError

LONGEST: Final = 1_000  # code points of a text that can be shown, of a target and of a permalink
_COLUMNS: Final = (2, 3, 4, 5)
_FORM: Final = "text<TAB>weight[<TAB>type[<TAB>target[<TAB>permalink]]]"


class Phrase(NamedTuple):
    """One text that can be suggested. A tuple, because there are millions of them."""

    text: str  # as it is shown
    weight: float  # 0 or more; only the ratio of two weights counts
    type: str | None  # entity type, e.g. "sound"
    target: str | None  # id of the entity; phrases of one type and target are one entity
    permalink: str | None  # path of its page

    @property
    def entity(self) -> tuple[str | None, str]:
        """What is suggested only once. Without a target, the text itself."""
        return (self.type, f"text {self.text}" if self.target is None else f"id {self.target}")


def read(path: Path) -> Iterator[Phrase]:
    """The phrases of a file, one a line, in its order.

    A line is text, weight and optionally type, target and permalink, separated by tabs; without a
    permalink, a target that begins with "/" is one. Empty lines are skipped.

    Raises:
        PhraseError: The file cannot be read, or a line is not such; the message has its number.
    """
    number = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):  # noqa: B007 - the error names the line
                content = line.rstrip(b"\r\n")
                if content:
                    yield parse(content.decode())
    except OSError as error:
        raise PhraseError(
            f"{path} cannot be read ({error.strerror}); give a file of lines {_FORM}"
        ) from error
    except UnicodeDecodeError as error:
        raise PhraseError(
            f"{path}, line {number}: not UTF-8 ({error.reason}); convert it"
        ) from None
    except PhraseError as error:
        raise PhraseError(f"{path}, line {number}: {error}") from None


def parse(line: str) -> Phrase:
    """The phrase of one line; raises `PhraseError`, which does not know where the line stands."""
    fields = line.split("\t")
    if len(fields) not in _COLUMNS:
        raise PhraseError(f"{len(fields)} columns; write {_FORM}")
    text, weight, kind, target, permalink = (*fields, "", "", "")[:5]
    if not (text := text.strip()):
        raise PhraseError(f"the text is empty; write {_FORM}")
    for name, value in (("text", text), ("target", target), ("permalink", permalink)):
        if len(value) > LONGEST:
            raise PhraseError(
                f"the {name} has {len(value):,} characters; shorten it to {LONGEST:,}"
            )
    if not permalink and target.startswith("/"):
        permalink = target
    return Phrase(text, _weight(weight), kind or None, target or None, permalink or None)


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        raise PhraseError(f"the weight is {text[:60]!r}; write a number from 0 up")
    return weight
