"""Sources: where phrases come from in the database. Each is a query, and how its phrases count.

`sources/<name>.sql` is a plain SELECT with the columns id, text, weight and permalink, of entities
that everybody may see and of no others. `:wanted(column)` stands where rows are selected by the
entity's id: it becomes `true` for all of them. `sources/sources.json` lists the sources:

    type             entity type of their phrases
    factor           what their weights are multiplied by, to compare them with those of others
    rank             what a doubling of an entity's score counts, in doublings of its weight
    minimum_weight   lighter phrases are left out (before factor and rank)
    cap              most phrases; the heaviest are kept (before factor and rank)
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import asyncpg
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.database import STATEMENT_ERRORS, UNAVAILABLE_ERRORS, Connection, open_pool
from core.errors import ServiceUnavailableError
from core.settings import Settings
from core.telemetry import logger
from suggest.errors import SuggestError
from suggest.phrases import LONGEST, Phrase
from suggest.rank_weights import RankWeights, UnrankedIdError

_log = logger("suggest")

FOLDER: Final = Path(__file__).with_name("sources")
LIST: Final = "sources.json"
_WANTED: Final = re.compile(r":wanted\(([\w.]+)\)")
_FETCHED: Final = 5_000  # rows at a time
_TIME_LIMIT: Final = 3_600.0  # seconds
_REPLICA_PATIENCE: Final = 30.0  # seconds
_REPLICA_PAUSE: Final = 0.05  # seconds between two looks at how far it is
_REPLAYED: Final = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn"

_PHRASES: Final = """
SELECT id::text AS target, text, weight, permalink
FROM (SELECT id, text, weight::float8 AS weight, permalink FROM ({sql}) q) s
WHERE text IS NOT NULL AND weight >= $1 AND weight::double precision < 'infinity'
ORDER BY weight DESC, id, text
LIMIT $2
"""

_PHRASES_OF: Final = """
SELECT id::text AS target, text, weight, permalink
FROM (SELECT id, text, weight::float8 AS weight, permalink FROM ({sql}) q) s
WHERE text IS NOT NULL AND weight >= $2 AND weight::double precision < 'infinity'
ORDER BY weight DESC, id, text
"""


class SourceError(SuggestError):
    """A source cannot be used. The message names its file and the remedy."""

    exit_code = 2


class Source(BaseModel):
    """One source, as `sources.json` describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]  # also of its SQL file
    type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]
    factor: Annotated[float, Field(gt=0)]
    rank: Annotated[float, Field(ge=0, le=8)] = 0.0  # 0: popularity alone
    minimum_weight: Annotated[float, Field(ge=0)]
    cap: Annotated[int, Field(ge=1)]
    sql: Annotated[str, Field(exclude=True)] = ""  # the query, read from the file

    @property
    def query_all(self) -> str:
        """The query of all its phrases: $1 the minimum weight, $2 the cap."""
        return _PHRASES.format(sql=_WANTED.sub("true", self.sql))

    @property
    def query_some(self) -> str:
        """The query of the phrases of some entities: $1 their ids, $2 the minimum weight."""
        return _PHRASES_OF.format(sql=_WANTED.sub(r"\1 = ANY($1::bigint[])", self.sql))


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What one source gave."""

    source: str
    phrases: int
    skipped: int  # texts that are empty, texts and permalinks that are too long


def load(folder: Path = FOLDER) -> Sequence[Source]:
    """The sources of a folder; raises `SourceError`."""
    path = folder / LIST
    try:
        sources = TypeAdapter(list[Source]).validate_json(path.read_bytes())
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SourceError(f"{path}: {where}: {first['msg']}; correct it") from None
    return [source.model_copy(update={"sql": _sql(folder, source)}) for source in sources]


async def collect(
    settings: Settings,
    sources: Sequence[Source],
    into: list[Phrase],
    ranks: RankWeights | None = None,
    *,
    level: bool = False,
) -> Sequence[Collected]:
    """Read the phrases of all sources as of one moment, and append them to `into`.

    With `ranks`, they are in the weights. With `level`, all that was committed before is seen.

    Raises:
        SourceError: The database refuses a query.
        ServiceUnavailableError: It does not answer.
    """
    url = settings.replica_url or settings.database_url
    if level and settings.replica_url and not await _is_level(settings, settings.replica_url):
        _log.warning("suggest_replica_behind", seconds=_REPLICA_PATIENCE)
        url = settings.database_url
    async with _transaction(url) as connection:
        return [await _read(connection, source, into, ranks) for source in sources]


async def _is_level(settings: Settings, replica_url: str) -> bool:
    """Whether the replica has, within its patience, all that the primary has now."""
    try:
        async with (
            open_pool(settings.database_url, application="disco suggest", size=1) as primary,
            open_pool(replica_url, application="disco suggest", size=1) as replica,
            asyncio.timeout(_REPLICA_PATIENCE),
        ):
            position = await primary.fetchval("SELECT pg_current_wal_flush_lsn()::text")
            while not await replica.fetchval(_REPLAYED, position):  # noqa: ASYNC110 - none to wait for
                await asyncio.sleep(_REPLICA_PAUSE)
    except TimeoutError:
        return False
    return True


@asynccontextmanager
async def _transaction(url: str) -> AsyncIterator[Connection]:
    """A connection that sees the database as it is at the first query."""
    try:
        async with (
            open_pool(url, application="disco suggest", size=1) as pool,
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection
    except UNAVAILABLE_ERRORS as error:
        raise ServiceUnavailableError(
            f"PostgreSQL went away while phrases were read ({error}); try again"
        ) from error


async def _read(
    connection: Connection, source: Source, into: list[Phrase], ranks: RankWeights | None
) -> Collected:
    before = len(into)
    skipped = 0
    try:
        cursor = await connection.cursor(
            source.query_all, source.minimum_weight, source.cap, timeout=_TIME_LIMIT
        )
        while rows := await cursor.fetch(_FETCHED, timeout=_TIME_LIMIT):
            phrases = list(phrases_of(source, rows, ranks))
            into += phrases
            skipped += len(rows) - len(phrases)
    except (*STATEMENT_ERRORS, asyncpg.DataError) as error:
        raise SourceError(
            f"PostgreSQL refuses {source.name}.sql: {error}; correct the query"
        ) from error
    except UnrankedIdError as error:
        raise SourceError(
            f'{source.name}.sql: {error}; select such, or give the source "rank": 0 in {LIST}'
        ) from error
    return Collected(source=source.name, phrases=len(into) - before, skipped=skipped)


def phrases_of(
    source: Source, rows: Sequence[asyncpg.Record], ranks: RankWeights | None
) -> Iterator[Phrase]:
    """The phrases of rows; texts that are empty and what is too long are left out."""
    factors: Sequence[float] = [1.0] * len(rows)
    if ranks is not None:
        factors = ranks.factors(source.type, [row["target"] for row in rows], source.rank)
    for (target, text, weight, permalink), factor in zip(rows, factors, strict=True):
        shown = " ".join(text.split())
        if shown and max(len(shown), len(permalink or "")) <= LONGEST:
            yield Phrase(shown, weight * source.factor * factor, source.type, target, permalink)


def _sql(folder: Path, source: Source) -> str:
    path = folder / f"{source.name}.sql"
    try:
        sql = path.read_text(encoding="utf-8").rstrip().rstrip(";")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read ({error}); each source needs it") from error
    if not _WANTED.search(sql):
        raise SourceError(f"{path} does not select by id; add `WHERE :wanted(<table>.id)`")
    return sql
