"""For how long a build has come no further."""

from dataclasses import replace

from indexer.builds import Build, Phase, Range, Tally
from indexer.stalls import Stalls

FIRST, SECOND = Range(1, 2, 10), Range(2, 3, 10)
BUILD = Build(
    entity="sound",
    index="x-sound",
    phase=Phase.SCANNING,
    since={Phase.PREPARING: 1},
    position=3,
    open=(FIRST, SECOND),
)


def test_it_is_counted_from_the_first_question() -> None:
    stalls = Stalls()
    assert [stalls.seconds(BUILD, now) for now in (100.0, 130.0, 400.0)] == [0.0, 30.0, 300.0]


def test_whatever_anybody_finishes_ends_a_stall() -> None:
    stalls = Stalls()
    assert stalls.seconds(BUILD, 100.0) == 0.0
    further = BUILD.finish(FIRST, Tally(), 1)
    assert stalls.seconds(further, 300.0) == 0.0
    assert stalls.seconds(further, 310.0) == 10.0


def test_another_comparison_is_no_stall() -> None:
    stalls = Stalls()
    comparing = replace(BUILD, phase=Phase.COMPARING, turn=1)
    assert stalls.seconds(comparing, 0.0) == 0.0
    assert stalls.seconds(replace(comparing, turn=2), 500.0) == 0.0


def test_neither_is_a_pause() -> None:
    stalls = Stalls()
    assert stalls.seconds(BUILD, 0.0) == 0.0
    assert stalls.seconds(BUILD, 7_200.0) == 0.0
    assert stalls.seconds(BUILD, 7_210.0) == 10.0


def test_each_build_stalls_by_itself() -> None:
    stalls = Stalls()
    other = replace(BUILD, index="x-user")
    assert stalls.seconds(BUILD, 0.0) == 0.0
    assert stalls.seconds(other, 50.0) == 0.0
    assert stalls.seconds(BUILD, 60.0) == 60.0
    assert stalls.seconds(other, 60.0) == 10.0
