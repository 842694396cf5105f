"""Builds: every row is gone over once a pass, and a build ends as ready or with a reason."""

import random
from dataclasses import replace
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.builds import NOBODY, PASSES, Build, Mark, Phase, Range, Tally, decode, encode
from indexer.windows import END_OF_IDS

_ROWS = 10  # in a range of these tests


def _begun(phase: Phase = Phase.SCANNING, **changes: object) -> Build:
    build = Build(entity="sound", index="x-sound", since={Phase.PREPARING: 1}, expected=95)
    return build.enter(phase, 2)


def _hand_out(build: Build, breadth: int, total: int, after: int = NOBODY) -> Build:
    """As workers do, for ids from 0 up to `total` that all have rows."""
    while build.wants(breadth):
        end = build.position + _ROWS
        is_last = end > total
        rows = max(0, total - build.position) if is_last else _ROWS
        taken = Range(build.position, END_OF_IDS if is_last else end, rows, after)
        build = build.hand_out(taken)
    return build


@given(
    total=st.integers(0, 120),
    breadth=st.integers(1, 7),
    differences=st.lists(st.integers(0, 2), max_size=PASSES - 1),
    chance=st.randoms(use_true_random=False),
)
def test_each_pass_goes_over_every_id_once(
    total: int, breadth: int, differences: list[int], chance: random.Random
) -> None:
    build = _hand_out(_begun(), breadth, total)
    gone_over: dict[tuple[Phase, int], list[Range]] = {}
    while build.is_under_way:
        assert 1 <= len(build.open) <= breadth
        done = chance.choice(build.open)
        gone_over.setdefault((build.phase, build.turn), []).append(done)
        found = 0
        if build.phase is Phase.COMPARING and done.start == 0:
            found = differences.pop() if differences else 0
        tally = Tally(outcomes={"indexed": done.rows}, differences=found)
        if build.phase is not Phase.SCANNING:
            tally = Tally(differences=found)
        build = _hand_out(decode(orjson.loads(orjson.dumps(encode(build)))), breadth, total)
        build = _hand_out(build.finish(done, tally, 3), breadth, total, done.start)
    assert build.phase is Phase.COMPLETE
    assert build.documents == build.outcomes.get("indexed", 0) == total
    for (phase, _), ranges in gone_over.items():
        if phase in (Phase.SCANNING, Phase.COMPARING):
            ordered = sorted(ranges)
            assert ordered[0].start == 0
            assert ordered[-1].end == END_OF_IDS
            assert all(a.end == b.start for a, b in pairwise(ordered))
            assert sum(one.rows for one in ordered) == total
    assert list(gone_over)[:2] == [(Phase.SCANNING, 0), (Phase.COMPACTING, 0)]
    assert list(gone_over)[-1] == (Phase.RELEASING, 0)


def test_it_is_ready_only_after_a_comparison_that_found_nothing() -> None:
    build = _hand_out(_begun(Phase.COMPARING), 1, 0)
    build = build.finish(build.open[0], Tally(differences=1, mended=1), 3)
    assert (build.phase, build.mended) == (Phase.COMPARING, 1)
    build = _hand_out(build, 1, 0)
    build = build.finish(build.open[0], Tally(), 4)
    assert (build.phase, build.mended) == (Phase.RELEASING, 1)


def test_it_is_given_up_when_comparisons_go_on_finding_differences() -> None:
    build = _begun().enter(Phase.COMPARING, 2, turn=1)
    for _ in range(PASSES):
        assert build.is_under_way
        build = _hand_out(build, 1, 0)
        build = build.finish(build.open[0], Tally(differences=3), 3)
    assert build.phase is Phase.FAILED
    assert "still differs" in build.failure


def test_nothing_is_handed_out_of_a_paused_build() -> None:
    build = _hand_out(_begun(), 2, 100)
    paused = replace(build, is_paused=True)
    paused = paused.finish(paused.open[0], Tally(), 3)
    assert paused.wants(2) == 0
    assert len(paused.open) == 1


def _at(seconds: float) -> int:
    return int(seconds * 1e6)


def _scanned(build: Build, *moments: float) -> Build:
    """A build in which a range was finished at each of these seconds."""
    for moment in moments:
        build = _hand_out(build, 1, 10_000)
        build = build.finish(build.open[0], Tally(), _at(moment))
    return build


def test_anybody_can_tell_its_rate_from_the_record_alone() -> None:
    build = replace(_begun(), marks=(Mark(_at(0), 0),))
    assert build.rate(_at(1)) == 0, "nothing is finished so far"
    build = _scanned(build, 1, 2, 3, 4)
    build = decode(orjson.loads(orjson.dumps(encode(build))))
    assert build.rate(_at(5)) == pytest.approx(_ROWS)
    # Nothing was finished for a while: it falls.
    assert build.rate(_at(64)) == pytest.approx(4 * _ROWS / 59)


def test_its_rate_is_that_of_the_last_seconds() -> None:
    slow = [10.0 * number for number in range(1, 11)]
    fast = [100 + number / 10 for number in range(1, 301)]
    build = _scanned(replace(_begun(), marks=(Mark(_at(0), 0),)), *slow, *fast)
    assert build.rate(_at(130)) == pytest.approx(10 * _ROWS, rel=0.05)
    assert len(build.marks) < 40, "the record stays small, however many ranges are finished"


def test_how_long_it_was_paused_is_in_no_rate() -> None:
    build = _scanned(replace(_begun(), marks=(Mark(_at(0), 0),)), 1, 2)
    paused = build.pause()
    assert (paused.rate(_at(3)), paused.wants(1)) == (0, 0)
    build = _scanned(paused.resume(_at(1_000)), 1_001, 1_002)
    assert build.rate(_at(1_002)) == pytest.approx(_ROWS)


def test_nothing_is_handed_out_before_every_worker_knows_the_index() -> None:
    build = Build(entity="sound", index="x-sound", since={Phase.PREPARING: 1})
    assert build.is_under_way
    assert build.wants(5) == 0


@pytest.mark.parametrize("phase", [Phase.COMPLETE, Phase.FAILED, Phase.CANCELLED])
def test_nothing_is_handed_out_of_a_build_that_has_ended(phase: Phase) -> None:
    build = _begun().enter(phase, 3)
    assert not build.is_under_way
    assert build.wants(5) == 0


def test_a_range_counts_only_in_the_step_that_it_was_handed_out_in() -> None:
    build = _hand_out(_begun(), 1, 5)
    compacting = build.finish(build.open[0], Tally(), 3)
    assert compacting.holds(0) is not None  # its single step, which has no ids
    assert compacting.step != build.step
