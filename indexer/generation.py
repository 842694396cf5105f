"""A generation: one concrete index built from a definition, as the engine tells of it.

Its name says which definition it was built from, its metadata have the recipe of its documents, an
alias says whether it is live.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from core.definitions import Definition, Recipe
from core.settings import Settings
from indexer.indexed_parts import fingerprint
from indexer.names import GenerationName, live_alias, parse

# What `read` needs of the engine's answer about an index.
READ_PATHS = ("*.aliases", "*.mappings._meta", "*.settings.index.blocks")


class State(StrEnum):
    """Where a generation stands. Live changes reach it in every state."""

    BUILDING = "building"  # a scan fills it, or was killed while it did
    CATCHING_UP = "catching_up"  # filled; it is being made equal to the database
    READY = "ready"  # equal to the database, and never live so far
    LIVE = "live"  # queries reach it
    STANDBY = "standby"  # was live; queries can be led back to it at any time
    FAILED = "failed"  # a gate refused it; it goes live only if that is overridden
    RETIRED = "retired"  # deleted: only the operation log tells of it


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One concrete index."""

    name: GenerationName
    index: str  # the name as the engine has it
    recipe: Recipe  # how its documents are made
    state: State
    promoted_at: int | None = None  # when it became live last, microseconds; None: never
    profile: Mapping[str, Any] | None = None  # how it is searched; None: it does not know
    gates: Mapping[str, Any] | None = None  # what they said; None: they were not asked yet
    indexed: str | None = None  # fingerprint of what it holds; None: it does not know
    is_held: bool = False  # whether writes to it wait while it is copied (`indexer.holds`)
    is_full: bool = False  # whether the engine takes no writes to it, as when its disk is full

    @property
    def is_live(self) -> bool:
        """Whether queries reach it."""
        return self.state is State.LIVE


def new_generation(name: GenerationName, definition: Definition) -> Generation:
    """The generation that a definition has just been made into."""
    return Generation(
        name=name,
        index=name.build(),
        recipe=definition,
        state=State.BUILDING,
        profile=definition.profile,
        indexed=fingerprint(definition),
    )


def index_body(definition: Definition, settings: Settings, index: str) -> dict[str, Any]:
    """Settings and mappings of a new generation, for the engine's create call."""
    return {
        "settings": {
            "number_of_shards": 1,
            "analysis": definition.analysis,
            **changeable_settings(settings),
        },
        "mappings": {**definition.mappings, "_meta": new_meta(definition, index)},
    }


def changeable_settings(settings: Settings) -> dict[str, Any]:
    """Settings of a generation that the engine changes at any time."""
    return {
        "number_of_replicas": settings.engine_replicas,
        "refresh_interval": settings.refresh_interval,
        "gc_deletes": settings.tombstone_retention,
    }


def new_meta(definition: Definition, index: str) -> dict[str, Any]:
    """What a new generation knows of itself.

    A worker writes to generations of any definition, whichever files it was started with.
    """
    recipe = {field.name: getattr(definition, field.name) for field in fields(Recipe)}
    return {
        **definition.mappings.get("_meta", {}),
        "index": index,
        "recipe": recipe,
        "indexed": fingerprint(definition),
        "profile": definition.profile,
        "state": State.BUILDING,
    }


def read(prefix: str, index: str, content: Mapping[str, Any]) -> Generation | None:
    """The generation that an index is; None if it is none of ours."""
    name = parse(index)
    meta = content.get("mappings", {}).get("_meta", {})
    if name is None or name.prefix != prefix or "recipe" not in meta:
        return None
    if meta.get("index", index) != index:
        # A copy that has still its original's metadata: it is nothing yet, and was never live.
        meta = {"recipe": meta["recipe"], "state": State.BUILDING}
    is_live = live_alias(prefix, name.entity) in content.get("aliases", {})
    promoted_at = meta.get("promoted_at")
    blocks = content.get("settings", {}).get("index", {}).get("blocks", {})
    return Generation(
        name=name,
        index=index,
        recipe=Recipe(**meta["recipe"]),
        state=_state(State(meta.get("state", State.READY)), promoted_at, is_live=is_live),
        promoted_at=promoted_at,
        profile=meta.get("profile"),
        gates=meta.get("gates"),
        indexed=meta.get("indexed"),
        is_held=meta.get("held") is True and blocks.get("write") == "true",
        is_full=blocks.get("read_only_allow_delete") == "true",
    )


def _state(noted: State, promoted_at: int | None, *, is_live: bool) -> State:
    """What the alias says counts; what is noted tells of the rest."""
    if is_live:
        return State.LIVE
    return State.STANDBY if promoted_at is not None else noted
