"""The operators' API of rank editions: `/v1/admin/ranks…`. The same operations as `disco rank`."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from access.operations import Key
from core.settings import Settings
from indexer import operations
from indexer.operations import Services
from query_api import admin_bodies, rank_editions
from query_api.admin_answers import answer, whole_number
from query_api.admin_bodies import PublishRanksBody, RanksDiffBody, RollBackRanksBody
from query_api.rank_publications import Publication, Publications

NEWEST: Final = "newest"  # in place of an edition's name
_FOLLOW: Final = "/v1/admin/history?area=rank&subject="
_MOST_ENTITIES: Final = 1_000

#: The indexer's services, on the account of a key.
OpenServices = Callable[[Key], AbstractAsyncContextManager[Services]]


class RankAdmin:
    """Does what operators ask for, and says what was done."""

    def __init__(self, settings: Settings, open_services: OpenServices) -> None:
        self._settings = settings
        self._open_services = open_services
        self._publications = Publications()

    async def close(self) -> None:
        """Give up what is being published."""
        await self._publications.close()

    async def editions(self, _request: Request, key: Key) -> Response:
        """`GET /v1/admin/ranks`: what is in the store, in the slots, and live."""
        listed = await rank_editions.listed(self._settings)
        async with self._open_services(key) as services:
            state = await operations.rank_state(services)
        slots = asdict(state.slots)
        return answer({"editions": listed, "slots": slots, "live": state.live_edition})

    async def show(self, request: Request, _key: Key) -> Response:
        """`GET /v1/admin/ranks/{edition}`: what stands first in it."""
        kind = request.query_params.get("type", "user")
        text = request.query_params.get("top", "20")
        most = whole_number("top", text, most=_MOST_ENTITIES)
        edition = await self._existing(request.path_params["edition"])
        standings = await rank_editions.top(self._settings, edition, kind, most)
        keys = [(one.type, one.id) for one in standings]
        titles = await rank_editions.titles(self._settings, keys)
        entities = [
            {**asdict(one), "title": titles.get(key)}
            for one, key in zip(standings, keys, strict=True)
        ]
        return answer({"edition": edition, "entities": entities})

    async def diff(self, request: Request, _key: Key) -> Response:
        """`POST /v1/admin/ranks/diff`: how two editions differ."""
        body = await admin_bodies.read(request, RanksDiffBody)
        drift = await rank_editions.difference(self._settings, body.former, body.later)
        return answer({"holds": not drift.failed, **asdict(drift)})

    async def publish(self, request: Request, key: Key) -> Response:
        """`POST /v1/admin/ranks/publish`: checks an edition, and goes on after the answer."""
        body = await admin_bodies.read(request, PublishRanksBody)
        edition = await self._existing(body.edition)
        publication = Publication(self._settings, edition, body.override)
        if body.dry_run:
            async with self._open_services(key) as services:
                await publication.run(services, dry_run=True)
            return answer({**publication.document(), "dry_run": True})
        await self._publications.begin(publication, self._open_services(key))
        document = {**publication.document(), "dry_run": False}
        return answer(document, status=202, headers={"Location": _FOLLOW + edition})

    async def roll_back(self, request: Request, key: Key) -> Response:
        """`POST /v1/admin/ranks/rollback`: leads searches to the other slot."""
        body = await admin_bodies.read(request, RollBackRanksBody)
        async with self._open_services(key) as services:
            before, after = await operations.roll_back_ranks(
                services, override=body.override, dry_run=body.dry_run
            )
        return answer({"before": before, "after": after, "dry_run": body.dry_run})

    async def _existing(self, edition: str) -> str:
        """The name of an edition; raises `RankStoreError`."""
        return await rank_editions.existing(self._settings, None if edition == NEWEST else edition)
