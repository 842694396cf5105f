"""Gates: what a generation must show before queries may reach it, and how what they say is kept.

What is looked at, and how, is the business of `examination.py`; what follows, of `gate_rules.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from indexer.errors import IndexerError


class Gate(StrEnum):
    """One thing that is asked of a generation."""

    PROFILE = "profile"  # its search profile fits its mapping
    PARITY = "parity"  # it holds exactly what hydration gives
    POPULATION = "population"  # it has about as many documents as the live one
    COVERAGE = "coverage"  # the fields that searches use are as often filled
    CONTENTS = "contents"  # and say what they say there
    PRIVACY = "privacy"  # nothing that is private can be found in it
    KNOWN_ITEMS = "known_items"  # who looks for something that is there finds it as well
    JUDGMENTS = "judgments"  # judged queries are answered as well
    LATENCY = "latency"  # it answers as fast


class Outcome(StrEnum):
    """What came of a gate."""

    HOLDS = "holds"  # it is as it should be
    FAILS = "fails"  # it is not; the generation must not go live
    SKIPPED = "skipped"  # there was nothing to ask it about; `detail` says why


class GateFailedError(IndexerError):
    """A generation did not pass its gates; what is live stays live.

    Mend the definition and build again, or promote it with `--override` and a reason.
    """

    exit_code = 1


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What one gate says."""

    gate: Gate
    outcome: Outcome
    detail: str  # a sentence for a person
    figures: Mapping[str, float] = field(default_factory=dict)  # what it was decided by


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What all gates say of a generation."""

    rulings: Sequence[Ruling]
    examined_at: int  # microseconds by the primary's clock
    baseline: str | None  # index that it was held against; None: nothing was live
    override: str | None = None  # why it went live all the same

    @property
    def failed(self) -> Sequence[Ruling]:
        """The gates that it did not pass."""
        return [one for one in self.rulings if one.outcome is Outcome.FAILS]

    def overridden(self, reason: str) -> Self:
        """The examination, with the reason why it did not count."""
        return replace(self, override=reason)


def encode(examination: Examination) -> dict[str, Any]:
    """The examination as plain JSON values."""
    return {
        "holds": not examination.failed,
        "examined_at": examination.examined_at,
        "baseline": examination.baseline,
        "override": examination.override,
        "rulings": [
            {
                "gate": str(one.gate),
                "outcome": str(one.outcome),
                "detail": one.detail,
                "figures": {name: round(value, 6) for name, value in one.figures.items()},
            }
            for one in examination.rulings
        ],
    }


def decode(content: Mapping[str, Any]) -> Examination:
    """The examination that `encode` gave."""
    return Examination(
        rulings=[
            Ruling(
                gate=Gate(one["gate"]),
                outcome=Outcome(one["outcome"]),
                detail=one["detail"],
                figures=one["figures"],
            )
            for one in content["rulings"]
        ],
        examined_at=content["examined_at"],
        baseline=content["baseline"],
        override=content["override"],
    )


def refusal(index: str, examination: Examination) -> str:
    """Why a generation must not go live, and what to do, as a message."""
    reasons = "; ".join(f"{one.gate}: {one.detail}" for one in examination.failed)
    return (
        f"{index} did not pass its gates ({reasons}); what is live stays live. Mend the definition "
        f"and build again; look closer with `disco index gates {index}` and `disco index diff`, or "
        f'promote it all the same with `disco index promote {index} --override "reason"`'
    )
