"""Completions of many names: five times as many, and divided into two shards.

Shards are what a snapshot is divided into when it is larger than a machine's memory. Each has half
of the entities, by a hash, and counts costs from the same weight, so that answers of both can be
merged; whoever merges them has to find what the whole finds.
"""

import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from benchmarks import suggest_corpus
from benchmarks.environment import Say
from benchmarks.report import Bar, Report, medians
from benchmarks.suggest import LIMIT, SEED, Figures, time_ours
from benchmarks.suggest_corpus import Name, Query
from suggest import builder, snapshot
from suggest.engine import Engine
from suggest.layers import Layers
from suggest.phrases import Phrase

SIZES: Final = {"1m": 1_000_000, "5m": 5_000_000}
_SHARDS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Names in files, and what is looked up."""

    file: Path
    shards: Sequence[Path]  # the same names; none where they are not divided
    log: Sequence[Query]


def measure(*, queries: int, runs: int, say: Say, sizes: Mapping[str, int] = SIZES) -> Report:
    """Ours with names of two sizes, in turn, with edits and without; the smaller in shards, too."""
    with tempfile.TemporaryDirectory() as folder:
        figures: Figures = {}
        subjects: dict[str, Subject] = {}
        medium, large = sizes
        for label, count in sizes.items():
            say(f"making {count:,} names")
            names = suggest_corpus.generated(count)
            log = suggest_corpus.query_log(names, queries, SEED)
            file = Path(folder) / label
            top = _write(file, names)
            shards = _write_shards(file, names, top) if label == medium else []
            subjects[label] = Subject(file=file, shards=shards, log=log)
            figures[f"{label}_bytes"] = file.stat().st_size
            if shards:
                figures["shard_bytes"] = max(shard.stat().st_size for shard in shards)
                figures["shards_differ"] = _differences(subjects[label], names)
        found = [_run(subjects) for _ in range(runs)]
    figures |= medians(found)
    return Report(
        bench="suggest-5m",
        corpus={"names": dict(sizes), "queries": queries, "shards": _SHARDS},
        figures=figures,
        bars=_bars(figures, medium, large),
        details={"runs": found},
    )


def _write(file: Path, names: Sequence[Name], top: float | None = None) -> float:
    """Write a snapshot; the weight that its costs are counted from."""
    phrases = (Phrase(one.text, one.weight, None, None, None) for one in names)
    built = builder.build(phrases, word_starts=False, top=top)
    snapshot.write(file, built.pieces)
    return float(built.facts["top"])


def _write_shards(file: Path, names: Sequence[Name], top: float) -> Sequence[Path]:
    divided: list[list[Name]] = [[] for _ in range(_SHARDS)]
    for name in names:
        divided[zlib.crc32(name.text.encode()) % _SHARDS].append(name)
    files = [file.with_name(f"{file.name}-{number}") for number in range(_SHARDS)]
    for shard, some in zip(files, divided, strict=True):
        _write(shard, some, top)
    return files


def _together(shards: Sequence[Path]) -> Layers:
    """All shards, searched one after the other and merged."""
    first, *others = (Engine.open(shard) for shard in shards)
    layers = Layers(first)
    layers.put(others, 0)
    return layers


def _differences(subject: Subject, names: Sequence[Name]) -> int:
    """For how many beginnings the shards find other weights than the whole, or in another order."""
    weights = {name.text: name.weight for name in names}
    whole, shards = Engine.open(subject.file), _together(subject.shards)
    differ = 0
    for query in subject.log:
        found = [
            [
                (weights[one["text"]], one["corrected"])
                for one in orjson.loads(answer)["completions"]
            ]
            for answer in (whole.answer(query.typed, LIMIT), shards.answer(query.typed, LIMIT))
        ]
        differ += found[0] != found[1]
    return differ


def _run(subjects: Mapping[str, Subject]) -> Figures:
    figures: Figures = {}
    for label, subject in subjects.items():
        engines: dict[str, Engine | Layers] = {label: Engine.open(subject.file)}
        if subject.shards:
            engines["shards"] = _together(subject.shards)
        for name, engine in engines.items():
            for how in ("exact", "fuzzy"):
                timed = time_ours(engine, subject.log, fuzzy=how == "fuzzy")
                figures |= {f"{name}_{how}_{what}": value for what, value in timed.items()}
    return figures


def _bars(figures: Figures, medium: str, large: str) -> dict[str, Bar]:
    bars = {
        f"{how}_p99_times": Bar(
            value=figures[f"{large}_{how}_p99_us"] / figures[f"{medium}_{how}_p99_us"],
            bar=2.5,
            at_most=True,
        )
        for how in ("exact", "fuzzy")
    }
    return bars | {"shards_differ": Bar(value=figures["shards_differ"], bar=0, at_most=True)}
