"""Completions: our engine beside Lucene's suggesters and completype, in process, one thread.

Each run builds every engine anew from the same keys and looks up the same beginnings, ours and
Lucene's in turn; figures are medians over the runs. A pass that is not counted warms each of them.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from benchmarks import completype_peer as completype
from benchmarks import lucene_completions as lucene
from benchmarks import suggest_corpus
from benchmarks.environment import ROOT, Say
from benchmarks.report import Bar, Report, medians
from benchmarks.suggest_corpus import Name, Query
from demo.operations import find_data
from suggest import builder, snapshot
from suggest.engine import Engine
from suggest.keys import key_texts
from suggest.layers import Layers
from suggest.phrases import Phrase

LIMIT: Final = 10
QUERIES: Final = 20_000
SEED: Final = 1
PEERS: Final = ("wfst", "analyzing", "fuzzy", "fuzzy-first", "infix")
_FUZZY: Final = ("fuzzy", "fuzzy-first")  # the second makes up for the first character, too

Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """What is completed."""

    label: str  # begins the names of the figures
    names: Sequence[Name]
    queries: Sequence[Query]


def measure(*, names: int, queries: int, runs: int, say: Say) -> Report:
    """Compare on `names` generated names, and on the real ones if their files are there."""
    jars = lucene.fetch(ROOT / ".stack" / "bench-suggest.log", say)
    interpreter = completype.python(say)
    say(f"making {names:,} names")
    corpora = [_corpus("generated", suggest_corpus.generated(names), queries)]
    data = find_data()
    if data is not None and (data / "playlists").is_dir():
        corpora.append(_corpus("real", suggest_corpus.real(data / "playlists"), queries))
    else:
        say("there is no folder `playlists` of real data: only generated names are measured")
    figures: Figures = {}
    bars: dict[str, Bar] = {}
    details: dict[str, object] = {}
    for corpus in corpora:
        found, all_runs = _compare(corpus, jars, interpreter, runs, say)
        figures |= {f"{corpus.label}_{name}": value for name, value in found.items()}
        bars |= {f"{corpus.label}_{name}": bar for name, bar in _bars(found).items()}
        details[corpus.label] = all_runs
    return Report(
        bench="suggest",
        corpus={c.label: {"names": len(c.names), "queries": len(c.queries)} for c in corpora},
        figures=figures,
        bars=bars,
        details={"runs": details, "lucene": lucene.VERSION, "completype": completype.VERSION},
    )


def _corpus(label: str, names: Sequence[Name], queries: int) -> Corpus:
    log = suggest_corpus.query_log(names, queries, SEED)
    return Corpus(label=label, names=names, queries=log)


def _compare(
    corpus: Corpus, jars: Sequence[Path], interpreter: Path, runs: int, say: Say
) -> tuple[Figures, Sequence[Figures]]:
    """The medians, and what each run found."""
    with TemporaryDirectory() as folder:
        job, texts = _write_job(corpus, Path(folder))
        found = []
        for number in range(1, runs + 1):
            figures = _ours(corpus, Path(folder) / "names.snapshot")
            figures |= _completype(corpus, job, interpreter)
            for peer in PEERS:
                figures |= _peer(peer, corpus, job, jars, texts)
            found.append(figures)
            say(f"{corpus.label} names: run {number} of {runs} done")
    return medians(found), found


def _write_job(corpus: Corpus, folder: Path) -> tuple[lucene.Job, Mapping[str, str]]:
    """The files for Lucene, which gets the very keys that ours has; and the text of each key."""
    weights: dict[str, int] = {}
    texts: dict[str, str] = {}
    for name in corpus.names:  # the heaviest first: of equal keys its text counts
        for key in key_texts(name.text, word_starts=False):
            if texts.setdefault(key.rstrip(" "), name.text) == name.text:
                weights[key.rstrip(" ")] = name.weight
    keys, beginnings = folder / "keys.tsv", folder / "beginnings.txt"
    keys.write_text("".join(f"{key}\t{weight}\n" for key, weight in weights.items()), "utf-8")
    beginnings.write_text("".join(f"{query.typed}\n" for query in corpus.queries), "utf-8")
    return lucene.Job(keys=keys, beginnings=beginnings, limit=LIMIT), texts


def _ours(corpus: Corpus, file: Path) -> Figures:
    """Ours with the beginnings of names as keys, then with all their words."""
    figures: Figures = {}
    for label, word_starts in (("", False), ("words_", True)):
        phrases = [Phrase(name.text, name.weight, None, None, None) for name in corpus.names]
        began = time.perf_counter()
        pieces = builder.build(phrases, word_starts=word_starts).pieces
        figures[f"{label}build_seconds"] = time.perf_counter() - began
        snapshot.write(file, pieces)
        figures[f"{label}bytes"] = sum(map(len, pieces))
        engine = Engine.open(file)
        for how, fuzzy in (("exact", False), ("fuzzy", True)):
            figures |= _prefixed(f"{label}{how}", time_ours(engine, corpus.queries, fuzzy=fuzzy))
            answers = [
                [one["text"] for one in engine.completions(query.typed, fuzzy=fuzzy)]
                for query in corpus.queries
            ]
            figures |= _prefixed(f"{label}{how}", quality(corpus.queries, answers))
    return figures


def time_ours(engine: Engine | Layers, queries: Sequence[Query], *, fuzzy: bool) -> Figures:
    """A pass to warm up, and one that counts: lookups_per_second, p50_us, p99_us."""
    seconds: list[float] = []
    answer, clock = engine.answer, time.perf_counter
    for _ in range(2):
        seconds.clear()
        for query in queries:
            began = clock()
            answer(query.typed, LIMIT, fuzzy=fuzzy)
            seconds.append(clock() - began)
    return {
        "lookups_per_second": len(seconds) / sum(seconds),
        "p50_us": float(np.percentile(seconds, 50)) * 1e6,
        "p99_us": float(np.percentile(seconds, 99)) * 1e6,
    }


def _peer(
    peer: str, corpus: Corpus, job: lucene.Job, jars: Sequence[Path], texts: Mapping[str, str]
) -> Figures:
    with lucene.suggester(peer, job, jars) as suggester:
        suggester.time_pass()
        suggester.time_pass()
        figures = suggester.time_pass()
        answers = suggester.results(job.keys.with_name("results.tsv"))
        figures |= {
            "build_seconds": suggester.built["build_seconds"],
            "bytes": suggester.built["bytes"],
        }
    by_text = [list(dict.fromkeys(texts.get(key, key) for key in keys)) for keys in answers]
    return _prefixed(f"lucene_{peer}", figures | quality(corpus.queries, by_text))


def _completype(corpus: Corpus, job: lucene.Job, interpreter: Path) -> Figures:
    figures: Figures = {}
    for how, edits in completype.EDITS.items():
        found = completype.measure(
            interpreter, corpus.names, job.beginnings, limit=LIMIT, edits=edits
        )
        measured = found.figures | quality(corpus.queries, found.answers)
        figures |= _prefixed(f"completype_{how}", measured)
    return figures


def quality(queries: Sequence[Query], answers: Sequence[Sequence[str]]) -> Figures:
    """How often what was meant comes first or among the ten, and its mean reciprocal rank."""
    groups: Mapping[str, Callable[[Query], bool]] = {
        "all": lambda _: True,
        "clean": lambda query: not query.typo,
        "typo": lambda query: query.typo,
    }
    figures: Figures = {}
    for group, belongs in groups.items():
        places = [
            answer.index(query.wanted) + 1 if query.wanted in answer else 0
            for query, answer in zip(queries, answers, strict=True)
            if belongs(query)
        ]
        count = max(len(places), 1)
        figures[f"{group}_success1"] = sum(place == 1 for place in places) / count
        figures[f"{group}_success10"] = sum(place > 0 for place in places) / count
        figures[f"{group}_mrr"] = sum(1 / place for place in places if place) / count
    return figures


def _prefixed(label: str, figures: Mapping[str, float]) -> Figures:
    return {f"{label}_{name}": float(value) for name, value in figures.items()}


def _bars(found: Mapping[str, float]) -> dict[str, Bar]:
    analyzing = found["lucene_analyzing_lookups_per_second"]
    fastest = max(found[f"lucene_{peer}_lookups_per_second"] for peer in _FUZZY)
    infix = found["lucene_infix_lookups_per_second"]
    bars = {
        "exact_times_analyzing": _least(found["exact_lookups_per_second"] / analyzing, 8),
        "exact_p99_us": _most(found["exact_p99_us"], found["lucene_analyzing_p50_us"]),
        "fuzzy_times_fuzzy": _least(found["fuzzy_lookups_per_second"] / fastest, 3),
        "words_times_infix": _least(found["words_exact_lookups_per_second"] / infix, 4),
        "bytes_times_analyzing": _most(found["bytes"] / found["lucene_analyzing_bytes"], 2),
        "build_times_analyzing": _most(
            found["build_seconds"] / found["lucene_analyzing_build_seconds"], 1
        ),
    }
    for measure_name in ("success1", "success10", "mrr"):
        best = max(found[f"lucene_{peer}_typo_{measure_name}"] for peer in _FUZZY)
        bars[f"typo_{measure_name}"] = _least(found[f"fuzzy_typo_{measure_name}"], best)
    for measure_name, allowed in (("success1", 0.01), ("success10", 0.005)):
        cost = found[f"exact_clean_{measure_name}"] - found[f"fuzzy_clean_{measure_name}"]
        bars[f"clean_{measure_name}_cost"] = _most(cost, allowed)
    return bars


def _least(value: float, bar: float) -> Bar:
    return Bar(value=value, bar=bar, at_most=False)


def _most(value: float, bar: float) -> Bar:
    return Bar(value=value, bar=bar, at_most=True)
