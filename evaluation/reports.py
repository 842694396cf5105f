"""Reports: a result as one HTML page with plots, which loads nothing and runs no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import TypeAdapter, ValidationError

from evaluation import lines, plots
from evaluation.errors import FileError
from evaluation.lines import Refusal
from evaluation.side_by_side import Result, Shown

FOLDER: Final = Path(__file__).parent / "templates"
_MOST: Final = 8  # queries that gained, and as many that lost
_EVEN: Final = 1e-9  # differences below it are none


class ResultError(FileError):
    """A file is no result of `disco eval run --json`."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What became of a query."""

    query: str  # id
    text: str
    before: float
    after: float
    base: Sequence[Shown]
    other: Sequence[Shown]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """A system beside the base, query by query, by the first measure."""

    system: str
    better: int  # queries
    worse: int
    equal: int
    gained: Sequence[Change]  # the most first
    lost: Sequence[Change]  # the most first


def read_result(path: str) -> Result:
    """The result that `Result.document` wrote; `-` is standard input. Raises `ResultError`."""
    refusal = Refusal(path, ResultError)
    with lines.opened(path, ResultError) as file:
        content = file.read()
    try:
        return TypeAdapter(Result).validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        refusal.whole(f"is no result of `disco eval run --json`: {where}: {first['msg']}")


def report(result: Result) -> str:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    others = [name for name in result.systems if name != result.base]
    return environment.get_template("report.html").render(
        result=result,
        others=others,
        bars=plots.bars(result),
        forests={name: plots.forest(result, name) for name in others if result.differences[name]},
        changes={name: plots.changes(result, name) for name in others},
        contests=[contest(result, name) for name in others],
        weakest=_weakest(result),
        significant=0.05,
    )


def contest(result: Result, system: str) -> Contest:
    """Which queries a system has better than the base, and which worse."""
    measure = result.measures[0]
    base, other = result.systems[result.base], result.systems[system]
    changes = [
        Change(
            query=query,
            text=text,
            before=base.queries[query][measure],
            after=other.queries[query][measure],
            base=base.top[query],
            other=other.top[query],
        )
        for query, text in result.texts.items()
    ]
    changes.sort(key=lambda one: one.before - one.after)
    better = [one for one in changes if one.after - one.before > _EVEN]
    worse = [one for one in changes if one.before - one.after > _EVEN]
    return Contest(
        system=system,
        better=len(better),
        worse=len(worse),
        equal=len(changes) - len(better) - len(worse),
        gained=better[:_MOST],
        lost=worse[::-1][:_MOST],
    )


def _weakest(result: Result) -> Sequence[Change]:
    """The queries that the base answers worst."""
    measure, base = result.measures[0], result.systems[result.base]
    queries = sorted(result.texts, key=lambda query: base.queries[query][measure])
    return [
        Change(
            query=query,
            text=result.texts[query],
            before=base.queries[query][measure],
            after=base.queries[query][measure],
            base=base.top[query],
            other=(),
        )
        for query in queries[:_MOST]
    ]
