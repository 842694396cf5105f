"""Generations: concrete indices built from a definition, and the aliases that point at them.

The state lives in the engine and nowhere else: a generation's name says which definition it was
built from, its metadata have the recipe of its documents, an alias says which one is live.
"""

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from elasticsearch import AsyncElasticsearch, NotFoundError

from core.definitions import Definition, Recipe
from core.settings import Settings
from indexer import rank_alias
from indexer.errors import (
    ConcurrentPromotionError,
    NoGenerationError,
    engine_within_reach,
)
from indexer.names import GenerationName, generation_pattern, live_alias, parse

# How old a worker's knowledge of the generations may be when it hydrates. Who builds a generation
# waits longer than this before it scans: whatever a worker wrote without knowing the generation was
# committed before the scan read it (ADR 0001).
LEASE_SECONDS = 1.0
# The engine leaves larger segments alone until most of their documents are outdated.
_LARGEST_SEGMENT = 4_000_000_000  # bytes
_COMPACTION_SECONDS = 3_600
_READ_PATHS = ("*.aliases", "*.mappings._meta")
# While a scan fills it nobody searches a generation, and what is lost of it is written again.
_BULK_SETTINGS = {"number_of_replicas": 0, "refresh_interval": "-1"}


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

    @property
    def is_live(self) -> bool:
        """Whether queries reach it."""
        return self.state is State.LIVE


def index_body(definition: Definition, settings: Settings) -> dict[str, Any]:
    """Settings and mappings of a new generation, for the engine's create call."""
    return {
        "settings": {
            "number_of_shards": 1,
            "number_of_replicas": settings.engine_replicas,
            "refresh_interval": settings.refresh_interval,
            "gc_deletes": settings.tombstone_retention,
            "analysis": definition.analysis,
        },
        "mappings": {**definition.mappings, "_meta": _meta(definition)},
    }


def _meta(definition: Definition) -> dict[str, Any]:
    """What a generation knows of itself.

    A worker writes to generations of any definition, whichever files it was started with.
    """
    recipe = {field.name: getattr(definition, field.name) for field in fields(Recipe)}
    return {
        **definition.mappings.get("_meta", {}),
        "recipe": recipe,
        "profile": definition.profile,
        "state": State.BUILDING,
    }


def _read(prefix: str, index: str, content: Mapping[str, Any]) -> Generation | None:
    """The generation that an index is; None if it is none of ours."""
    name = parse(index)
    meta = content.get("mappings", {}).get("_meta", {})
    if name is None or name.prefix != prefix or "recipe" not in meta:
        return None
    is_live = live_alias(prefix, name.entity) in content.get("aliases", {})
    promoted_at = meta.get("promoted_at")
    return Generation(
        name=name,
        index=index,
        recipe=Recipe(**meta["recipe"]),
        state=_state(State(meta.get("state", State.READY)), promoted_at, is_live=is_live),
        promoted_at=promoted_at,
        profile=meta.get("profile"),
        gates=meta.get("gates"),
    )


def _state(noted: State, promoted_at: int | None, *, is_live: bool) -> State:
    """What the alias says counts; what is noted tells of the rest."""
    if is_live:
        return State.LIVE
    return State.STANDBY if promoted_at is not None else noted


@dataclass(frozen=True, kw_only=True)
class Route:
    """Generations that take the same documents: no entity type has two recipes in it.

    While a definition changes there are two routes, for its generations before and after.
    """

    recipes: Mapping[str, Recipe]  # by entity type
    indices: Mapping[str, Sequence[str]]  # index names by entity type; none: not indexed yet


def plan_routes(
    generations: Iterable[Generation], definitions: Mapping[str, Recipe]
) -> Sequence[Route]:
    """The routes to all generations; what is live is in the first, as far as anything is.

    An entity type without a generation is in the first route, too, with the recipe of its
    definition: what depends on it is found by that.
    """
    routes: list[dict[str, list[Generation]]] = [{}]
    for one in sorted(generations, key=lambda one: not one.is_live):
        entity, recipe = one.recipe.entity, one.recipe
        for route in routes:
            if entity not in route or route[entity][0].recipe == recipe:
                route.setdefault(entity, []).append(one)
                break
        else:
            routes.append({entity: [one]})
    unbuilt = {entity: recipe for entity, recipe in definitions.items() if entity not in routes[0]}
    return [_route(groups, unbuilt if groups is routes[0] else {}) for groups in routes]


def _route(groups: Mapping[str, Sequence[Generation]], unbuilt: Mapping[str, Recipe]) -> Route:
    return Route(
        recipes={entity: group[0].recipe for entity, group in groups.items()} | dict(unbuilt),
        indices={entity: [one.index for one in group] for entity, group in groups.items()},
    )


class Generations:
    """The generations of an installation, as the engine knows them."""

    def __init__(self, engine: AsyncElasticsearch, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    async def list(self) -> list[Generation]:
        """All generations, by entity type, then oldest first."""
        with engine_within_reach():
            found = await self._engine.indices.get(
                index=generation_pattern(self._settings.index_prefix),
                filter_path=_READ_PATHS,
            )
        read = (_read(self._settings.index_prefix, index, found[index]) for index in found)
        return sorted(
            (one for one in read if one is not None),
            key=lambda one: (one.name.entity, one.name.created_at),
        )

    async def live(self, entity: str) -> Generation:
        """The generation that queries reach; raises `NoGenerationError`."""
        for generation in await self.list():
            if generation.name.entity == entity and generation.is_live:
                return generation
        raise NoGenerationError(f"{entity} has no live index; run `disco index reindex {entity}`")

    async def named(self, index: str) -> Generation:
        """The generation of that name; raises `NoGenerationError`."""
        content: Mapping[str, Any] = {}
        with engine_within_reach(), contextlib.suppress(NotFoundError):
            found = await self._engine.indices.get(index=index, filter_path=_READ_PATHS)
            content = found[index]
        generation = _read(self._settings.index_prefix, index, content)
        if generation is None:
            raise NoGenerationError(f"there is no index {index} any more; somebody deleted it")
        return generation

    async def create(self, definition: Definition, *, for_bulk: bool = False) -> Generation:
        """A new, empty generation that takes live writes from a lease later on.

        With `for_bulk` it has neither copies nor refreshes, until it is given to `open_up`.
        """
        name = GenerationName(
            prefix=self._settings.index_prefix,
            entity=definition.entity,
            definition=definition.hash,
            created_at=datetime.now(UTC),
        )
        index = name.build()
        await self._forbid_accidents()
        body = index_body(definition, self._settings)
        if for_bulk:
            body["settings"] |= _BULK_SETTINGS
        await self._engine.indices.create(index=index, **body)
        await self._lead(index)
        return Generation(
            name=name,
            index=index,
            recipe=definition,
            state=State.BUILDING,
            profile=definition.profile,
        )

    async def _lead(self, index: str) -> None:
        """Have a new index read the slot of the rank that the others read.

        It is there already, so that whoever leads them elsewhere from now on leads it, too.
        """
        pattern = generation_pattern(self._settings.index_prefix)
        slots = await rank_alias.live_slots(self._engine, pattern)
        own = slots.pop(index, None)
        if own is not None and slots and (live := next(iter(slots.values()))) is not own:
            await rank_alias.lead(self._engine, [index], live)

    async def open_up(self, generation: Generation) -> None:
        """Give a generation that was filled in bulk the settings of one that is searched."""
        settings = {
            "number_of_replicas": self._settings.engine_replicas,
            "refresh_interval": self._settings.refresh_interval,
        }
        await self._engine.indices.put_settings(index=generation.index, settings=settings)

    async def _forbid_accidents(self) -> None:
        """See to it that no generation comes into being by a write.

        A bulk request to a generation that was just deleted would otherwise make an index of its
        name, with a mapping that the engine guesses.
        """
        prefix = self._settings.index_prefix
        await self._engine.indices.put_index_template(
            name=f"{prefix}-generations",
            index_patterns=[generation_pattern(prefix)],
            priority=500,
            allow_auto_create=False,
        )

    async def enter(self, generation: Generation, state: State) -> Generation:
        """Note that a generation has come to a state; the generation as it is then."""
        await self._note(generation, state=state)
        return replace(generation, state=state)

    async def note_gates(self, generation: Generation, gates: Mapping[str, Any]) -> Generation:
        """Note what the gates said of a generation; the generation as it is then.

        What was live, or is, has passed them already; its state does not change any more.
        """
        state = generation.state
        if state in (State.READY, State.FAILED):
            state = State.READY if gates["holds"] else State.FAILED
        noted = State.READY if state in (State.LIVE, State.STANDBY) else state
        await self._note(generation, gates=gates, state=noted)
        return replace(generation, state=state, gates=gates)

    async def promote(self, generation: Generation, *, before: Generation | None) -> None:
        """Make queries reach this generation in place of `before`, in one atomic action.

        Raises `ConcurrentPromotionError` when they do not reach `before` any more.
        """
        alias = live_alias(self._settings.index_prefix, generation.name.entity)
        anything = generation_pattern(self._settings.index_prefix, generation.name.entity)
        former = before.index if before else anything
        try:
            await self._engine.indices.update_aliases(
                actions=[
                    # Refused as a whole if somebody else has led the alias elsewhere meanwhile.
                    {"remove": {"index": former, "alias": alias, "must_exist": before is not None}},
                    {"add": {"index": generation.index, "alias": alias}},
                ]
            )
        except NotFoundError as error:
            raise ConcurrentPromotionError(
                f"{former} is not live any more: somebody else promotes an index of "
                f"{generation.name.entity} at the same time; look at `disco index list`, try again"
            ) from error
        now = time.time_ns() // 1000
        await self._note(generation, state=State.READY, promoted_at=now)
        if before is not None and before.promoted_at is None:
            # Its own promotion died before it was noted; a rollback must find it all the same.
            await self._note(before, state=State.READY, promoted_at=now - 1)

    async def _note(self, generation: Generation, **changes: Any) -> None:
        """Change what a generation knows of itself, and nothing else of its mapping."""
        index = generation.index
        found = await self._engine.indices.get_mapping(index=index)
        meta = found[index]["mappings"].get("_meta", {}) | changes
        await self._engine.indices.put_mapping(index=index, meta=meta)

    async def refresh(self, generation: Generation) -> None:
        """Make all that was written so far searchable.

        Raises `TemporarilyUnavailableError`, and `elasticsearch.NotFoundError` when the generation
        was deleted meanwhile.
        """
        with engine_within_reach():
            await self._engine.indices.refresh(index=generation.index)

    async def compact(self, generation: Generation) -> None:
        """Merge what a scan wrote in many small segments into few.

        A later change marks its old document in a segment, and each refresh writes these marks anew
        for every segment that has some: with few segments live changes are searchable sooner. Waits
        until the engine is done, which takes minutes for millions of documents.
        """
        patient = self._engine.options(request_timeout=_COMPACTION_SECONDS)
        size = await self._engine.indices.stats(
            index=generation.index, metric="store", filter_path="_all.primaries.store.size_in_bytes"
        )
        size_in_bytes = size["_all"]["primaries"]["store"]["size_in_bytes"]
        await patient.indices.forcemerge(
            index=generation.index, max_num_segments=1 + size_in_bytes // _LARGEST_SEGMENT
        )

    async def refresh_live(self, entity: str) -> None:
        """Make all that was written to the live generation of a type so far searchable.

        A type without a live generation has nothing to show. Raises `TemporarilyUnavailableError`.
        """
        alias = live_alias(self._settings.index_prefix, entity)
        with engine_within_reach():
            await self._engine.indices.refresh(index=alias, ignore_unavailable=True)

    async def delete(self, generation: Generation) -> None:
        """Delete a generation for good."""
        await self.remove(generation.index)

    async def remove(self, index: str) -> None:
        """Delete the generation of that name, if it is there."""
        await self._engine.indices.delete(index=index, ignore_unavailable=True)
