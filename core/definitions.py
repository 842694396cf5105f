"""Index definitions: per entity a mapping, hydration SQL and a search profile, as flat files.

`load` reads a folder of them once and validates what can be validated without a service; what the
engine and the database have to say about a definition is asked by `indexer.checking`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import DiscoError

ANALYSIS_FILE = "shared.analysis.json"
MAPPING_SUFFIX = ".mapping.json"
HYDRATE_SUFFIX = ".hydrate.sql"
DEPENDENTS_SUFFIX = ".dependents.sql"
PRIVATE_SUFFIX = ".private.sql"
PROFILE_SUFFIX = ".search.json"
# What every document has: the pipeline and the query API rely on these fields.
COMMON_FIELDS = frozenset(
    {"type", "id", "digest", "title", "subtitle", "permalink", "created_at", "updated_at"}
)
# The two slots of the rank, and the alias that queries read one of them by.
RANK_FIELDS = frozenset({"rank", "rank_a", "rank_b"})
# Fields that the hydrator adds; every other field is a column of the hydration SQL.
HYDRATOR_FIELDS = frozenset({"type", "digest"}) | RANK_FIELDS
_SELECTOR = re.compile(r":wanted\(([a-z_][a-z0-9_.]*)\)")
_ENTITY = re.compile(r"[a-z][a-z0-9]{0,30}")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong in a definition."""

    file: Path  # where it stands
    what: str  # what is wrong, with the line or name it is about
    remedy: str  # what to write instead

    def __str__(self) -> str:
        return f"{self.file}: {self.what}; {self.remedy}"


class DefinitionError(DiscoError):
    """A definition cannot be used; a line a problem names the file and what to change in it."""

    exit_code = 2

    def __init__(self, *problems: Problem | str) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How documents of one entity type are made from rows. Every generation carries its own."""

    entity: str  # entity type, e.g. "sound"
    source_table: str  # table whose ids are scanned
    hydrate_sql: str  # SELECT with `:wanted(column)` selectors; columns are the fields
    dependents_sql: str | None  # SELECT of (entity, id) that join the ids in $1
    # 8 hex digits over mapping, analysis and hydration SQL; documents may be the same all the same.
    hash: str = field(default="", compare=False)
    ranked: bool = False  # whether documents have fields for ranks

    def hydrate_by_ids(self) -> str:
        """The hydration SQL for the ids in `$1::bigint[]`."""
        return _SELECTOR.sub(r"\1 = ANY($1::bigint[])", self.hydrate_sql)

    def hydrate_by_range(self) -> str:
        """The hydration SQL for ids from `$1` up to, but without, `$2`."""
        return _SELECTOR.sub(r"(\1 >= $1::bigint AND \1 < $2::bigint)", self.hydrate_sql)

    def hydrate_all(self) -> str:
        """The hydration SQL for all ids."""
        return _SELECTOR.sub("true", self.hydrate_sql)


@dataclass(frozen=True, kw_only=True)
class Definition(Recipe):
    """Everything that makes rows of one entity type into findable documents."""

    mappings: Mapping[str, Any]  # body of the engine's mappings
    analysis: Mapping[str, Any]  # shared analysis settings
    profile: Mapping[str, Any]  # how the entity is searched; read by the query API
    # SELECT of (id, name) of what nobody may find; None: that was not said.
    private_sql: str | None = None

    @property
    def fields(self) -> frozenset[str]:
        """Names of the top-level fields of the mapping."""
        return _properties(self.mappings)


def load(folder: Path) -> dict[str, Definition]:
    """All definitions of a folder by entity type, sorted; raises `DefinitionError`."""
    definitions, problems = read(folder)
    if problems:
        raise DefinitionError(*problems)
    return definitions


def read(folder: Path) -> tuple[dict[str, Definition], list[Problem]]:
    """The definitions of a folder that can be read, and all that is wrong with the others.

    Raises `DefinitionError` when there is no definition at all.
    """
    if not folder.is_dir():
        raise DefinitionError(f"definitions folder {folder} does not exist; set DISCO_DEFINITIONS")
    names = sorted(p.name.removesuffix(MAPPING_SUFFIX) for p in folder.glob(f"*{MAPPING_SUFFIX}"))
    if not names:
        raise DefinitionError(f"{folder} holds no *{MAPPING_SUFFIX}; is it a definitions folder?")
    reader = _Reader(folder)
    analysis = reader.json(ANALYSIS_FILE)
    definitions = [reader.definition(name, analysis) for name in names]
    return {one.entity: one for one in definitions if one is not None}, reader.problems


class _Reader:
    """Reads the files of a folder, and gathers what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.problems: list[Problem] = []

    def definition(self, entity: str, analysis: Mapping[str, Any]) -> Definition | None:
        """The definition of one entity type; None if it cannot be used."""
        known = len(self.problems)
        mappings = self.json(f"{entity}{MAPPING_SUFFIX}")
        hydrate_sql = self._sql(f"{entity}{HYDRATE_SUFFIX}")
        definition = Definition(
            entity=entity,
            source_table=str(_meta(mappings).get("source_table", "")),
            mappings=mappings,
            analysis=analysis,
            hydrate_sql=hydrate_sql,
            dependents_sql=self._optional_sql(f"{entity}{DEPENDENTS_SUFFIX}"),
            private_sql=self._optional_sql(f"{entity}{PRIVATE_SUFFIX}"),
            profile=self.json(f"{entity}{PROFILE_SUFFIX}"),
            hash=_hash(mappings, analysis, hydrate_sql),
            ranked=_properties(mappings) >= RANK_FIELDS,
        )
        if len(self.problems) == known:
            self._validate(definition)
        return definition if len(self.problems) == known else None

    def json(self, name: str) -> dict[str, Any]:
        """The JSON object in a file; empty when there is none."""
        text = self._text(name)
        try:
            content = {} if text is None else json.loads(text)
        except json.JSONDecodeError as error:
            self._wrong(name, f"line {error.lineno}: not valid JSON: {error.msg}", "correct it")
            return {}
        except (ValueError, RecursionError) as error:  # a number, or nesting, without measure
            self._wrong(name, f"cannot be read: {error}", "correct it")
            return {}
        if not isinstance(content, dict):
            self._wrong(name, f"is a JSON {type(content).__name__}", "make it an object: {...}")
            return {}
        return content

    def _optional_sql(self, name: str) -> str | None:
        return self._sql(name) if (self._folder / name).exists() else None

    def _sql(self, name: str) -> str:
        # Nothing is cut off at the start: the line of an error is counted from there.
        return (self._text(name) or "").rstrip().rstrip(";")

    def _text(self, name: str) -> str | None:
        try:
            return (self._folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            self._wrong(name, "is missing", "every entity type needs it")
        except UnicodeDecodeError as error:
            self._wrong(name, f"is not UTF-8 ({error.reason})", "save it as UTF-8")
        return None

    def _validate(self, definition: Definition) -> None:
        entity = definition.entity
        mapping, sql = f"{entity}{MAPPING_SUFFIX}", f"{entity}{HYDRATE_SUFFIX}"
        if not _ENTITY.fullmatch(entity):
            self._wrong(mapping, f"{entity!r} is no entity name", "use a-z, then a-z and 0-9")
        if _meta(definition.mappings).get("entity") != entity or not definition.source_table:
            wanted = f'"_meta": {{"entity": "{entity}", "source_table": "<table>"}}'
            self._wrong(mapping, "does not say what it maps", f"add {wanted}")
        if definition.mappings.get("dynamic") != "strict":
            remedy = 'add "dynamic": "strict", or a typing error makes a field'
            self._wrong(mapping, "takes fields that it does not name", remedy)
        if missing := COMMON_FIELDS - definition.fields:
            names = ", ".join(sorted(missing))
            self._wrong(mapping, f"lacks the common fields {names}", 'add them to "properties"')
        if not _SELECTOR.search(definition.hydrate_sql):
            self._wrong(sql, "does not select by id", "add `WHERE :wanted(<table>.id)`")

    def _wrong(self, name: str, what: str, remedy: str) -> None:
        self.problems.append(Problem(file=self._folder / name, what=what, remedy=remedy))


def _meta(mappings: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = mappings.get("_meta")
    return meta if isinstance(meta, dict) else {}


def _properties(mappings: Mapping[str, Any]) -> frozenset[str]:
    properties = mappings.get("properties")
    return frozenset(properties) if isinstance(properties, dict) else frozenset()


def _hash(mappings: Mapping[str, Any], analysis: Mapping[str, Any], sql: str) -> str:
    parts = json.dumps([mappings, analysis, sql], sort_keys=True, ensure_ascii=False)
    # JSON can say half a character; what cannot take it, says so when it is checked.
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:8]
