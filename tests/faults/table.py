"""The table: what all schedules together showed, for people and for programs."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from tests.faults.schedules import LENGTH
from tests.faults.trial import RECOVERY, Load, Verdict

_PAGE = """\
# Faults survived

Written by the fault suite (`tests/faults/`); do not edit. It was run by
`{command}`
at commit {commit} on {machine}:
{faults} faults in {schedules} schedules from seed {seed}, under {changes:g} changes,
{searches:g} searches and {suggests:g} suggests a second.

Each fault lasts 2 to 5 seconds. Requests are counted from its beginning until the service is as
before: questions are answered, and a change made after the fault is found. A request fails when it
is told to come back (503, 429, 504), or when the process that it asks is the one that was stopped.
Documents are wrong when `disco verify` finds a difference once no event is on its way.

| fault | times | requests failed | seconds to recover, median / longest | documents wrong after |
|---|---|---|---|---|
{rows}

What does not hold of what is promised (recovery within {recovery:g} s, no wrong answer, no hang,
no wrong document, no dead letter):

{complaints}
"""


def document(
    verdicts: Sequence[Verdict], *, seed: int, load: Load, machine: Mapping[str, Any], commit: str
) -> dict[str, Any]:
    """All of it, as JSON has it."""
    complaints = [complaint for one in verdicts for complaint in one.complaints]
    return {
        "machine": dict(machine),
        "commit": commit,
        "seed": seed,
        "faults": len(verdicts),
        "schedules": math.ceil(len(verdicts) / LENGTH),
        "load": asdict(load),
        "rows": [_row(name, verdicts) for name in dict.fromkeys(one.fault for one in verdicts)],
        "complaints": complaints,
        "verdicts": [asdict(one) for one in verdicts],
    }


def read(file: Path) -> list[Verdict]:
    """The verdicts that a document tells of."""
    return [Verdict(**one) for one in orjson.loads(file.read_bytes())["verdicts"]]


def markdown(found: dict[str, Any], *, command: str) -> str:
    """A page."""
    rows = sorted(found["rows"], key=lambda row: str(row["fault"]))
    return _PAGE.format(
        command=command,
        machine=_machine(found["machine"]),
        rows="\n".join(map(_line, rows)),
        recovery=RECOVERY,
        complaints="\n".join(f"- {one}" for one in found["complaints"]) or "Nothing.",
        **found["load"],
        **{name: found[name] for name in ("commit", "faults", "schedules", "seed")},
    )


def _line(row: Mapping[str, Any]) -> str:
    return (
        f"| {row['fault']} | {row['times']} | {row['failed']} of {row['asked']} "
        f"| {row['recovery_median']:.1f} / {row['recovery_longest']:.1f} "
        f"| {row['documents_wrong']} |"
    )


def _machine(found: Mapping[str, Any]) -> str:
    return f"{found['cores']} cores of {found['cpu']}, {found['memory_gb']:.0f} GB"


def _row(name: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    of_it = [one for one in verdicts if one.fault == name]
    fates: Counter[str] = Counter()
    for one in of_it:
        fates.update(one.fates)
    return {
        "fault": name,
        "times": len(of_it),
        "asked": sum(one.asked for one in of_it),
        "failed": sum(one.failed for one in of_it),
        "fates": dict(fates),
        "recovery_median": round(statistics.median(one.recovery for one in of_it), 2),
        "recovery_longest": round(max(one.recovery for one in of_it), 2),
        "documents_wrong": sum(one.documents_wrong for one in of_it),
        "compared": sum(one.compared for one in of_it),
    }
