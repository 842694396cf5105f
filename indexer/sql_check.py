"""What can be wrong with the SQL of a definition, found by asking the database.

Statements are prepared and explained, in both modes of the selector; a few documents are made of
the rows that are there.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from core.database import UNAVAILABLE_ERRORS, Connection
from core.definitions import HYDRATOR_FIELDS, Definition
from indexer.hydrator import documents_by_ids
from indexer.profile_check import Finding
from indexer.splice import complete

SAMPLE = 100  # rows of the source table that are made into documents
_VERSION_COLUMNS = (("id", "bigint"), ("updated_at", "timestamp with time zone"))
_TEXTS = frozenset({"text", "character varying", "character", "name", "uuid"})
_WHOLE = ("smallint", "integer", "bigint")
# Type of a field -> types of columns whose every value it can hold.
FITTING: Mapping[str, frozenset[str]] = {
    "text": _TEXTS,
    "keyword": _TEXTS,
    "boolean": frozenset({"boolean"}),
    "short": frozenset(_WHOLE[:1]),
    "integer": frozenset(_WHOLE[:2]),
    "long": frozenset(_WHOLE),
    "float": frozenset({*_WHOLE[:1], "real"}),
    "double": frozenset({*_WHOLE, "real", "double precision", "numeric"}),
    # Without its offset, a time means another moment wherever it is read.
    "date": frozenset({"date", "timestamp with time zone"}),
}
_ENUM = b"e"
_CONSTANT = re.compile(r"\(?'([^']*)'::text\)?")
_COLUMN_TYPES = """
SELECT
    t.oid,
    format_type(coalesce(e.oid, t.oid), NULL) AS name,
    coalesce(e.typtype, t.typtype) AS kind
FROM pg_type t
LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
WHERE t.oid = ANY($1::oid[])
"""


_SOURCE_TABLE = """
SELECT t.name::text AS name, format_type(a.atttypid, NULL) AS id_type
FROM (SELECT to_regclass($1) AS name) t
LEFT JOIN pg_attribute a ON a.attrelid = t.name AND a.attname = 'id' AND NOT a.attisdropped
"""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a prepared statement."""

    name: str
    type: str  # as format_type says it; of an array, the type of its elements
    is_enum: bool


async def check_source_table(connection: Connection, definition: Definition) -> list[Finding]:
    """Whether the table that is scanned has bigint ids."""
    table, found = await _source_table(connection, definition)
    if found == "bigint":
        return []
    missing = "is no table in this database" if table is None else "has no id"
    what = f"has an id of type {found}" if found else missing
    remedy = "name the table whose bigint ids the hydration SQL selects"
    return [Finding(f"source_table {definition.source_table!r} {what}", remedy)]


async def check_hydration(connection: Connection, definition: Definition) -> list[Finding]:
    """What the database has against the hydration SQL, and where columns and fields differ."""
    by_ids, by_range = definition.hydrate_by_ids(), definition.hydrate_by_range()
    try:
        statement = await connection.prepare(by_ids)
        await connection.fetch(f"EXPLAIN {by_ids}", [1])
        await connection.fetch(f"EXPLAIN {by_range}", 1, 2)
    except asyncpg.PostgresError as error:
        return [refusal(error, by_ids)]
    columns = await _columns(connection, statement.get_attributes())
    return [*_shape(columns), *_fields(columns, definition.mappings["properties"])]


async def check_dependents(
    connection: Connection, definition: Definition, entities: frozenset[str]
) -> list[Finding]:
    """What the database has against the dependents SQL, and entity types that do not exist."""
    sql = definition.dependents_sql
    if sql is None:
        return []
    try:
        return await _dependents(connection, sql, definition, entities)
    except asyncpg.PostgresError as error:
        return [refusal(error, sql)]


async def check_private(connection: Connection, definition: Definition) -> list[Finding]:
    """What the database has against the SQL of what is private."""
    sql = definition.private_sql
    if sql is None:
        return []
    try:
        columns = (await connection.prepare(sql)).get_attributes()
        await connection.fetch(f"SELECT id, name FROM ({sql}) p LIMIT 1")
    except asyncpg.PostgresError as error:
        return [refusal(error, sql)]
    types = {one.name: one.type.name for one in columns}
    if types.get("id") in ("int8", "int4", "int2") and types.get("name") in ("text", "varchar"):
        return []
    told = ", ".join(f"{name} ({kind})" for name, kind in types.items())
    return [Finding(f"it returns {told}", "select id, a whole number, and name, a text")]


async def sample_documents(
    connection: Connection, definition: Definition
) -> tuple[list[bytes], list[Finding]]:
    """Documents of the first rows of the source table, as they would be indexed."""
    try:
        ids = await _first_ids(connection, definition)
        rows = await connection.fetch(documents_by_ids(definition), ids)
    except asyncpg.PostgresError as error:
        return [], [refusal(error)]
    return [complete(definition.entity, row["document"], row["digest"]) for row in rows], []


def refusal(error: asyncpg.PostgresError, sql: str = "") -> Finding:
    """What the database says about a statement, with the line of the file if `sql` is the file's.

    Raises the error again when it is not about the statement: the database went away.
    """
    if isinstance(error, UNAVAILABLE_ERRORS):
        raise error
    position = getattr(error, "position", None)
    line = f"line {sql.count(chr(10), 0, int(position)) + 1}: " if sql and position else ""
    hint = getattr(error, "hint", None)
    return Finding(f"{line}the database refuses it: {error.args[0]}", hint or "correct the SQL")


async def _dependents(
    connection: Connection, sql: str, definition: Definition, entities: frozenset[str]
) -> list[Finding]:
    statement = await connection.prepare(sql)
    parameters = [one.name for one in statement.get_parameters()]
    if parameters != ["int8[]"]:
        remedy = "select by the changed ids: = ANY($1::bigint[])"
        return [Finding(f"its parameters are {parameters}", remedy)]
    types = [one.type for one in await _columns(connection, statement.get_attributes())]
    if types != ["text", "bigint"]:
        return [Finding(f"returns ({', '.join(types)})", "return (entity text, id bigint)")]
    named = await _named_entities(connection, sql, definition)
    known = ", ".join(sorted(entities))
    return [
        Finding(f"names the unknown entity type {name!r}", f"there are {known}")
        for name in sorted(named - entities)
    ]


def _shape(columns: Sequence[Column]) -> Iterator[Finding]:
    """The first two columns are the document's id and version."""
    found = tuple((one.name, one.type) for one in columns[:2])
    if found != _VERSION_COLUMNS:
        shown = ", ".join(f"{name} {kind}" for name, kind in found)
        yield Finding(
            f"begins with {shown}", "begin with `id` (bigint), `updated_at` (timestamptz)"
        )


def _fields(columns: Sequence[Column], properties: Mapping[str, Any]) -> Iterator[Finding]:
    """Every column has a field that fits, and every field a column."""
    names = [one.name for one in columns]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Finding(f"returns column {name!r} twice", "leave one out, or name it otherwise")
    for name in sorted(properties.keys() - set(names) - HYDRATOR_FIELDS):
        yield Finding(f"returns no column {name!r}, which the mapping has", "select it")
    for one in columns:
        if one.name in HYDRATOR_FIELDS:
            yield Finding(f"returns a column {one.name!r}", "leave it out: the indexer adds it")
        elif one.name not in properties:
            remedy = "add the field to the mapping, or leave the column out"
            yield Finding(f"returns a column {one.name!r} that the mapping lacks", remedy)
        else:
            yield from _fit(one, str(properties[one.name].get("type", "object")))


def _fit(column: Column, field_type: str) -> Iterator[Finding]:
    fitting = FITTING.get(field_type)
    if fitting is None or column.type in fitting or (column.is_enum and fitting is _TEXTS):
        return
    what = f"column {column.name!r} is {column.type}, but the field is {field_type}"
    yield Finding(what, f"cast it to {' or '.join(sorted(fitting))}, or change the mapping")


async def _columns(connection: Connection, attributes: Sequence[asyncpg.Attribute]) -> list[Column]:
    oids = [one.type.oid for one in attributes]
    types = {row["oid"]: row for row in await connection.fetch(_COLUMN_TYPES, oids)}
    return [
        Column(
            name=one.name,
            type=types[one.type.oid]["name"],
            is_enum=types[one.type.oid]["kind"] == _ENUM,
        )
        for one in attributes
    ]


async def _named_entities(
    connection: Connection, sql: str, definition: Definition
) -> frozenset[str]:
    """Entity types that the SQL can return: constants of its plan, and what it returns now.

    The plan names those for which there is no row yet, the rows those that are computed.
    """
    ids = await _first_ids(connection, definition)
    plan = json.loads(await connection.fetchval(f"EXPLAIN (VERBOSE, FORMAT JSON) {sql}", ids))
    rows = await connection.fetch(sql, ids)
    return frozenset({*_constants(plan[0]["Plan"]), *(row[0] for row in rows)})


def _constants(node: Mapping[str, Any]) -> Iterator[str]:
    """Text constants in the first column of the nodes of a plan that return two columns."""
    output = node.get("Output", [])
    if len(output) == 2 and (constant := _CONSTANT.fullmatch(output[0])):
        yield constant[1]
    for below in node.get("Plans", []):
        yield from _constants(below)


async def _first_ids(connection: Connection, definition: Definition) -> list[int]:
    """Ids of a few rows; none where the source table is not as it should be."""
    table, id_type = await _source_table(connection, definition)
    if id_type != "bigint":
        return []
    rows = await connection.fetch(f"SELECT id FROM {table} ORDER BY id LIMIT {SAMPLE}")
    return [row["id"] for row in rows]


async def _source_table(
    connection: Connection, definition: Definition
) -> tuple[str | None, str | None]:
    """The table's name, quoted where it has to be, and the type of its ids; None: there is none."""
    row = await connection.fetchrow(_SOURCE_TABLE, definition.source_table)
    assert row is not None
    return row["name"], row["id_type"]
