"""Applying: a change of a definition that needs no new index takes effect without one.

What the engine changes in place is changed in place. Where queries are to be read in another way
the live index is copied, and the copy takes its place by the same way as a new one: it is compared
with the database, asked by the gates, and promoted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.definitions import PROFILE_SUFFIX, DefinitionError, Problem
from indexer import reindexing
from indexer.build_progress import Progress, progress_of
from indexer.definition_changes import Changes, Remedy, changes_of
from indexer.errors import IndexerError, engine_within_reach
from indexer.generation import Generation, State, changeable_settings
from indexer.profile_check import check_profile
from indexer.recording import document_of, log_of
from indexer.services import Services


class ReindexNeededError(IndexerError):
    """A definition makes other documents than its index holds. `disco index reindex ENTITY`."""

    exit_code = 1


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What was done to apply the changes of a definition."""

    changes: Changes
    build: Progress | None  # the copy that is being made; None: none was needed


async def plan_changes(services: Services, entities: Sequence[str]) -> list[Changes]:
    """What has changed of each definition since its live index was built.

    Raises `NoGenerationError` for an entity type without one.
    """
    return [await _changes(services, entity) for entity in entities]


async def apply_changes(services: Services, entity: str) -> Applied:
    """Apply what has changed of a definition without building its index anew.

    A copy that is needed is left to workers, as a build; it ends as ready. Raises
    `ReindexNeededError`, or `DefinitionError` for a search profile that cannot be used, with
    nothing done; `NoGenerationError`, `BuildUnderWayError`.
    """
    async with log_of(services).record("index.apply", entity, alone=True) as entry:
        changes = await _changes(services, entity)
        if changes.remedy is Remedy.REINDEX:
            raise ReindexNeededError(reindex_needed(changes))
        if changes.profile:
            _check_profile(services, entity)
        before = document_of(changes.live) | {"settings": _side(changes, 0)}
        after = before | {"settings": _side(changes, 1), "remedy": changes.remedy}
        if changes.profile:
            before |= {"profile": changes.live.profile}
            after |= {"profile": services.definitions[entity].profile}
        await entry.plan(before=before, after=after)
        await _change_in_place(services, changes)
        if changes.remedy is not Remedy.COPY:
            return Applied(changes=changes, build=None)
        build = await reindexing.start(services, entity, original=changes.live)
        await entry.plan(before=before, after=after | {"index": build.index})
        return Applied(changes=changes, build=progress_of(build))


def changes_document(changes: Changes) -> dict[str, Any]:
    """What has changed as programs see it: by command and over HTTP."""
    return {
        "entity": changes.live.name.entity,
        "index": changes.live.index,
        "remedy": changes.remedy,
        "documents": changes.documents,
        "queries": changes.queries,
        "profile": changes.profile,
        "settings": {
            name: {"before": before, "after": after}
            for name, (before, after) in changes.settings.items()
        },
    }


def reindex_needed(changes: Changes) -> str:
    """Why a change cannot be applied without a new index, and what to do."""
    entity = changes.live.name.entity
    return (
        f"{entity}: the definition makes other documents, or other terms of them, than "
        f"{changes.live.index} holds: run `disco index reindex {entity}`"
    )


def _check_profile(services: Services, entity: str) -> None:
    """Raise `DefinitionError` for what searches could not use: they would have it in a second."""
    file = services.settings.definitions_path / f"{entity}{PROFILE_SUFFIX}"
    problems = [
        Problem(file=file, what=found.what, remedy=found.remedy)
        for found in check_profile(services.definitions[entity])
    ]
    if problems:
        raise DefinitionError(*problems)


async def _changes(services: Services, entity: str) -> Changes:
    live = await services.generations.live(entity)
    wanted = changeable_settings(services.settings)
    with engine_within_reach():
        found = await services.engine.indices.get_settings(index=live.index)
    return changes_of(
        live,
        services.definitions[entity],
        found=found[live.index]["settings"]["index"],
        wanted=wanted,
    )


async def _change_in_place(services: Services, changes: Changes) -> None:
    """Change settings in all generations of the type, and what the live one notes of itself."""
    if changes.settings:
        wanted = changeable_settings(services.settings)
        names = [one.index for one in await _filled(services, changes.live.name.entity)]
        with engine_within_reach():
            await services.engine.indices.put_settings(
                index=names, settings={name: wanted[name] for name in changes.settings}
            )
    # A copy brings the new profile along; until then the live index is searched by the old one.
    if changes.profile and changes.remedy is Remedy.IN_PLACE:
        profile = services.definitions[changes.live.name.entity].profile
        await services.generations.note(changes.live, profile=profile)


async def _filled(services: Services, entity: str) -> list[Generation]:
    """The generations of a type, but for one that a scan fills: it has settings of its own then."""
    return [
        one
        for one in await services.generations.list()
        if one.name.entity == entity and one.state is not State.BUILDING
    ]


def _side(changes: Changes, side: int) -> dict[str, Any]:
    return {name: values[side] for name, values in changes.settings.items()}
