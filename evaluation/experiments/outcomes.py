"""Outcomes: what became of each unit of an experiment, from an opened log."""

from collections.abc import Mapping
from typing import Final, Literal

import duckdb
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Unit = Literal["user", "session"]
Measure = Literal["reciprocal_rank", "click_through"]

_VALUES: Final[Mapping[Measure, str]] = {
    "reciprocal_rank": "coalesce(1 / best, 0)",
    "click_through": "(best IS NOT NULL)::INT",
}
_UNITS: Final[Mapping[Unit, str]] = {"user": "user_hash", "session": "session_hash"}
# A unit counts once, however much it searches: its searches are not independent.
_ARMS: Final = """
SELECT variant, avg({value})::DOUBLE AS value
FROM found LEFT JOIN (SELECT query_id, min(position) AS best FROM clicked GROUP BY query_id)
    USING (query_id)
WHERE experiment = $experiment AND {unit} IS NOT NULL
GROUP BY variant, {unit}
"""
_CREDITS: Final = """
SELECT sign(coalesce(sum((clicked.team = 'second')::INT - (clicked.team = 'first')::INT), 0))
           ::DOUBLE AS value
FROM found LEFT JOIN clicked USING (query_id)
WHERE experiment = $experiment AND variant = $variant AND {unit} IS NOT NULL
GROUP BY {unit}
"""


def by_arm(
    log: duckdb.DuckDBPyConnection, experiment: str, unit: Unit, measure: Measure
) -> dict[str, Floats]:
    """The value of each unit, by the variant that answered it."""
    statement = _ARMS.format(value=_VALUES[measure], unit=_UNITS[unit])
    found = log.execute(statement, {"experiment": experiment}).fetchnumpy()
    variants = np.asarray(found["variant"], dtype=object)
    values = np.asarray(found["value"], np.float64)
    return {str(one): values[variants == one] for one in sorted(set(variants.tolist()))}


def credits_of(log: duckdb.DuckDBPyConnection, experiment: str, unit: Unit, variant: str) -> Floats:
    """Which team each unit clicked more of: -1 the first, 1 the second, 0 neither."""
    statement = _CREDITS.format(unit=_UNITS[unit])
    found = log.execute(statement, {"experiment": experiment, "variant": variant})
    return np.asarray(found.fetchnumpy()["value"], np.float64)


def no_units() -> Floats:
    """The values of an arm that nobody is in yet."""
    return np.empty(0, np.float64)
