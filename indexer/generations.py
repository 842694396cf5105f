"""Generations: the indices of an installation, and the aliases that point at them.

The state lives in the engine and nowhere else.
"""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from elasticsearch import AsyncElasticsearch, ConnectionTimeout, NotFoundError

from core.definitions import Definition
from core.settings import Settings
from indexer import rank_alias
from indexer.errors import (
    ConcurrentPromotionError,
    NoGenerationError,
    UnfinishedError,
    engine_within_reach,
)
from indexer.generation import (
    READ_PATHS,
    Generation,
    State,
    changeable_settings,
    index_body,
    new_generation,
    read,
)
from indexer.names import GenerationName, generation_pattern, live_alias

# The engine leaves larger segments alone until most of their documents are outdated.
_LARGEST_SEGMENT = 4_000_000_000  # bytes
_LONGEST_WAIT = 300  # seconds for segments to be merged, until somebody asks again
# While a scan fills it nobody searches a generation, and what is lost of it is written again.
_BULK_SETTINGS = {"number_of_replicas": 0, "refresh_interval": "-1"}


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
                filter_path=READ_PATHS,
            )
        known = (read(self._settings.index_prefix, index, found[index]) for index in found)
        return sorted(
            (one for one in known if one is not None),
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
            found = await self._engine.indices.get(index=index, filter_path=READ_PATHS)
            content = found[index]
        generation = read(self._settings.index_prefix, index, content)
        if generation is None:
            raise NoGenerationError(f"there is no index {index} any more; somebody deleted it")
        return generation

    def new_name(self, definition: Definition) -> GenerationName:
        """The name of a generation that is made of a definition now."""
        return GenerationName(
            prefix=self._settings.index_prefix,
            entity=definition.entity,
            definition=definition.hash,
            created_at=datetime.now(UTC),
        )

    async def create(self, definition: Definition, *, for_bulk: bool = False) -> Generation:
        """A new, empty generation that takes live writes from a lease later on.

        With `for_bulk` it has neither copies nor refreshes, until it is given to `open_up`.
        """
        name = self.new_name(definition)
        index = name.build()
        await self._forbid_accidents()
        body = index_body(definition, self._settings, index)
        if for_bulk:
            body["settings"] |= _BULK_SETTINGS
        await self._engine.indices.create(index=index, **body)
        await self.lead(index)
        return new_generation(name, definition)

    async def lead(self, index: str) -> None:
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
        await self._engine.indices.put_settings(
            index=generation.index, settings=changeable_settings(self._settings)
        )

    async def hold(self, generation: Generation) -> None:
        """Have a generation take no writes, until it is given to `lift`."""
        # Noted first: a block that is not noted as ours is an operator's, and stays.
        await self.note(generation, held=True)
        await self._block(generation, blocked=True)

    async def lift(self, generation: Generation) -> None:
        """Have a generation take writes again."""
        await self._block(generation, blocked=None)
        await self.note(generation, held=False)

    async def _block(self, generation: Generation, *, blocked: bool | None) -> None:
        with engine_within_reach():
            await self._engine.indices.put_settings(
                index=generation.index, settings={"index.blocks.write": blocked}
            )

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
        await self.note(generation, state=state)
        return replace(generation, state=state)

    async def note_gates(self, generation: Generation, gates: Mapping[str, Any]) -> Generation:
        """Note what the gates said of a generation; the generation as it is then.

        What was live, or is, has passed them already; its state does not change any more.
        """
        state = generation.state
        if state in (State.READY, State.FAILED):
            state = State.READY if gates["holds"] else State.FAILED
        noted = State.READY if state in (State.LIVE, State.STANDBY) else state
        await self.note(generation, gates=gates, state=noted)
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
        await self.note(generation, state=State.READY, promoted_at=now)
        if before is not None and before.promoted_at is None:
            # Its own promotion died before it was noted; a rollback must find it all the same.
            await self.note(before, state=State.READY, promoted_at=now - 1)

    async def note(self, generation: Generation, **changes: Any) -> None:
        """Change what a generation knows of itself, and nothing else of its mapping."""
        index = generation.index
        with engine_within_reach():
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
        for every segment that has some: with few segments live changes are searchable sooner. It
        takes minutes for millions of documents. Raises `UnfinishedError` when the engine is still
        at it after some minutes: it goes on by itself, and a further call waits for the same.
        """
        patient = self._engine.options(request_timeout=_LONGEST_WAIT)
        size = await self._engine.indices.stats(
            index=generation.index, metric="store", filter_path="_all.primaries.store.size_in_bytes"
        )
        size_in_bytes = size["_all"]["primaries"]["store"]["size_in_bytes"]
        try:
            await patient.indices.forcemerge(
                index=generation.index, max_num_segments=1 + size_in_bytes // _LARGEST_SEGMENT
            )
        except ConnectionTimeout as error:
            raise UnfinishedError(f"segments of {generation.index} are being merged") from error

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
        with engine_within_reach():
            await self._engine.indices.delete(index=index, ignore_unavailable=True)
