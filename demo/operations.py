"""The door to the demo catalogue: load it, import it, look at it, play with it."""

import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.database import open_pool
from core.settings import Settings
from demo import generator, real_catalogue, schema
from demo import judged_queries as judged
from demo.errors import CatalogueNotEmptyError, DataFileError, NoCatalogueError
from demo.judged_queries import Line
from demo.loader import Report, load
from demo.sizes import Counts, Size, divide
from demo.timeline import today

_EXPLORED = timedelta(days=30)
DATA_VARIABLE = "DISCO_DEMO_DATA"
# Beside the project's folder, where a shared folder of data may lie.
DEFAULT_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """What a load would do."""

    origin: str  # what the catalogue is made from
    entities: Mapping[str, int]  # how many of each type there will be
    replaces: int  # entities that are there now and would go


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a load did."""

    origin: str  # what the catalogue is made from
    rows: Mapping[str, int]  # rows by table
    seconds: float  # how long it took

    @property
    def entities(self) -> int:
        """Users, sounds, sets and groups together."""
        return sum(self.rows[table] for table in schema.ENTITY_TABLES.values())


@dataclass(frozen=True, kw_only=True)
class EntityCount:
    """How many entities of one type there are."""

    total: int
    public: int  # those that are public and living, as is their user


@dataclass(frozen=True, kw_only=True)
class CatalogueSummary:
    """What the database holds."""

    origin: str | None  # what the catalogue was made from, if a load made it
    entities: Mapping[str, EntityCount]  # by entity type; empty without a schema
    activity: Mapping[str, int]  # rows by table, as the planner estimates them

    @property
    def total(self) -> int:
        """Entities of all types; 0 if there is no catalogue."""
        return sum(count.total for count in self.entities.values())


async def plan_generated(
    settings: Settings, size: Size | int, *, seed: int = generator.DEFAULT_SEED
) -> LoadPlan:
    """What `load_generated` would do. Raises `ServiceUnavailableError`, `UsageError`."""
    counts = _counts(size)
    async with _connect(settings) as connection:
        return LoadPlan(
            origin=_origin(counts, seed),
            entities={
                "user": counts.users,
                "sound": counts.sounds,
                "set": counts.sets,
                "group": counts.groups,
            },
            replaces=await schema.count_entities(connection),
        )


async def load_generated(
    settings: Settings,
    size: Size | int,
    *,
    seed: int = generator.DEFAULT_SEED,
    until: datetime | None = None,
    replace: bool = False,
    report: Report = lambda _line: None,
) -> Loaded:
    """Generate a catalogue into the database, in one transaction.

    Args:
        settings: Where the database is. Its schema is created.
        size: A named size, or a number of entities.
        seed: Same seed, size and end: same catalogue.
        until: The end of the catalogue's time, aware of its zone; the start of this day if None.
        replace: Drop the catalogue that is there.
        report: Gets lines of progress.

    Raises:
        CatalogueNotEmptyError: There is a catalogue, and `replace` is not set.
        ServiceUnavailableError: The database cannot be reached.
    """
    counts = _counts(size)
    tables = generator.generate(counts, seed=seed, until=until or today())
    return await _load(settings, tables, _origin(counts, seed), replace=replace, report=report)


async def plan_import(settings: Settings, path: Path | None = None) -> LoadPlan:
    """Read and check the files, and tell what `import_real` would do."""
    folder = data_folder(path)
    sources = real_catalogue.read(folder)
    async with _connect(settings) as connection:
        return LoadPlan(
            origin=_import_origin(folder),
            entities={
                "user": len(sources.people.artists) + len(sources.people.listeners),
                "sound": len(sources.people.sounds),
                "set": len(sources.archive.playlists),
                "group": real_catalogue.count_groups(sources),
            },
            replaces=await schema.count_entities(connection),
        )


async def import_real(
    settings: Settings,
    path: Path | None = None,
    *,
    replace: bool = False,
    report: Report = lambda _line: None,
) -> Loaded:
    """Import the real catalogue from the files below `path`, in one transaction.

    Without a path the folder is that of `DISCO_DEMO_DATA`, else the default one. Raises
    `DataFileError` before anything is changed; otherwise like `load_generated`.
    """
    folder = data_folder(path)
    async with _connect(settings) as connection:
        await _check_empty(connection, settings, replace=replace)
    report(f"reading {folder}")
    sources = real_catalogue.read(folder)
    report(real_catalogue.describe_sources(sources))
    return await _load(
        settings,
        real_catalogue.tables(sources),
        _import_origin(folder),
        replace=replace,
        report=report,
    )


def find_data(environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder of the real catalogue's files, if there is one: named by the environment or not.

    Raises `DataFileError` if the environment names a folder that is not there.
    """
    named = (os.environ if environ is None else environ).get(DATA_VARIABLE)
    if named and not Path(named).is_dir():
        raise DataFileError(Path(named), f"no such folder; correct {DATA_VARIABLE} or unset it")
    folder = Path(named) if named else DEFAULT_DATA
    return folder if folder.is_dir() else None


def data_folder(path: Path | None) -> Path:
    """The folder to import from; raises `DataFileError` if there is none."""
    folder = path or find_data()
    if folder is None:
        raise DataFileError(
            DEFAULT_DATA,
            f"no such folder; name one: `disco demo import PATH`, or set {DATA_VARIABLE}",
        )
    if not folder.is_dir():
        raise DataFileError(folder, "no such folder; name the one that the data lie in")
    return folder


async def catalogue_summary(settings: Settings) -> CatalogueSummary:
    """Count what the database holds; a database without the schema holds nothing."""
    async with _connect(settings) as connection:
        if not await schema.exists(connection):
            return CatalogueSummary(origin=None, entities={}, activity={})
        return CatalogueSummary(
            origin=await schema.origin(connection),
            entities={
                entity: await _count(connection, table)
                for entity, table in schema.ENTITY_TABLES.items()
            },
            activity=await _estimates(connection),
        )


async def end_of_activity(settings: Settings) -> datetime | None:
    """When something happened last in a catalogue that lies in the past; None where it goes on.

    In the past is what ended before the longest window of Explore, a month.
    """
    async with _connect(settings) as connection:
        newest: datetime | None = await connection.fetchval(
            "select last_at from sound_heat order by last_at desc limit 1"
        )
    is_past = newest is not None and datetime.now(tz=UTC) - newest > _EXPLORED
    return newest if is_past else None


async def judged_queries(
    settings: Settings, *, each: int, seed: int = generator.DEFAULT_SEED
) -> list[Line]:
    """Queries with what is right for them, by the catalogue that is there.

    Raises `NoCatalogueError` if there is none, and `ServiceUnavailableError`.
    """
    async with _connect(settings) as connection:
        if not await schema.count_entities(connection):
            raise NoCatalogueError(settings.database_url.rpartition("/")[2])
        return await judged.judged_queries(connection, each=each, seed=seed)


async def _load(
    settings: Settings, tables: Any, origin: str, *, replace: bool, report: Report
) -> Loaded:
    began = time.monotonic()
    async with _connect(settings) as connection:
        await _check_empty(connection, settings, replace=replace)
        rows = await load(connection, tables, origin=origin, report=report)
    return Loaded(origin=origin, rows=rows, seconds=time.monotonic() - began)


async def _check_empty(connection: Any, settings: Settings, *, replace: bool) -> None:
    if not replace and (present := await schema.count_entities(connection)):
        raise CatalogueNotEmptyError(settings.database_url.rpartition("/")[2], present)


async def _count(connection: Any, table: str) -> EntityCount:
    owner = {"users": None, "groups": "owner_id"}.get(table, "user_id")
    living = "visibility = 'public' and deleted_at is null"
    owned = f" and {owner} in (select id from users where {living})" if owner else ""  # noqa: S608 our names
    public = f"count(*) filter (where {living}{owned}) as public"
    sql = f"select count(*) as total, {public} from {table}"  # noqa: S608 our names
    row = await connection.fetchrow(sql, timeout=schema.LONG)
    return EntityCount(total=row["total"], public=row["public"])


async def _estimates(connection: Any) -> dict[str, int]:
    tables = [t for t in reversed(schema.TABLES) if t not in schema.ENTITY_TABLES.values()]
    rows = await connection.fetch(
        "select relname, greatest(reltuples, 0)::bigint as rows from pg_class "
        "where oid = any($1::regclass[])",
        tables,
    )
    found = {row["relname"]: row["rows"] for row in rows}
    return {table: found[table] for table in tables}


@asynccontextmanager
async def _connect(settings: Settings) -> AsyncIterator[Any]:
    async with (
        open_pool(settings.database_url, application="disco demo", size=1) as pool,
        pool.acquire() as connection,
    ):
        yield connection


def _counts(size: Size | int) -> Counts:
    return divide(size.value if isinstance(size, Size) else size)


def _origin(counts: Counts, seed: int) -> str:
    return f"generated: {counts.total:,} entities, seed {seed}"


def _import_origin(folder: Path) -> str:
    return f"imported: {folder}"
