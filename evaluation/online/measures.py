"""Online measures: what the log says of searches, by what people did with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import duckdb
import numpy as np

from evaluation.online import click_model
from evaluation.online.click_model import ClickModel, Sightings

#: Positions that are told of one by one.
POSITIONS: Final = 20
# What the click model is fitted on: hits that stood at different positions, and often enough; a
# single click on what was shown once would be explained by a position that is always examined.
_LEAST_SHOWN: Final = 20
_MOST_SIGHTINGS: Final = 50_000  # rows; what was shown less would hardly change it
_LEAST_EXAMINATION: Final = 0.01  # below it a single click would count as hundreds


class Dimension(StrEnum):
    """What searches are told apart by."""

    VARIANT = "variant"  # that answered
    TYPE = "type"  # entity type that was searched; `all` for several
    HOUR = "hour"  # in which it was answered, UTC


@dataclass(frozen=True, kw_only=True)
class OnlineFigures:
    """What some searches came to. A figure is None where there is nothing to make it of."""

    variant: str | None  # None: whichever, as of the dimensions below
    type: str | None
    hour: datetime | None
    searches: int  # with a text
    no_result_rate: float  # share that found nothing
    click_through: float  # share that a hit was clicked or played in
    abandonment: float | None  # share without a click, of those that found something
    mean_clicked_position: float | None
    # Mean of 1 / position of the best clicked hit, 0 without; of searches that found something.
    mean_reciprocal_clicked_rank: float | None
    seconds_to_first_click: float | None  # median
    # Clicks a shown hit of the first positions, as if all had been examined like the first one.
    corrected_click_through: float | None


@dataclass(frozen=True, kw_only=True)
class PositionFigures:
    """What became of the hits at one position."""

    variant: str
    position: int  # from 1
    shown: int
    clicked: int
    click_through: float
    # As the click model has it, relative to position 1, of all variants; None: the log says too
    # little of the position.
    examination: float | None


@dataclass(frozen=True, kw_only=True)
class OnlineMeasures:
    """What the log of a period says."""

    since: datetime
    until: datetime
    figures: Sequence[OnlineFigures]  # by the dimensions that were asked for, in their order
    positions: Sequence[PositionFigures]  # by variant and position


_SIGHTINGS: Final = """
WITH seen AS (
    SELECT text, entity_type, entity_id, position, count(*) AS shown,
           count(clicked.query_id) AS clicked
    FROM shown JOIN found USING (query_id)
    LEFT JOIN clicked USING (query_id, entity_type, entity_id, position)
    WHERE position <= $positions
    GROUP BY text, entity_type, entity_id, position
    WINDOW pair AS (PARTITION BY text, entity_type, entity_id)
    QUALIFY sum(count(*)) OVER pair >= $least AND count(*) OVER pair > 1
)
SELECT dense_rank() OVER (ORDER BY text, entity_type, entity_id) - 1 AS pair,
       position - 1 AS position, shown::DOUBLE AS shown, clicked::DOUBLE AS clicked
FROM seen ORDER BY shown DESC, pair, position LIMIT $most
"""
_POSITIONS: Final = """
SELECT variant, position, count(*) AS shown, count(clicked.query_id) AS clicked
FROM shown JOIN found USING (query_id)
LEFT JOIN clicked USING (query_id, entity_type, entity_id, position)
WHERE position <= $positions
GROUP BY ALL ORDER BY ALL
"""
_FIGURES: Final = """
WITH done AS (
    SELECT query_id, count(*) AS clicks, min(position) AS best, sum(position) AS positions,
           min(clicked_at) AS clicked_at
    FROM clicked GROUP BY query_id
), corrected AS (
    SELECT query_id, count(*) AS shown,
           sum(CASE WHEN clicked.query_id IS NULL THEN 0 ELSE 1 / examination END) AS clicks
    FROM shown JOIN examinations USING (position)
    LEFT JOIN clicked USING (query_id, entity_type, entity_id, position)
    GROUP BY query_id
)
SELECT {columns},
       count(*) AS searches,
       avg((total = 0)::INT) AS no_result_rate,
       avg((done.clicks IS NOT NULL)::INT) AS click_through,
       avg((done.clicks IS NULL)::INT) FILTER (total > 0) AS abandonment,
       sum(positions) / sum(done.clicks) AS mean_clicked_position,
       avg(coalesce(1 / best, 0)) FILTER (total > 0) AS mean_reciprocal_clicked_rank,
       quantile_cont(greatest(epoch(done.clicked_at - searched_at), 0), 0.5)
           FILTER (done.clicked_at IS NOT NULL) AS seconds_to_first_click,
       sum(corrected.clicks) / sum(corrected.shown) AS corrected_click_through
FROM found LEFT JOIN done USING (query_id) LEFT JOIN corrected USING (query_id)
{grouped}
"""


def measure(
    log: duckdb.DuckDBPyConnection, since: datetime, until: datetime, by: Sequence[Dimension]
) -> OnlineMeasures:
    """What an opened log says, with figures by those dimensions."""
    model = fitted(log)
    examined = {place + 1: float(one) or None for place, one in enumerate(model.examination)}
    positions = [
        PositionFigures(**row, click_through=row["clicked"] / row["shown"],
                        examination=examined[row["position"]])
        for row in _rows(log, _POSITIONS, {"positions": POSITIONS})
    ]  # fmt: skip
    return OnlineMeasures(
        since=since, until=until, figures=_figures(log, model, by), positions=positions
    )


def fitted(log: duckdb.DuckDBPyConnection) -> ClickModel:
    """The click model of an opened log."""
    asked = {"positions": POSITIONS, "most": _MOST_SIGHTINGS, "least": _LEAST_SHOWN}
    found = log.execute(_SIGHTINGS, asked).fetchnumpy()
    _, pair = np.unique(np.asarray(found["pair"], np.int64), return_inverse=True)
    sightings = Sightings(
        pair=pair,
        position=np.asarray(found["position"], np.int64),
        shown=np.asarray(found["shown"], np.float64),
        clicked=np.asarray(found["clicked"], np.float64),
    )
    return click_model.fit(sightings, positions=POSITIONS)


def _figures(
    log: duckdb.DuckDBPyConnection, model: ClickModel, by: Sequence[Dimension]
) -> list[OnlineFigures]:
    # A position that hardly anybody examines says little, and would say it loudly.
    kept = [
        (place + 1, float(one))
        for place, one in enumerate(model.examination)
        if one >= _LEAST_EXAMINATION
    ]
    log.execute("CREATE OR REPLACE TEMP TABLE examinations (position INT, examination DOUBLE)")
    if kept:
        log.executemany("INSERT INTO examinations VALUES (?, ?)", kept)
    columns = ", ".join(f"{'found.' if one in by else 'NULL AS '}{one}" for one in Dimension)
    grouped = f"GROUP BY {', '.join(by)} ORDER BY {', '.join(by)}" if by else "HAVING count(*) > 0"
    return [
        OnlineFigures(**row)
        for row in _rows(log, _FIGURES.format(columns=columns, grouped=grouped), {})
    ]


def _rows(
    log: duckdb.DuckDBPyConnection, statement: str, parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    answer = log.execute(statement, dict(parameters))
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
