"""Activity from PostgreSQL, by ADBC: binary COPY straight into Arrow, streamed.

All is read in one transaction, as of one moment, from the replica if there is one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_manager import Error, OperationalError
from adbc_driver_postgresql import dbapi

from core.definitions import Recipe
from core.errors import ServiceUnavailableError
from core.settings import Settings
from ranker.entities import Ids
from ranker.errors import SignalError
from ranker.signals import Signal
from ranker.sources import Acts, checked

_LOST: Final = re.compile(
    "could not connect|connection to server|server closed|terminating connection", re.IGNORECASE
)
_MOMENT: Final = "SELECT (extract(epoch FROM now()) * 1000000)::bigint AS moment"
# Types as numbers: where they are constants, as is usual, the database works them out once.
_ACTS: Final = """
SELECT array_position({types}, source_type::text) AS source_code, source_id::bigint AS source_id,
       array_position({types}, target_type::text) AS target_code, target_id::bigint AS target_id,
       count::float8 AS count, last_at::timestamptz AS last_at
FROM ({sql}) q
"""
_UNKNOWN: Final = """
SELECT min(t.name) AS name
FROM ({sql}) q
CROSS JOIN LATERAL (VALUES (source_type::text), (target_type::text)) AS t (name)
WHERE t.name <> ALL ({types})
"""


class DatabaseSource:
    """The catalogue's database, at one moment."""

    def __init__(self, connection: Any, recipes: Mapping[str, Recipe]) -> None:
        self.name = "database"
        self._connection = connection
        self._recipes = recipes
        self._types = sorted(recipes)

    def moment(self) -> int:
        """When the transaction began."""
        return int(self._table(_MOMENT, "the clock").column("moment")[0].as_py())

    def entities(self) -> Mapping[str, Ids]:
        """All that the definitions make documents of."""
        return {name: self._ids(recipe) for name, recipe in self._recipes.items()}

    def acts(self, signal: Signal) -> Iterator[Acts]:
        """What the signal's query finds."""
        types = _array(self._types)
        query = _ACTS.format(types=types, sql=signal.sql)
        done = 0
        for batch in self._batches(query, f"{signal.name}.sql"):
            self._check_types(batch, signal)
            yield from checked(_with_types(batch, self._types), signal, self._types, done)
            done += len(batch)

    def _ids(self, recipe: Recipe) -> Ids:
        query = f"SELECT id::bigint AS id FROM ({recipe.hydrate_all()}) q ORDER BY id"  # noqa: S608
        table = self._table(query, f"{recipe.entity}.hydrate.sql")
        ids: Ids = table.column("id").to_numpy()
        return ids

    def _check_types(self, batch: pa.RecordBatch, signal: Signal) -> None:
        """Ask what a type is called that is none of ours; the message has it."""
        columns = (batch.column("source_code"), batch.column("target_code"))
        if not any(column.null_count for column in columns):
            return
        query = _UNKNOWN.format(types=_array(self._types), sql=signal.sql)
        name = self._table(query, f"{signal.name}.sql").column("name")[0].as_py()
        raise SignalError(
            f"signal {signal.name}: {name!r} is no entity type; there are {', '.join(self._types)}"
        )

    def _table(self, query: str, what: str) -> pa.Table:
        return pa.Table.from_batches(list(self._batches(query, what)))

    def _batches(self, query: str, what: str) -> Iterator[pa.RecordBatch]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(query)
                yield from cursor.fetch_record_batch()
        except Error as error:
            if _LOST.search(str(error)):
                raise _away(error) from error
            raise SignalError(
                f"PostgreSQL refuses {what}: {_first_line(error)}; correct the query"
            ) from error
        except (pa.ArrowException, OSError) as error:  # in the middle of a stream
            raise _away(error) from error


@contextmanager
def open_database(settings: Settings, recipes: Mapping[str, Recipe]) -> Iterator[DatabaseSource]:
    """The database as it is now; raises `ServiceUnavailableError`."""
    try:
        connection = dbapi.connect(settings.replica_url or settings.database_url)
    except (OperationalError, Error) as error:
        raise _away(error) from error
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL TIME ZONE 'UTC'")
            cursor.execute("SET LOCAL application_name = 'disco rank'")
        yield DatabaseSource(connection, recipes)
    finally:
        connection.close()


def _with_types(batch: pa.RecordBatch, types: Sequence[str]) -> pa.RecordBatch:
    """The batch as checks want it, with types by name."""
    names = pa.array(types, pa.string())
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    for end in ("source", "target"):
        places = pc.subtract(columns.pop(f"{end}_code"), 1).cast(pa.int32())
        columns[f"{end}_type"] = pa.DictionaryArray.from_arrays(places, names)
    return pa.RecordBatch.from_pydict(columns)


def _array(types: Sequence[str]) -> str:
    """An array of SQL; names of entity types are plain words."""
    return f"ARRAY[{', '.join(repr(str(name)) for name in types)}]::text[]"


def _away(error: Exception) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        f"PostgreSQL does not answer ({_first_line(error)}); start it (`disco stack up`), or set "
        "DISCO_DATABASE_URL or DISCO_REPLICA_URL"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
