"""Promotion: which generation queries reach, and what may take its place.

Plans are pure: from the generations there are to the one exchange of an alias, or to the reason why
there can be none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.errors import IndexerError
from indexer.gates import GateFailedError, decode, refusal
from indexer.generation import Generation, State


class UnknownGenerationError(IndexerError):
    """No generation has that name. `disco index list` has the names."""

    exit_code = 2


class NotPromotableError(IndexerError):
    """The generation is not complete, or there is none to go back to; what is live stays live."""

    exit_code = 1


class LiveGenerationError(IndexerError):
    """Queries reach the generation. Promote another one first, then retire it."""

    exit_code = 1


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What one atomic action on the alias does."""

    before: Generation | None  # what queries reached; None: nothing
    after: Generation  # what they reach then
    outdated: Sequence[Generation] = ()  # what is deleted afterwards

    @property
    def changes_anything(self) -> bool:
        """Whether queries will reach another generation than they do."""
        return self.before is None or self.before.index != self.after.index


def plan_promotion(
    generations: Sequence[Generation], index: str, *, override: str | None = None
) -> Exchange:
    """Make `index` live; raises `UnknownGenerationError` or `NotPromotableError`.

    What a gate refused is refused (`GateFailedError`), unless `override` says why it goes live all
    the same.
    """
    chosen = named(generations, index)
    if chosen.state in (State.BUILDING, State.CATCHING_UP):
        raise NotPromotableError(
            f"{index} is {chosen.state}: it does not hold yet what the database holds; "
            f"wait for its `disco index reindex {chosen.name.entity}`, and if that was killed, run "
            "it again"
        )
    if chosen.state is State.FAILED and not override:
        said = refusal(index, decode(chosen.gates)) if chosen.gates else f"{index} has failed"
        raise GateFailedError(said)
    live = _live(generations, chosen.name.entity)
    if not override:
        _refuse_late(chosen, live)
    return Exchange(before=live, after=chosen)


def plan_rollback(generations: Sequence[Generation], entity: str) -> Exchange:
    """Make live again what was live last; raises `NotPromotableError` if nothing was."""
    live = _live(generations, entity)
    former = [
        one for one in generations if one.name.entity == entity and one.state is State.STANDBY
    ]
    if not former:
        raise NotPromotableError(
            f"{entity} has no standby index to go back to: "
            + (f"{live.index} is the only one that was ever live" if live else "nothing is live")
            + "; how many are kept: DISCO_STANDBY_GENERATIONS"
        )
    last = max(former, key=lambda one: one.promoted_at or 0)
    _refuse_late(last, live)
    return Exchange(before=live, after=last)


def plan_retirement(generations: Sequence[Generation], index: str) -> Generation:
    """The generation to delete; raises `UnknownGenerationError` or `LiveGenerationError`."""
    chosen = named(generations, index)
    if chosen.state is State.LIVE:
        raise LiveGenerationError(
            f"{index} is live: queries reach it; promote another index of {chosen.name.entity} "
            "first (`disco index promote` or `rollback`)"
        )
    return chosen


def named(generations: Sequence[Generation], index: str) -> Generation:
    """The generation of that name; raises `UnknownGenerationError`."""
    for one in generations:
        if one.index == index:
            return one
    there = ", ".join(one.index for one in generations) or "none; `disco index reindex` builds them"
    raise UnknownGenerationError(f"there is no index {index!r}; there are: {there}")


def _refuse_late(chosen: Generation, live: Generation | None) -> None:
    """Refuse what lacks the changes that the live one has."""
    if chosen.is_full and live is not None and not live.is_full:
        raise NotPromotableError(
            f"{chosen.index} has no room: it takes no writes, and gets the changes of meanwhile "
            "when it does (index.blocks.read_only_allow_delete); make room on its disk, and wait "
            "until indexer.batch is empty"
        )


def _live(generations: Sequence[Generation], entity: str) -> Generation | None:
    return next((one for one in generations if one.name.entity == entity and one.is_live), None)
