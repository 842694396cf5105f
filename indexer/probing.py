"""Probing: the port by which generations are searched as the query API would, for their gates.

The query API has the other side of it: it knows how searches are made, and the evaluation how
answers are measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from indexer.generation import Generation

TITLE: Final = "title"  # the kind of known-item query that must work even without a comparison
# The kind that many entities answer: those that have the word in their title ought to come first.
WORD: Final = "word of a title"


class Hit(NamedTuple):
    """Something that a search found."""

    id: str
    title: str


@dataclass(frozen=True, kw_only=True)
class KnownItem:
    """A query whose answer is known: somebody looks for an entity that he knows."""

    kind: str  # how he looks for it, such as by its title
    text: str
    id: str  # of the entity
    title: str  # of the entity


@dataclass(frozen=True, kw_only=True)
class JudgedQuery:
    """A query with judgments."""

    text: str
    grades: Mapping[str, int]  # by id; 0: of no use


class Mean(Protocol):
    """A mean over queries, and how sure it is."""

    @property
    def mean(self) -> float:
        """The mean."""

    @property
    def low(self) -> float:
        """The lower end of its 95 % confidence interval."""

    @property
    def high(self) -> float:
        """The upper end."""


class Gauge(Protocol):
    """What a measure says of the answers to many queries."""

    @property
    def measure(self) -> str:
        """Its name."""

    @property
    def queries(self) -> int:
        """How many queries there were."""

    @property
    def value(self) -> Mean:
        """Its value."""

    @property
    def unjudged(self) -> float:
        """Share of the first ten hits that nobody has judged, 0 to 1."""

    @property
    def difference(self) -> Mean | None:
        """How much better it is than for the live generation; None: there is none."""


Rankings = Sequence[Sequence[Hit]]  # of each query, best first


class Prober(Protocol):
    """Searches a generation as the query API would, with the generation's own profile."""

    async def problem(self, generation: Generation) -> str | None:
        """Why searches of the generation would fail; None: they would not."""

    def known_items(
        self, generation: Generation, documents: Sequence[Mapping[str, Any]]
    ) -> Sequence[KnownItem]:
        """The ways in which somebody may look for these documents."""

    def answers(self, item: KnownItem, hit: Hit) -> bool:
        """Whether somebody who looks for the item would be content with the hit."""

    async def rank(self, generation: Generation, texts: Sequence[str]) -> Rankings:
        """The first ten hits of each query, in the order of the queries."""

    async def time(self, generation: Generation, text: str) -> float:
        """How long a search takes that a person waits for, in seconds."""

    def gauge(
        self,
        grades: Mapping[str, Mapping[str, int]],
        rankings: Mapping[str, Sequence[str]],
        before: Mapping[str, Sequence[str]] | None,
        measure: str,
    ) -> Gauge:
        """How good rankings are, by query; beside those of the live generation."""
