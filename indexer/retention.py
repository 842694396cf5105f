"""Retention: which generations stay beside the live one, and which are deleted.

Pure. What is deleted was live longest ago, or is of no use any more. Something that somebody may
still want to make live for the first time is his business: it is never counted, and never deleted.
"""

from collections.abc import Collection, Sequence

from indexer.generation import Generation, State
from indexer.promotion import Exchange, named

_UNFINISHED = frozenset({State.BUILDING, State.CATCHING_UP})


def outdated_by(
    exchange: Exchange,
    generations: Sequence[Generation],
    *,
    keep: int,
    under_way: Collection[str] = (),
) -> list[Generation]:
    """What to delete after an exchange, so that `keep` standbys stay; those that were live last.

    Only a generation that goes live for the first time makes others outdated: going to and fro
    between those that were live deletes nothing. Goes, too: what a gate refused before, and what is
    unfinished and not of a build that is `under_way` (names of indices). What is ready stays.
    """
    if exchange.after.promoted_at is not None or not exchange.changes_anything:
        return []
    others = [
        one
        for one in generations
        if one.name.entity == exchange.after.name.entity and one.index != exchange.after.index
    ]
    was_live = [one for one in others if one.state in (State.LIVE, State.STANDBY)]
    # What is live still is the one that was live last, whatever is noted of it.
    was_live.sort(key=lambda one: (one.is_live, one.promoted_at or 0), reverse=True)
    useless = [
        one
        for one in others
        if one.state is State.FAILED or (one.state in _UNFINISHED and one.index not in under_way)
    ]
    return [*was_live[keep:], *useless]


def superseded(generations: Sequence[Generation], index: str) -> list[Generation]:
    """Generations of the same type as `index` that failed before it did, and were never live."""
    entity = named(generations, index).name.entity
    return [
        one
        for one in generations
        if one.name.entity == entity and one.index != index and one.state is State.FAILED
    ]
