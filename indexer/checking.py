"""Checks definitions against the engine and the database that they are meant for.

All that is wrong is listed, not only what is found first. Nothing is left behind: the engine is
asked with an index that is deleted again, the database only reads.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from core.database import UNAVAILABLE_ERRORS, Connection, open_pool
from core.definitions import (
    ANALYSIS_FILE,
    DEPENDENTS_SUFFIX,
    HYDRATE_SUFFIX,
    MAPPING_SUFFIX,
    PRIVATE_SUFFIX,
    PROFILE_SUFFIX,
    Definition,
    Problem,
    read,
)
from core.engine import engine_client, is_unavailable
from core.errors import ServiceUnavailableError, UsageError
from core.settings import Settings
from indexer import mapping_check, sql_check
from indexer.profile_check import Finding, check_profile

_SHARED = ANALYSIS_FILE.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class DefinitionVerdict:
    """What the check says about one entity type, or about the shared analysis."""

    entity: str  # entity type; "shared" for the analysis
    problems: tuple[Problem, ...]  # empty: the definition can be used
    fields: int = 0  # fields of the mapping
    sampled: int = 0  # documents made of real rows that the engine took

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass
class _Findings:
    """Problems of one definition, gathered file by file."""

    folder: Path
    entity: str
    problems: list[Problem] = field(default_factory=list)

    def add(self, suffix: str, findings: Iterable[Finding]) -> None:
        file = self.folder / f"{self.entity}{suffix}"
        self.problems += [Problem(file=file, what=w, remedy=r) for w, r in findings]

    def verdict(self, definition: Definition, sampled: int) -> DefinitionVerdict:
        return DefinitionVerdict(
            entity=self.entity,
            problems=tuple(self.problems),
            fields=len(definition.fields),
            sampled=sampled,
        )


async def check(settings: Settings, entities: Sequence[str] = ()) -> list[DefinitionVerdict]:
    """A verdict on each of `entities` (none: on all), and on the shared analysis if it is wrong.

    Raises `UsageError` for an entity type without files, `DefinitionError` for a folder that holds
    no definition, `ServiceUnavailableError` when the engine or the database does not answer.
    """
    folder = settings.definitions_path
    definitions, problems = read(folder)
    unreadable = _by_entity(problems)
    shared = unreadable.pop(_SHARED, [])
    names = frozenset(definitions.keys() | unreadable.keys())
    _refuse_unknown(entities, names, folder)
    async with _services(settings) as (engine, connection):
        checks = _Checks(folder, settings, engine, connection, names)
        shared = shared or await checks.analysis(definitions)
        verdicts = [DefinitionVerdict(entity=_SHARED, problems=tuple(shared))] if shared else []
        for entity in sorted(names.intersection(entities) or names):
            if entity in unreadable:
                wrong = tuple(unreadable[entity])
                verdicts.append(DefinitionVerdict(entity=entity, problems=wrong))
            else:
                definition = definitions[entity]
                verdicts.append(await checks.definition(definition, asks_engine=not shared))
    return verdicts


@asynccontextmanager
async def _services(
    settings: Settings,
) -> AsyncIterator[tuple[AsyncElasticsearch, Connection]]:
    """The engine and a connection to the primary; one that goes away is told as that."""
    try:
        async with (
            engine_client(settings) as engine,
            open_pool(settings.database_url, application="disco index check", size=1) as pool,
            pool.acquire() as connection,
        ):
            yield engine, connection
    except UNAVAILABLE_ERRORS as error:
        raise ServiceUnavailableError(
            f"PostgreSQL went away during the check ({error!r}); check again when it is back"
        ) from error
    except (ApiError, TransportError) as error:
        if not is_unavailable(error):
            raise
        raise ServiceUnavailableError(
            f"Elasticsearch went away during the check ({error!r}); check again when it is back"
        ) from error


class _Checks:
    """The checks of one run, with the services that are asked."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        engine: AsyncElasticsearch,
        connection: Connection,
        entities: frozenset[str],
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._engine = engine
        self._connection = connection
        self._entities = entities

    async def analysis(self, definitions: dict[str, Definition]) -> list[Problem]:
        """Problems of the shared analysis, which is asked about once."""
        if not definitions:
            return []
        one = next(iter(definitions.values()))
        findings = await mapping_check.check_analysis(self._engine, one, self._settings)
        file = self._folder / ANALYSIS_FILE
        return [Problem(file=file, what=w, remedy=r) for w, r in findings]

    async def definition(self, definition: Definition, *, asks_engine: bool) -> DefinitionVerdict:
        """The verdict on one entity type. Without its analysis, the engine cannot be asked."""
        found = _Findings(self._folder, definition.entity)
        found.add(MAPPING_SUFFIX, mapping_check.check_mapping(definition))
        found.add(PROFILE_SUFFIX, check_profile(definition))
        documents = await self._on_database(definition, found)
        sampled = await self._on_engine(definition, found, documents) if asks_engine else 0
        return found.verdict(definition, sampled)

    async def _on_database(self, definition: Definition, found: _Findings) -> list[bytes]:
        """Documents of a few rows; none where the SQL has problems already."""
        table = await sql_check.check_source_table(self._connection, definition)
        found.add(MAPPING_SUFFIX, table)
        hydration = await sql_check.check_hydration(self._connection, definition)
        found.add(HYDRATE_SUFFIX, hydration)
        dependents = await sql_check.check_dependents(self._connection, definition, self._entities)
        found.add(DEPENDENTS_SUFFIX, dependents)
        private = await sql_check.check_private(self._connection, definition)
        found.add(PRIVATE_SUFFIX, private)
        if table or hydration:
            return []
        documents, failures = await sql_check.sample_documents(self._connection, definition)
        found.add(HYDRATE_SUFFIX, failures)
        return documents

    async def _on_engine(
        self, definition: Definition, found: _Findings, documents: Sequence[bytes]
    ) -> int:
        """How many documents the engine took."""
        seen = await mapping_check.check_on_engine(
            self._engine, definition, self._settings, documents
        )
        found.add(MAPPING_SUFFIX, seen.mapping)
        found.add(HYDRATE_SUFFIX, seen.documents)
        return seen.taken


def _by_entity(problems: Iterable[Problem]) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.file.name.partition(".")[0], []).append(problem)
    return found


def _refuse_unknown(entities: Sequence[str], known: Iterable[str], folder: Path) -> None:
    if unknown := sorted(set(entities) - set(known)):
        names, there = ", ".join(unknown), ", ".join(sorted(known))
        raise UsageError(f"no definition of {names} in {folder}; there are {there}")
