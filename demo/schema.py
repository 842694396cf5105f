"""The catalogue's tables in a database: created, dropped, counted. `schema.sql` is the truth."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA_FILE = Path(__file__).with_name("schema.sql")
ENTITY_TABLES = {"user": "users", "sound": "sounds", "set": "sets", "group": "groups"}
# In an order that drops none before those that refer to it.
TABLES = (
    *("sound_heat", "user_heat", "plays", "comments", "reposts", "likes", "follows"),
    *("sound_tags", "group_sounds", "group_members", "set_sounds"),
    *("groups", "sets", "sounds", "users", "tags", "genres"),
)
FUNCTIONS = ("keep_heat", "heat_statement", "heat_sum", "touch_parent", "keep_updated_at")
LONG = 6 * 3600.0  # seconds; building an index of a large table takes its time

_TABLE = re.compile(r"^(?:alter table|create index \w+ on) (\w+)", re.MULTILINE)
_MARKER = re.compile(r"^-- section: (\w+)$", re.MULTILINE)


def section(name: str) -> str:
    """The SQL of one section of the schema: `tables`, `keys` or `triggers`."""
    parts = _MARKER.split(SCHEMA_FILE.read_text(encoding="utf-8"))
    return dict(zip(parts[1::2], parts[2::2], strict=True))[name]


def key_statements() -> Iterator[tuple[str, str]]:
    """The statements of the section `keys`, each with the table that it is about, in order."""
    for statement in section("keys").split(";\n"):
        if found := _TABLE.search(statement):
            yield found[1], statement


async def create(connection: Any) -> None:
    """Create the whole schema, empty."""
    for name in ("tables", "keys", "triggers"):
        await connection.execute(section(name))


async def drop(connection: Any) -> None:
    """Drop what `create` made, with all that is in it; does nothing where it is not there."""
    await connection.execute(f"drop table if exists {', '.join(TABLES)}", timeout=LONG)
    await connection.execute(f"drop function if exists {', '.join(FUNCTIONS)}")


async def exists(connection: Any) -> bool:
    """Whether the schema is there."""
    return bool(await connection.fetchval("select to_regclass('sounds') is not null"))


async def count_entities(connection: Any) -> int:
    """How many users, sounds, sets and groups there are; 0 without a schema."""
    if not await exists(connection):
        return 0
    tables = ENTITY_TABLES.values()
    counts = " + ".join(f"(select count(*) from {table})" for table in tables)  # noqa: S608 our names
    return int(await connection.fetchval(f"select {counts}", timeout=LONG))


async def set_origin(connection: Any, origin: str) -> None:
    """Keep with the catalogue where it comes from: as the comment of a table."""
    quoted = await connection.fetchval("select quote_literal($1::text)", origin)
    await connection.execute(f"comment on table sounds is {quoted}")


async def origin(connection: Any) -> str | None:
    """Where the catalogue comes from, if a load said so."""
    said = await connection.fetchval("select obj_description('sounds'::regclass, 'pg_class')")
    return None if said is None else str(said)
