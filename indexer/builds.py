"""Builds: how far the making of a generation is, as a record with pure rules.

A build goes over all ids of an entity type in ranges: once to fill the generation (the scan), then
to compare it with the database and mend it, until such a pass finds nothing. A copy of another
generation needs no scan. A range is handed out,
done by some worker, and noted as finished; what is handed out and not finished is *open*. So a
build can be taken up again from its record alone, whoever was killed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple, Self

from indexer.windows import END_OF_IDS, SMALLEST_ID

PASSES = 5  # comparisons after which a generation that still differs is given up
NOBODY = -1  # in place of the range that handed out another
_RATE_WINDOW = 15_000_000  # microseconds that a rate is the mean of
# A range takes a few seconds. Longer without an end of one, and the rate falls.
_BETWEEN_RANGES = 5_000_000  # microseconds
_BETWEEN_MARKS = 1_000_000  # microseconds; closer ones are one


class Phase(StrEnum):
    """Where a build stands."""

    PREPARING = "preparing"  # its index is made, and workers come to know it
    SCANNING = "scanning"  # every row is written to it; a copy has them already
    COMPACTING = "compacting"  # it gets the settings of a live index; a scan's segments are merged
    COMPARING = "comparing"  # it is compared with the database, and mended
    RELEASING = "releasing"  # it is about to be called ready
    COMPLETE = "complete"  # the generation is ready
    FAILED = "failed"  # given up, with a reason; the generation was deleted
    CANCELLED = "cancelled"  # given up by an operator; the generation was deleted


_ENDED = frozenset({Phase.COMPLETE, Phase.FAILED, Phase.CANCELLED})
_OVER_ALL_IDS = frozenset({Phase.SCANNING, Phase.COMPARING})
# Phases of a single step; it is handed out as a range of no ids.
_SINGLE = frozenset({Phase.COMPACTING, Phase.RELEASING})


class Range(NamedTuple):
    """Ids from `start` up to, but without, `end`, that somebody is to go over."""

    start: int
    end: int
    rows: int  # of the table, when it was handed out
    after: int = NOBODY  # start of the range whose end handed this one out


class Mark(NamedTuple):
    """How far a phase was at a moment."""

    at: int  # microseconds by the primary's clock
    rows: int  # gone over so far


class Step(NamedTuple):
    """The part of a build that a range belongs to."""

    generation: str  # name of its index
    phase: Phase
    turn: int  # which comparison it is, from 1; 0 in other phases


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What going over one range gave."""

    outcomes: Mapping[str, int] = field(default_factory=dict)  # writes by outcome
    differences: int = 0  # found, and not late in the live generation as well
    mended: int = 0  # differences of all kinds that were mended

    @property
    def documents(self) -> int:
        """Documents that the database gave."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, kw_only=True)
class Build:
    """The record of one build. Moments are microseconds by the primary's clock."""

    entity: str
    index: str = ""  # its generation; empty until that is made
    copied_from: str = ""  # the index whose documents it began with; empty: it is filled by a scan
    phase: Phase = Phase.PREPARING
    turn: int = 0
    is_paused: bool = False
    since: Mapping[str, int]  # when each phase began
    expected: int = 0  # rows of the table, as the planner estimates; 0: it does not know
    position: int = SMALLEST_ID  # from here on ids are in no range of this pass yet
    open: Sequence[Range] = ()  # handed out, not finished
    rows: int = 0  # rows in the finished ranges of this pass
    marks: Sequence[Mark] = ()  # when rows were finished lately, for the rate; oldest first
    documents: int = 0  # documents that the scan read
    outcomes: Mapping[str, int] = field(default_factory=dict)  # of the scan's writes
    found: int = 0  # differences of this pass
    mended: int = 0  # differences of all passes
    failure: str = ""  # why it failed

    @property
    def is_under_way(self) -> bool:
        """Whether there is still something to do."""
        return self.phase not in _ENDED

    @property
    def step(self) -> Step:
        """What a range must belong to so that it counts."""
        return Step(self.index, self.phase, self.turn)

    def holds(self, start: int) -> Range | None:
        """The open range that starts there."""
        return next((one for one in self.open if one.start == start), None)

    def wants(self, breadth: int) -> int:
        """How many ranges to hand out so that `breadth` are open."""
        if self.is_paused or self.phase not in _OVER_ALL_IDS or self.position >= END_OF_IDS:
            return 0
        return max(0, breadth - len(self.open))

    def enter(self, phase: Phase, now: int, *, after: int = NOBODY, turn: int = 0) -> Self:
        """The build at the start of a phase."""
        single = (Range(SMALLEST_ID, SMALLEST_ID, 0, after),)
        return replace(
            self,
            phase=phase,
            turn=turn,
            since={**self.since, phase: now},
            position=END_OF_IDS if phase in _SINGLE else SMALLEST_ID,
            open=single if phase in _SINGLE else (),
            rows=0,
            marks=(Mark(now, 0),),
            found=0,
        )

    def rate(self, now: int) -> float:
        """Rows a second, lately; 0 where that is not known, or it does not go on."""
        if not self.is_under_way or self.is_paused or len(self.marks) < 2:
            return 0.0
        first, last = self.marks[0], self.marks[-1]
        seconds = (max(last.at, now - _BETWEEN_RANGES) - first.at) / 1e6
        return (last.rows - first.rows) / seconds if seconds > 0 else 0.0

    def pause(self) -> Self:
        """The build, of which nothing more is handed out."""
        return replace(self, is_paused=True)

    def resume(self, now: int) -> Self:
        """The build, of which more is handed out again. How long it lay idle is in no rate."""
        return replace(self, is_paused=False, marks=(Mark(now, self.rows),))

    def hand_out(self, taken: Range) -> Self:
        """The build after a range from its position on was handed out."""
        return replace(self, open=(*self.open, taken), position=taken.end)

    def finish(self, done: Range, tally: Tally, now: int) -> Self:
        """The build after an open range was gone over, in its next phase if that was the last."""
        rows = self.rows + done.rows
        build = replace(
            self,
            open=tuple(one for one in self.open if one.start != done.start),
            rows=rows,
            marks=_lately(self.marks, Mark(now, rows)),
            documents=self.documents + tally.documents,
            outcomes=Counter(self.outcomes) + Counter(tally.outcomes),
            found=self.found + tally.differences,
            mended=self.mended + tally.mended,
        )
        if build.open or build.position < END_OF_IDS:
            return build
        return build.go_on(now, done.start)

    def go_on(self, now: int, after: int) -> Self:
        """The build in the phase that follows; `after` is the range that was the last."""
        if self.phase is Phase.SCANNING:
            return self.enter(Phase.COMPACTING, now, after=after)
        if self.phase is Phase.COMPACTING:
            return self.enter(Phase.COMPARING, now, turn=1)
        if self.phase is Phase.RELEASING:
            return self.enter(Phase.COMPLETE, now)
        if not self.found:
            return self.enter(Phase.RELEASING, now, after=after)
        if self.turn < PASSES:
            return self.enter(Phase.COMPARING, now, turn=self.turn + 1)
        return self.fail(
            f"{self.index} still differs from the database after {PASSES} comparisons; see whether "
            f"workers run and keep up (`disco doctor`), then build again",
            now,
        )

    def fail(self, reason: str, now: int) -> Self:
        """The build, given up."""
        return replace(self.enter(Phase.FAILED, now), failure=reason)


def encode(build: Build) -> dict[str, Any]:
    """The record as plain JSON values."""
    values = {name: getattr(build, name) for name in Build.__dataclass_fields__}
    return values | {
        "phase": str(build.phase),
        "since": {str(phase): moment for phase, moment in build.since.items()},
        "open": [list(one) for one in build.open],
        "marks": [list(one) for one in build.marks],
        "outcomes": {str(outcome): count for outcome, count in build.outcomes.items()},
    }


def decode(content: Mapping[str, Any]) -> Build:
    """The record that `encode` gave."""
    known = {name: content[name] for name in Build.__dataclass_fields__ if name in content}
    opened = tuple(Range(*one) for one in content["open"])
    marks = tuple(Mark(*one) for one in content.get("marks", ()))
    return Build(**known | {"phase": Phase(content["phase"]), "open": opened, "marks": marks})


def _lately(marks: Sequence[Mark], newest: Mark) -> Sequence[Mark]:
    """The newest one, those of the last seconds, and one before them."""
    is_close = len(marks) > 1 and newest.at - marks[-2].at < _BETWEEN_MARKS
    kept = (*(marks[:-1] if is_close else marks), newest)
    older = sum(one.at < newest.at - _RATE_WINDOW for one in kept)
    return kept[max(0, older - 1) :]
