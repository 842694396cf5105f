"""Judgments of raters: who gave which grade to which entity as an answer to which query.

An entity is written `type:id`, such as `sound:42`, in files, in runs and on command lines: `build`
and `parse` are each other's inverse.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from core.errors import UsageError
from evaluation.qrels import HIGHEST_GRADE, Qrels

LONGEST_QUERY: Final = 512  # characters of what is typed
LONGEST_RATER: Final = 300  # characters
_SET: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_QUERY_ID: Final = re.compile(r"\S{1,200}")
_ENTITY: Final = re.compile(r"([a-z][a-z0-9_]{0,63}):(\S{1,512})")
_ID_BYTES: Final = 6


class JudgmentError(UsageError):
    """A set, a query, an entity, a grade or a rater cannot be as it is; the message says why."""


class Scale(StrEnum):
    """What raters of a set are asked for. Its highest grade is what they can give at most."""

    GRADES = "grades"  # 0 of no use, 1 somewhat, 2 good, 3 exactly what was meant
    THUMBS = "thumbs"  # 0 down, 1 up

    @property
    def highest(self) -> int:
        """The highest grade that is asked for; files may hold others."""
        return 1 if self is Scale.THUMBS else 3


class Entity(NamedTuple):
    """What is judged."""

    type: str
    id: str

    def build(self) -> str:
        """As files and command lines write it."""
        return f"{self.type}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Entity":
        """The entity that `build` made the text of; raises `JudgmentError`."""
        match = _ENTITY.fullmatch(text)
        if match is None or not _storable(text):
            raise JudgmentError(f"{text[:80]!r} is no entity; write type:id, such as sound:42")
        return cls(match[1], match[2])


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query of a set."""

    id: str  # without blanks, as in files of TREC
    text: str  # what is typed

    @classmethod
    def of(cls, text: str, query_id: str | None = None) -> "Query":
        """A query; one without an id gets one that follows from its text.

        Raises `JudgmentError`.
        """
        typed = " ".join(text.split())
        if not 1 <= len(typed) <= LONGEST_QUERY or not _storable(typed):
            raise JudgmentError(
                f"the query {typed[:40]!r} has {len(typed)} characters, or a NUL; it may have 1 to "
                f"{LONGEST_QUERY} others"
            )
        if query_id is None:
            query_id = hashlib.blake2b(typed.encode(), digest_size=_ID_BYTES).hexdigest()
        if _QUERY_ID.fullmatch(query_id) is None or not _storable(query_id):
            raise JudgmentError(
                f"the id {query_id[:40]!r} of a query has blanks, or more than 200 characters"
            )
        return cls(id=query_id, text=typed)


@dataclass(frozen=True, kw_only=True)
class Judgment:
    """What one rater says of one entity."""

    query: str  # id
    entity: Entity
    rater: str
    grade: int  # 0 or below: of no use
    judged_at: datetime | None = None  # None: when it is stored

    def __post_init__(self) -> None:
        if not self.rater.strip() or len(self.rater) > LONGEST_RATER or not _storable(self.rater):
            raise JudgmentError(
                f"the name of a rater has 1 to {LONGEST_RATER} characters, and no NUL"
            )
        if not -HIGHEST_GRADE <= self.grade <= HIGHEST_GRADE:
            raise JudgmentError(
                f"the grade is {self.grade}; give one from -{HIGHEST_GRADE} to {HIGHEST_GRADE}"
            )


@dataclass(frozen=True, kw_only=True)
class Judged:
    """All that is in a set."""

    name: str
    scale: Scale
    queries: Sequence[Query]  # in the order in which they came
    judgments: Sequence[Judgment]  # by query, entity and rater

    @property
    def texts(self) -> Mapping[str, str]:
        """What is typed, by the query's id."""
        return {one.id: one.text for one in self.queries}

    def qrels(self) -> Qrels:
        """One grade for each entity: see `settled`. Queries without any judgment are left out."""
        return Qrels(path=f"set {self.name}", grades=settled(self.judgments, self.texts))


def check_name(name: str) -> str:
    """The name of a set; raises `JudgmentError`."""
    if _SET.fullmatch(name) is None:
        raise JudgmentError(
            f"{name[:80]!r} cannot be the name of a set; give 1 to 64 of a-z, 0-9, '.', '_' and '-'"
        )
    return name


def settled(judgments: Iterable[Judgment], order: Iterable[str]) -> dict[str, dict[str, int]]:
    """Grades by query and entity, `type:id`, queries in that order.

    Where raters differ, the median counts, and of two in the middle the lower: a doubt lowers.
    """
    given: dict[str, dict[str, list[int]]] = {query: {} for query in order}
    for one in judgments:
        given[one.query].setdefault(one.entity.build(), []).append(one.grade)
    return {
        query: {entity: _median(grades) for entity, grades in entities.items()}
        for query, entities in given.items()
        if entities
    }


def _storable(text: str) -> bool:
    """Whether the database takes it: no NUL, and no half of a surrogate pair."""
    return not re.search("[\0\ud800-\udfff]", text)


def _median(grades: list[int]) -> int:
    return sorted(grades)[(len(grades) - 1) // 2]
