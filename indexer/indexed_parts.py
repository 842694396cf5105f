"""What of a definition is in an index, as opposed to how queries are read.

Documents and their terms are made by the hydration SQL, the mapping, and the analyzers that fields
index by. Analyzers that only queries go through, with their synonyms, leave no trace in an index.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from core.definitions import Definition

# Parameters of fields that say how queries are read.
_OF_QUERIES = frozenset({"search_analyzer", "search_quote_analyzer"})
_OF_DOCUMENTS = ("analyzer", "normalizer")
_UNSAID = "default"  # analyzer of fields that name none


def fingerprint(definition: Definition) -> str:
    """16 hex digits over all that an index holds of a definition, and the SQL that fills it.

    Definitions with the same one can share documents; they may read queries differently.
    """
    mappings = {name: part for name, part in definition.mappings.items() if name != "_meta"}
    fields = _indexed_fields(definition.mappings.get("properties", {}))
    roots = {_UNSAID, *_analyzers(fields)}
    parts = [
        mappings | {"properties": fields},
        _reached(definition.analysis, roots),
        definition.source_table,
        definition.hydrate_sql,
        definition.dependents_sql,
    ]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _indexed_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without what is said about queries."""
    return {name: _indexed_field(field) for name, field in fields.items()}


def _indexed_field(field: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _indexed_fields(value) if name in ("fields", "properties") else value
        for name, value in field.items()
        if name not in _OF_QUERIES
    }


def _analyzers(fields: Mapping[str, Any]) -> Iterator[str]:
    """Names of the analyzers and normalizers that documents go through."""
    for field in fields.values():
        yield from (str(field[name]) for name in _OF_DOCUMENTS if name in field)
        for below in ("fields", "properties"):
            yield from _analyzers(field.get(below, {}))


def _reached(analysis: Mapping[str, Any], roots: set[str]) -> dict[str, dict[str, Any]]:
    """The parts of an analysis that are of use to the named ones, section by section.

    Any text in a part that is the name of another one counts as its use: rather a part too many.
    """
    reached: set[str] = set()
    waiting = set(roots)
    while waiting:
        reached |= waiting
        parts = [part[name] for part in analysis.values() for name in waiting if name in part]
        waiting = {text for part in parts for text in _texts(part)} - reached
    return {
        section: {name: part for name, part in parts.items() if name in reached}
        for section, parts in analysis.items()
    }


def _texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, list):
        for below in value:
            yield from _texts(below)
