"""Where it is kept what variants reached by sets of judgments: in the service's own schema."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import asyncpg

from core import own_schema
from core.database import Pool, within_reach
from evaluation.judgment_store import UnknownSetError

if TYPE_CHECKING:
    from evaluation.side_by_side import Result

_AWAY: Final = "results of measuring variants cannot be read or written"
_KEEP: Final = """
WITH result AS (
    INSERT INTO disco.eval_results (set_name, made_at, queries) VALUES ($1, $2, $3) RETURNING id
)
INSERT INTO disco.eval_values (result_id, variant, measure, value, floor)
SELECT id, variant, measure, value, floor
FROM result, unnest($4::text[], $5::text[], $6::float8[], $7::float8[])
    AS new (variant, measure, value, floor)
"""
_SINCE: Final = """
SELECT set_name AS set, made_at, queries, variant, measure, value, floor
FROM disco.eval_results r JOIN disco.eval_values v ON v.result_id = r.id
WHERE made_at >= $1
ORDER BY made_at, r.id, variant, measure
"""


@dataclass(frozen=True, kw_only=True)
class KeptValue:
    """What a variant reached by a measure, at a time."""

    set: str  # of judgments
    made_at: datetime
    queries: int  # that counted
    variant: str
    measure: str
    value: float
    floor: float | None  # what it must not be below; None: nobody said so


class ResultStore:
    """The results there are. Raises `ServiceUnavailableError` without a database."""

    def __init__(self, primary: Pool) -> None:
        self._pool = primary

    async def keep(self, result: "Result", variants: Collection[str]) -> None:
        """Keep what these of the systems reached.

        Raises `UnknownSetError` if the set is gone, and `OwnSchemaError` where the role may not.
        """
        floors = {(one.system, one.measure): one.floor for one in result.floors}
        rows = [
            (name, measure, value, floors.get((name, measure)))
            for name, system in result.systems.items()
            if name in variants
            for measure, value in system.measures.items()
        ]
        await own_schema.migrate(self._pool)
        try:
            with within_reach(_AWAY):
                await self._pool.execute(
                    *(_KEEP, result.set, result.made_at, len(result.texts)),
                    *([row[column] for row in rows] for column in range(4)),
                )
        except asyncpg.ForeignKeyViolationError as error:
            raise UnknownSetError(
                f"the set of judgments {result.set!r} was deleted meanwhile; its result is not kept"
            ) from error
        except asyncpg.InsufficientPrivilegeError as error:
            raise own_schema.OwnSchemaError(
                f"what variants reached cannot be kept: {error}; let the role of "
                "DISCO_DATABASE_URL own the schema disco (docs/operations.md, “Permissions”), or "
                "leave it out with --no-keep"
            ) from error

    async def since(self, moment: datetime) -> Sequence[KeptValue]:
        """All values from that moment (aware of its zone) on, oldest first."""
        await own_schema.migrate(self._pool)
        with within_reach(_AWAY):
            rows = await self._pool.fetch(_SINCE, moment)
        return [KeptValue(**row) for row in rows]
