"""Generation diffs: which hits of a query moved, entered and left between two generations. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.overlap import rank_biased_overlap
from indexer.probing import Hit


@dataclass(frozen=True, kw_only=True)
class Move:
    """A hit that both generations give, in different places."""

    hit: Hit
    before: int  # place, from 1
    after: int


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A hit that one of the generations gives."""

    hit: Hit
    place: int  # from 1


@dataclass(frozen=True, kw_only=True)
class QueryDiff:
    """How the answers of two generations to one query differ."""

    query: str
    moved: Sequence[Move]  # by place in the second
    entered: Sequence[Placed]  # only the second gives them
    left: Sequence[Placed]  # only the first gives them
    overlap: float  # rank-biased, 0 to 1

    @property
    def is_same(self) -> bool:
        """Whether both give the same hits in the same order."""
        return not (self.moved or self.entered or self.left)


def compare(query: str, before: Sequence[Hit], after: Sequence[Hit]) -> QueryDiff:
    """The difference between two answers, each best first."""
    old = {hit.id: place for place, hit in enumerate(before, start=1)}
    new = {hit.id: place for place, hit in enumerate(after, start=1)}
    return QueryDiff(
        query=query,
        moved=[
            Move(hit=hit, before=old[hit.id], after=place)
            for place, hit in enumerate(after, start=1)
            if hit.id in old and old[hit.id] != place
        ],
        entered=[Placed(hit=hit, place=new[hit.id]) for hit in after if hit.id not in old],
        left=[Placed(hit=hit, place=old[hit.id]) for hit in before if hit.id not in new],
        overlap=rank_biased_overlap([*old], [*new]),
    )
