"""The entity type that documents of a collection are indexed as, for as long as it is measured.

It is policy, in the files of `definition/`: a mapping and a search profile as in
`index_definitions/`, and what prose in English needs beyond the shared analysis.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib import resources
from typing import Any, Final

from core.definitions import Definition
from evaluation.collections.collection import Document

ENTITY: Final = "article"
# What an engine's user would search without any thought: the fields as the engine maps text.
PLAIN_FIELDS: Final = ("title", "subtitle", "source", "body")


def definition(analysis: Mapping[str, Any]) -> Definition:
    """The definition, with the shared analysis that others use as well."""
    own = _read("settings")["analysis"]
    return Definition(
        entity=ENTITY,
        source_table="",
        hydrate_sql="",
        dependents_sql=None,
        mappings=_read("mapping"),
        analysis={
            kind: {**analysis.get(kind, {}), **own.get(kind, {})} for kind in {**analysis, **own}
        },
        profile=_read("search"),
    )


def similarity() -> Mapping[str, Any]:
    """How the index scores, as its settings have it."""
    found: Mapping[str, Any] = _read("settings")["similarity"]
    return found


def indexed(document: Document) -> Mapping[str, str]:
    """A document as the index has it."""
    fields = asdict(document)
    return {"type": ENTITY, "subtitle": fields.pop("authors"), **fields}


def _read(kind: str) -> dict[str, Any]:
    file = resources.files(__package__) / "definition" / f"{ENTITY}.{kind}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
