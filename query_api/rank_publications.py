"""Publications of rank editions that this process does: longer than a request may take.

Their checks come first; the operation log tells how far the rest is, and how it ended. Whatever
becomes of the process, what was live stays live until all documents have their new ranks.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from core import telemetry
from core.errors import DiscoError
from core.settings import Settings
from indexer import operations
from indexer.operations import Services
from query_api import rank_editions
from query_api.lasting import Lasting

if TYPE_CHECKING:
    from ranker.edition_operations import Drift

_log = telemetry.logger("query_api")


class Publication:
    """One publication, and what is known of it so far."""

    def __init__(self, settings: Settings, edition: str, override: str | None) -> None:
        self._settings = settings
        self.edition = edition
        self._override = override
        self._former: str | None = None
        self._drift: Drift | None = None
        self._stage: operations.Stage | None = None
        self.begun = asyncio.Event()  # it was checked, and documents were compared

    async def run(self, services: Services, *, dry_run: bool = False) -> None:
        """All of it, or with `dry_run` what comes before the first change."""
        stages = operations.publish_ranks(
            services, self.edition, check=self._check, override=self._override, dry_run=dry_run
        )
        async for stage in stages:
            if not self.begun.is_set():
                self._stage = stage
                self.begun.set()

    def document(self) -> dict[str, Any]:
        """What is to be done, as programs see it; known once it has begun."""
        assert self._stage is not None
        return {
            "edition": self.edition,
            "former": self._former,
            "documents": self._stage.documents,
            "changed": self._stage.changed,
            "drift": self._drift,
        }

    async def _check(self, live: str | None) -> None:
        self._former = live
        self._drift = await rank_editions.checked(
            self._settings, live, self.edition, override=self._override is not None
        )


class Publications:
    """Those under way. They go on when whoever asked for them is gone."""

    def __init__(self) -> None:
        self._lasting = Lasting()

    async def begin(
        self, publication: Publication, services: AbstractAsyncContextManager[Services]
    ) -> None:
        """Begin one, and come back when it has begun; raises whatever refuses it."""

        async def run() -> None:
            async with services as opened:
                await publication.run(opened)

        task = self._lasting.begin(run())
        task.add_done_callback(lambda done: _ended(done, publication))
        begun = asyncio.create_task(publication.begun.wait())
        try:
            await asyncio.wait((task, begun), return_when=asyncio.FIRST_COMPLETED)
        finally:
            begun.cancel()
        if not publication.begun.is_set():
            await task

    async def close(self) -> None:
        """Give up what is under way; the operation log has it as interrupted."""
        await self._lasting.close()


def _ended(task: asyncio.Task[None], publication: Publication) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None and publication.begun.is_set():
        reason = str(error) if isinstance(error, DiscoError) else repr(error)
        _log.error("rank_publication_failed", edition=publication.edition, reason=reason)
