"""The way to the ranker's operations: each in a thread, so that searches go on meanwhile.

Editions are large files, and what reads them is loaded when an operator first asks for it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from core.settings import Settings

if TYPE_CHECKING:
    from ranker.edition_operations import Drift, Listed, Standing


async def listed(settings: Settings) -> "Sequence[Listed]":
    """The editions in the store, the newest first."""

    def call() -> "Sequence[Listed]":
        from ranker.edition_operations import list_editions  # noqa: PLC0415 - see above

        return list_editions(settings)

    return await asyncio.to_thread(call)


async def existing(settings: Settings, name: str | None) -> str:
    """The name of an edition, of the newest if none is named; raises `RankStoreError`."""

    def call() -> str:
        from ranker.edition_operations import open_edition  # noqa: PLC0415 - see above

        return open_edition(settings, name).name

    return await asyncio.to_thread(call)


async def top(settings: Settings, name: str, kind: str, most: int) -> "Sequence[Standing]":
    """What stands first; raises `RankStoreError` and `UnknownEntityError`."""

    def call() -> "Sequence[Standing]":
        from ranker import edition_operations  # noqa: PLC0415 - see above

        return edition_operations.top(settings, name, kind, most)

    return await asyncio.to_thread(call)


async def titles(
    settings: Settings, keys: Sequence[tuple[str, int]]
) -> Mapping[tuple[str, int], str]:
    """What entities are called; those that the database does not tell of are missing."""
    from ranker.edition_operations import labels_of  # noqa: PLC0415 - who has keys has loaded it

    return await labels_of(settings, keys)


async def difference(settings: Settings, former: str, later: str) -> "Drift":
    """How two editions differ; raises `RankStoreError`."""

    def call() -> "Drift":
        from ranker.edition_operations import compare  # noqa: PLC0415 - see above

        return compare(settings, former, later)

    return await asyncio.to_thread(call)


async def checked(settings: Settings, live: str | None, name: str, *, override: bool) -> "Drift":
    """How an edition differs from the live one; raises `DriftError` and `RankStoreError`."""

    def call() -> "Drift":
        from ranker.edition_operations import check_drift  # noqa: PLC0415 - see above

        return check_drift(settings, live, name, override=override)

    return await asyncio.to_thread(call)
