"""Changes of a definition: what is not as the live index was built, and what it takes to apply it.

Pure: from what a generation notes of itself and what the engine says of its settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.definitions import Definition
from indexer.generation import Generation
from indexer.indexed_parts import fingerprint


class Remedy(StrEnum):
    """What a change takes."""

    NOTHING = "nothing"  # the live index is as files and settings say
    IN_PLACE = "in_place"  # the engine changes it in the live index
    COPY = "copy"  # a copy of the index reads queries in the new way
    REINDEX = "reindex"  # documents, or their terms, are others


@dataclass(frozen=True, kw_only=True)
class Changes:
    """How files and settings differ from the live index of an entity type."""

    live: Generation
    documents: bool = False  # what it holds: mapping, analysis of documents, SQL
    queries: bool = False  # how queries are read: search analyzers, their filters and synonyms
    profile: bool = False  # how it is searched
    settings: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # name: (is, should be)

    @property
    def remedy(self) -> Remedy:
        """The least that applies all of it."""
        if self.documents:
            return Remedy.REINDEX
        if self.queries:
            return Remedy.COPY
        return Remedy.IN_PLACE if self.profile or self.settings else Remedy.NOTHING


def changes_of(
    live: Generation,
    definition: Definition,
    *,
    found: Mapping[str, Any],
    wanted: Mapping[str, Any],
) -> Changes:
    """How a definition, and the settings `wanted`, differ from a generation with those `found`.

    A generation that does not know what it holds is taken to hold something else, unless it was
    built from the very same files.
    """
    same_files = (
        live.recipe.hash == definition.hash
        and live.recipe.dependents_sql == definition.dependents_sql
    )
    same_documents = same_files or live.indexed == fingerprint(definition)
    return Changes(
        live=live,
        documents=not same_documents,
        queries=same_documents and not same_files,
        profile=live.profile != definition.profile,
        settings={
            name: (str(found.get(name)), str(value))
            for name, value in wanted.items()
            if str(found.get(name)) != str(value)
        },
    )
