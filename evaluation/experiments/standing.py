"""How an experiment stands: units by arm, and what the tests say of them at this moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from evaluation.experiments import outcomes, sequential
from evaluation.experiments.outcomes import Measure, Unit
from evaluation.experiments.sequential import SampleRatio, Sequential


@dataclass(frozen=True, kw_only=True)
class Design:
    """What is compared, and on whom."""

    name: str
    unit: Unit  # who keeps his variant
    # Of the units in the experiment, by variant; they sum to 1. The first is what others are held
    # against. Empty where two variants are interleaved.
    shares: Mapping[str, float] = field(default_factory=dict)
    interleaved: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A variant beside another."""

    first: str
    second: str
    units: int  # of both
    first_value: float | None  # mean over units of what is measured
    second_value: float | None
    test: Sequential | None  # None: there are too few units yet
    better: str | None  # None: not decided

    @property
    def decided(self) -> bool:
        """Whether the experiment can end."""
        return self.better is not None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How an experiment stands."""

    design: Design
    measure: str  # what is compared
    ratio: SampleRatio | None  # None: all units get the same list
    comparisons: Sequence[Comparison]

    @property
    def trusted(self) -> bool:
        """Whether units were shared out as they should be."""
        return self.ratio is None or self.ratio.holds


def standing_of(log: duckdb.DuckDBPyConnection, design: Design, measure: Measure) -> Standing:
    """How an experiment stands by an opened log."""
    if design.interleaved is not None:
        return _interleaved(log, design, design.interleaved)
    arms = outcomes.by_arm(log, design.name, design.unit, measure)
    base, *others = design.shares
    ratio = sequential.sample_ratio(
        {variant: len(values) for variant, values in arms.items()}, design.shares
    )
    nobody = outcomes.no_units()
    comparisons = [
        _compared(base, other, arms.get(base, nobody), arms.get(other, nobody)) for other in others
    ]
    return Standing(design=design, measure=measure, ratio=ratio, comparisons=comparisons)


def _compared(
    first: str, second: str, of_first: outcomes.Floats, of_second: outcomes.Floats
) -> Comparison:
    test = sequential.two_arms(of_first, of_second)
    return Comparison(
        first=first,
        second=second,
        units=len(of_first) + len(of_second),
        first_value=_mean(of_first),
        second_value=_mean(of_second),
        test=test,
        better=_better(first, second, test),
    )


def _interleaved(log: duckdb.DuckDBPyConnection, design: Design, pair: tuple[str, str]) -> Standing:
    first, second = pair
    credit = outcomes.credits_of(log, design.name, design.unit, "+".join(pair))
    test = sequential.one_arm(credit)
    compared = Comparison(
        first=first,
        second=second,
        units=len(credit),
        first_value=_mean((credit < 0).astype(float)),
        second_value=_mean((credit > 0).astype(float)),
        test=test,
        better=_better(first, second, test),
    )
    return Standing(design=design, measure="preference", ratio=None, comparisons=[compared])


def _mean(values: outcomes.Floats) -> float | None:
    return float(values.mean()) if len(values) else None


def _better(first: str, second: str, test: Sequential | None) -> str | None:
    if test is None or not test.decided:
        return None
    return second if test.difference > 0 else first
