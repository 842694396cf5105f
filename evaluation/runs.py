"""Runs: what a search returned for each of many queries, from files as TREC writes them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, Final

import numpy as np

from evaluation import lines
from evaluation.errors import RunError
from evaluation.lines import Refusal, shown

_LARGEST: Final = float(np.finfo(np.float32).max)
_FORM: Final = "a line is `query Q0 document rank score tag`"


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """The results of a file."""

    path: str
    scores: Mapping[str, Mapping[str, float]]  # query -> document -> score

    @property
    def results(self) -> int:
        """Documents that were returned, over all queries."""
        return sum(map(len, self.scores.values()))


def read(path: str) -> Run:
    """The results of a file, or of standard input (`-`).

    A line is `query Q0 document rank score tag`, separated by blanks or tabs. Only query, document
    and score count, as for trec_eval.

    Raises:
        RunError: the file cannot be read, holds nothing, or a line is malformed.
    """
    refusal = Refusal(path, RunError)
    scores: dict[str, dict[str, float]] = {}
    with lines.opened(path, RunError) as file:
        for at, line in lines.numbered(file):
            cells = line.split()  # at what C calls a space, as trec_eval does
            if len(cells) != 6:
                refusal.at(at, _wrong_columns(line, len(cells)))
            query, doc = refusal.text(at, cells[0]), refusal.text(at, cells[2])
            docs = scores.setdefault(query, {})
            if doc in docs:
                refusal.duplicate(at, query, doc)
            docs[doc] = _score(cells[4], at, refusal)
    if not scores:
        refusal.whole(f"holds no results; {_FORM}")
    return Run(path=path, scores=scores)


def of_rankings(name: str, rankings: Mapping[str, Sequence[str]]) -> Run:
    """A run of documents by query, best first, with scores that give that order."""
    scores = {
        query: {doc: float(len(docs) - place) for place, doc in enumerate(docs)}
        for query, docs in rankings.items()
    }
    return Run(path=name, scores=scores)


def written(run: Run, tag: str) -> Iterator[str]:
    """The lines of a run file, as `read` takes them."""
    for query, scores in run.scores.items():
        for rank, doc in enumerate(ranked(scores), start=1):
            yield f"{query} Q0 {doc} {rank} {scores[doc]:g} {tag}\n"


def ranked(scores: Mapping[str, float], depth: int | None = None) -> list[str]:
    """The documents by falling score, equal scores by falling id; the first `depth` of them.

    As trec_eval orders them: it keeps scores in single precision, so that those are equal which
    are equal there.
    """
    singles = np.fromiter(scores.values(), np.float32, len(scores)).tolist()
    pairs = zip(singles, scores, strict=True)
    best = sorted(pairs, reverse=True) if depth is None else nlargest(depth, pairs)
    return [doc for _, doc in best]


def _wrong_columns(line: bytes, columns: int) -> str:
    found = f"{shown(line)} has {columns} column{'s' * (columns != 1)}; {_FORM}"
    if columns == 4:
        return f"{found}, and four are those of judgments: give the judgments first, then the run"
    return found


def _score(raw: bytes, at: int, refusal: Refusal) -> float:
    score: Any = lines.number(raw, float)
    if score is None or not -_LARGEST <= score <= _LARGEST:  # not so for NaN, either
        refusal.at(at, f"the score is {shown(raw)}; give a finite number up to 3.4e38")
    return float(score)
