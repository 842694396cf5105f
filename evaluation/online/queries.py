"""Queries of the log: which are asked most, which fail, which are asked again in other words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb

#: Seconds between two searches of one session that belong together.
_TOGETHER: Final = 300
# Seconds in which a text that only grew or shrank was still being typed.
_TYPING: Final = 10


@dataclass(frozen=True, kw_only=True)
class QueryFigures:
    """What came of one text, however it was cased."""

    text: str
    searches: int
    people: int  # users, or sessions of nobody
    no_result_rate: float
    click_through: float
    mean_clicked_position: float | None


@dataclass(frozen=True, kw_only=True)
class Reformulation:
    """A text that nobody clicked for, and the one that was tried next in the same session."""

    text: str
    next_text: str
    times: int
    click_through: float  # of the next one: whether it helped


@dataclass(frozen=True, kw_only=True)
class LongTail:
    """Texts that are hardly ever searched for."""

    searches: int  # all
    texts: int  # all that differ
    rare_texts: int
    rare_searches: int
    rare_share: float | None  # of searches; None: there were none
    no_result_rate: float | None  # of the rare ones
    examples: Sequence[QueryFigures]  # those that find nothing first


_BY_TEXT: Final = """
SELECT text, count(*) AS searches, count(DISTINCT who) AS people,
       avg((total = 0)::INT) AS no_result_rate,
       avg((best IS NOT NULL)::INT) AS click_through,
       sum(positions) / sum(clicks) AS mean_clicked_position
FROM found LEFT JOIN (
    SELECT query_id, min(position) AS best, sum(position) AS positions, count(*) AS clicks
    FROM clicked GROUP BY query_id
) USING (query_id)
GROUP BY text
"""
_TOP: Final = f"{_BY_TEXT} ORDER BY searches DESC, text LIMIT $limit"
_FAILING: Final = f"""
SELECT * FROM ({_BY_TEXT}) WHERE searches >= $least AND click_through = 0
ORDER BY no_result_rate * searches DESC, searches DESC, text LIMIT $limit
"""
_REFORMULATED: Final = """
WITH following AS (
    SELECT query_id, text, searched_at,
           lead(query_id) OVER w AS next_id, lead(text) OVER w AS next_text,
           lead(searched_at) OVER w AS next_at
    FROM found WHERE session_hash IS NOT NULL
    WINDOW w AS (PARTITION BY session_hash ORDER BY searched_at, query_id)
)
SELECT text, next_text, count(*) AS times,
       avg((next_id IN (SELECT query_id FROM clicked))::INT) AS click_through
FROM following
WHERE next_text <> text AND epoch(next_at - searched_at) <= $together
  AND query_id NOT IN (SELECT query_id FROM clicked)
  AND NOT (epoch(next_at - searched_at) <= $typing
           AND (starts_with(next_text, text) OR starts_with(text, next_text)))
GROUP BY text, next_text ORDER BY times DESC, text, next_text LIMIT $limit
"""
_TAIL: Final = f"""
SELECT sum(searches) AS searches, count(*) AS texts,
       count(*) FILTER (searches <= $most) AS rare_texts,
       coalesce(sum(searches) FILTER (searches <= $most), 0) AS rare_searches,
       sum(searches) FILTER (searches <= $most) / sum(searches) AS rare_share,
       sum(no_result_rate * searches) FILTER (searches <= $most)
           / sum(searches) FILTER (searches <= $most) AS no_result_rate
FROM ({_BY_TEXT})
"""
_RARE: Final = f"""
SELECT * FROM ({_BY_TEXT}) WHERE searches <= $most
ORDER BY no_result_rate DESC, click_through, text LIMIT $limit
"""


def top(log: duckdb.DuckDBPyConnection, limit: int) -> list[QueryFigures]:
    """The texts that are searched for most."""
    return [QueryFigures(**row) for row in _rows(log, _TOP, limit=limit)]


def failing(log: duckdb.DuckDBPyConnection, limit: int, *, least: int) -> list[QueryFigures]:
    """Texts of `least` searches or more that nobody clicks for; those that find nothing first."""
    return [QueryFigures(**row) for row in _rows(log, _FAILING, limit=limit, least=least)]


def reformulated(log: duckdb.DuckDBPyConnection, limit: int) -> list[Reformulation]:
    """What is tried in other words; a text that was still being typed is none."""
    found = _rows(log, _REFORMULATED, limit=limit, together=_TOGETHER, typing=_TYPING)
    return [Reformulation(**row) for row in found]


def long_tail(log: duckdb.DuckDBPyConnection, limit: int, *, most: int) -> LongTail:
    """How much of all is searched for `most` times or less."""
    (summary,) = _rows(log, _TAIL, most=most)
    summary["searches"] = int(summary["searches"] or 0)
    summary["rare_searches"] = int(summary["rare_searches"])
    examples = [QueryFigures(**row) for row in _rows(log, _RARE, limit=limit, most=most)]
    return LongTail(**summary, examples=examples)


def _rows(
    log: duckdb.DuckDBPyConnection, statement: str, **parameters: float
) -> list[dict[str, Any]]:
    answer = log.execute(statement, parameters)
    names: Mapping[int, str] = dict(enumerate(one[0] for one in answer.description or ()))
    return [{names[place]: value for place, value in enumerate(row)} for row in answer.fetchall()]
