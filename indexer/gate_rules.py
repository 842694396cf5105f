"""Gate rules: from what was seen of a generation to what its gates say. Pure.

Most rules hold a generation against the one that is live: a definition is bad if it makes things
worse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from indexer.gates import Gate, Outcome, Ruling
from indexer.probing import TITLE, Gauge, Mean


@dataclass(frozen=True, kw_only=True)
class Bars:
    """How much worse a generation may be than the live one."""

    strays: int = 2  # documents, or documents with a field, that never count
    population: float = 0.02  # share of documents more or fewer
    coverage: float = 0.02  # share of the documents with a field that lack it now
    contents: float = 0.5  # share of a few documents in which a field says something else
    fewest: int = 10  # documents with a field that say anything about it
    quality: float = 0.02  # of a measure, over all queries, if it is no luck with the queries
    kind_quality: float = 0.05  # the same, over the known-item queries of one kind
    kind_collapse: float = 0.25  # of a kind whatever the interval says: it has few queries
    titles_found: float = 0.7  # reciprocal rank of what is looked for by its title
    slowdown: float = 1.5  # times as long
    slow: float = 0.010  # seconds that a search may take longer, whatever it took before
    deadline_share: float = 0.5  # of the longest time that a search may take


BARS: Final = Bars()


def skipped(gate: Gate, why: str) -> Ruling:
    """The ruling of a gate that has nothing to look at."""
    return Ruling(gate=gate, outcome=Outcome.SKIPPED, detail=why)


def rule_profile(problem: str | None) -> Ruling:
    """Whether searches can be made at all."""
    return _ruling(Gate.PROFILE, problem or "", "the search profile fits the mapping")


def rule_parity(compared: int, differences: Sequence[str]) -> Ruling:
    """Whether what it holds is exactly what hydration gives; `differences` names some."""
    few = ", ".join(differences[:3])
    wrong = f"{len(differences)} differ from the database, such as {few}" if differences else ""
    figures = {"compared": compared, "differences": len(differences)}
    return _ruling(Gate.PARITY, wrong, f"{compared:,} documents are what hydration gives", figures)


def rule_population(documents: int, live: int, bars: Bars = BARS) -> Ruling:
    """Whether it has about as many documents as the live generation."""
    allowed = max(bars.strays, live * bars.population)
    wrong = ""
    if abs(documents - live) > allowed:
        change = f"{(documents - live) / live:+.1%}" if live else "from nothing"
        wrong = f"{documents:,} documents, where the live index has {live:,} ({change})"
    figures = {"documents": documents, "live": live}
    said = f"{documents:,} documents; the live index has {live:,}"
    return _ruling(Gate.POPULATION, wrong, said, figures)


def rule_coverage(
    filled: Mapping[str, int],
    documents: int,
    live_filled: Mapping[str, int],
    live: int,
    bars: Bars = BARS,
) -> Ruling:
    """Whether fields are filled in as large a share of the documents as in the live generation."""
    emptier = []
    for name, count in live_filled.items():
        expected = documents * count / live if live else 0.0
        if filled.get(name, 0) < expected * (1 - bars.coverage) - bars.strays:
            emptier.append(f"{name} ({filled.get(name, 0):,} instead of {expected:,.0f})")
    wrong = f"documents lack what the live ones have: {', '.join(emptier)}" if emptier else ""
    figures = {"fields": len(live_filled), "emptier": len(emptier)}
    said = f"{len(live_filled)} fields are filled as in the live index"
    return _ruling(Gate.COVERAGE, wrong, said, figures)


def rule_contents(
    documents: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    names: Sequence[str],
    bars: Bars = BARS,
) -> Ruling:
    """Whether fields say what they say in the live generation.

    `documents` are a few as they are in both, this one's first. Fields that one of them lacks are
    left to the coverage. Lists are equal if they have the same values, in whatever order.
    """
    other = []
    for name in names:
        pairs = [(one[name], live[name]) for one, live in documents if name in one and name in live]
        changed = sum(not _is_same(*pair) for pair in pairs)
        if len(pairs) >= bars.fewest and changed > len(pairs) * bars.contents:
            other.append(f"{name} (in {changed} of {len(pairs)})")
    wrong = f"fields say something else than in the live index: {', '.join(other)}" if other else ""
    figures = {"documents": len(documents), "fields": len(names), "changed": len(other)}
    said = f"{len(names)} fields of {len(documents)} documents say what they say in the live index"
    return _ruling(Gate.CONTENTS, wrong, said, figures)


def rule_privacy(entities: int, exposed: Sequence[str], told: Sequence[str], names: int) -> Ruling:
    """Whether none of the private entities is in it, and what others show names none of them.

    `exposed` are entities that have a document, `told` names that documents tell of.
    """
    found = []
    if exposed:
        found.append(f"{len(exposed):,} private entities can be found: {', '.join(exposed[:5])}")
    if told:
        found.append(f"documents tell names of private entities: {', '.join(told[:5])}")
    figures = {"private": entities, "exposed": len(exposed), "names": names, "told": len(told)}
    said = f"none of {entities:,} private entities, nor of {names:,} names, can be found"
    return _ruling(Gate.PRIVACY, "; ".join(found), said, figures)


def rule_known_items(gauges: Mapping[str, Gauge], whole: Gauge, bars: Bars = BARS) -> Ruling:
    """Whether what somebody looks for is found as well as in the live generation.

    `gauges` by kind of query; `whole` is of all kinds that one entity answers. Without a live
    generation only titles count.
    """
    wrong = []
    for kind, gauge in gauges.items():
        if gauge.difference is None:
            if kind == TITLE and gauge.value.mean < bars.titles_found:
                wrong.append(f"by {kind}: {gauge.measure} {gauge.value.mean:.3f}")
        elif _is_worse(gauge.difference, bars.kind_quality) or (
            gauge.difference.mean <= -bars.kind_collapse
        ):
            wrong.append(f"by {kind}: {_told(gauge)}")
    if whole.difference is not None and _is_worse(whole.difference, bars.quality):
        wrong.append(f"by all: {_told(whole)}")
    found = f"what is looked for is found worse {'; '.join(wrong)}" if wrong else ""
    figures = _figures(whole) | {f"{kind}_value": one.value.mean for kind, one in gauges.items()}
    return _ruling(Gate.KNOWN_ITEMS, found, _told(whole), figures)


def rule_judgments(gauge: Gauge, bars: Bars = BARS) -> Ruling:
    """Whether judged queries are answered as well as by the live generation."""
    worse = gauge.difference is not None and _is_worse(gauge.difference, bars.quality)
    wrong = f"judged queries are answered worse: {_told(gauge)}" if worse else ""
    figures = _figures(gauge) | {"unjudged": gauge.unjudged}
    said = f"{_told(gauge)}; {gauge.unjudged:.0%} of the hits are unjudged"
    return _ruling(Gate.JUDGMENTS, wrong, said, figures)


def rule_latency(
    seconds: Sequence[float], live: Sequence[float], deadline: float, bars: Bars = BARS
) -> Ruling:
    """Whether searches take no longer than in the live generation, nor too long altogether.

    The same queries in both, each by its quickest run: what else the machine does is left out.
    """
    slowest = _quantile(seconds, 0.95)
    before = _quantile(live, 0.95) if live else None
    wrong = ""
    if slowest > deadline * bars.deadline_share:
        wrong = f"searches take {slowest * 1e3:.0f} ms (p95); they may take {deadline * 1e3:.0f}"
    elif before is not None and slowest > max(before * bars.slowdown, before + bars.slow):
        wrong = f"searches take {slowest * 1e3:.1f} ms (p95), where they took {before * 1e3:.1f}"
    figures = {"queries": len(seconds), "p50": _quantile(seconds, 0.5), "p95": slowest}
    figures |= {} if before is None else {"live_p50": _quantile(live, 0.5), "live_p95": before}
    said = f"searches take {slowest * 1e3:.1f} ms (p95)"
    return _ruling(
        Gate.LATENCY, wrong, said if before is None else f"{said}, as {before * 1e3:.1f}", figures
    )


def _ruling(
    gate: Gate, wrong: str, said: str, figures: Mapping[str, float] | None = None
) -> Ruling:
    outcome = Outcome.FAILS if wrong else Outcome.HOLDS
    return Ruling(gate=gate, outcome=outcome, detail=wrong or said, figures=figures or {})


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(str, one)) == sorted(map(str, other))
    return bool(one == other)


def _is_worse(difference: Mean, bar: float) -> bool:
    """Whether it is so much worse, and hardly by luck with the queries."""
    return difference.mean <= -bar and difference.high < 0


def _told(gauge: Gauge) -> str:
    value, change = gauge.value, gauge.difference
    text = f"{gauge.measure} {value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]"
    if change is None:
        return text
    return f"{text}, {change.mean:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"


def _figures(gauge: Gauge) -> dict[str, float]:
    value, change = gauge.value, gauge.difference
    figures = {"queries": gauge.queries, "value": value.mean}
    figures |= {"low": value.low, "high": value.high}
    if change is not None:
        figures |= {"difference": change.mean}
        figures |= {"difference_low": change.low, "difference_high": change.high}
    return figures


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
