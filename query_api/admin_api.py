"""The operators' API: `/v1/admin/…`. The same operations as `disco index` and `disco rank`.

It is there only where the setting `admin_api` says so, for keys with the scope `admin`. Services
are opened for each request: definitions are read anew, and nothing waits open for the rare one.
"""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from access.operations import Key, Scope
from core import telemetry
from core.errors import DiscoError
from core.operation_log import Actor
from core.settings import Settings
from indexer import operations
from indexer.operations import BuildAction, Services
from query_api import admin_bodies, problems
from query_api.admin_answers import answer, whole_number
from query_api.admin_bodies import (
    ApplyBody,
    BuildBody,
    CheckBody,
    DiffBody,
    GatesBody,
    PromoteBody,
    ReindexBody,
    RetireBody,
    RollbackBody,
)
from query_api.doorkeeper import Doorkeeper
from query_api.gate_probes import GateProber
from query_api.lasting import Lasting
from query_api.problems import Code, QueryError
from query_api.rank_admin import RankAdmin

BUILDS_PATH: Final = "/v1/admin/builds"
GATES_PATH: Final = "/v1/admin/gates"
_MOST_OPERATIONS: Final = 1_000
_AREAS: Final = ("index", "rank")  # of operations
# Gates compare every row of a large index, which may take minutes.
_GATES_SECONDS: Final = 60.0  # after which they go on without the one who asked
_BUILD_ACTIONS: Final = {
    BuildAction.PAUSE: operations.pause_build,
    BuildAction.RESUME: operations.resume_build,
    BuildAction.CANCEL: operations.cancel_build,
}

_log = telemetry.logger("admin")

Handler = Callable[[Request], Awaitable[Response]]


class AdminApi:
    """Does what operators ask for, and says what was done."""

    def __init__(self, settings: Settings, doorkeeper: Doorkeeper) -> None:
        self._settings = settings
        self._doorkeeper = doorkeeper
        self.ranks = RankAdmin(settings, self._services)
        self._lasting = Lasting()

    async def close(self) -> None:
        """Give up what is still being done."""
        await self._lasting.close()
        await self.ranks.close()

    def guarded(self, handler: Callable[[Request, Key], Awaitable[Response]]) -> Handler:
        """A handler that is reached with a key of scope `admin` alone, and tells refusals apart."""

        async def guarded(request: Request) -> Response:
            if self._settings.admin_api != "on":
                raise HTTPException(404)
            key = await self._doorkeeper.require(request, Scope.ADMIN)
            try:
                return await handler(request, key)
            except DiscoError as error:
                raise problems.refusal(error) from error

        return guarded

    async def generations(self, _request: Request, _key: Key) -> Response:
        """`GET /v1/admin/generations`."""
        found = await operations.list_generations(self._settings)
        return answer({"generations": [operations.document_of(one) for one in found]})

    async def history(self, request: Request, _key: Key) -> Response:
        """`GET /v1/admin/history`."""
        subject = request.query_params.get("subject")
        text = request.query_params.get("limit", "50")
        limit = whole_number("limit", text, most=_MOST_OPERATIONS)
        area = request.query_params.get("area", _AREAS[0])
        if area not in _AREAS:
            raise QueryError(
                Code.INVALID_VALUE,
                f"'area' must be one of {', '.join(_AREAS)}.",
                parameter="area",
                allowed=_AREAS,
            )
        found = await operations.history(self._settings, subject=subject, limit=limit, area=area)
        return answer({"operations": found})

    async def builds(self, _request: Request, key: Key) -> Response:
        """`GET /v1/admin/builds`."""
        async with self._services(key) as services:
            return answer({"builds": await operations.list_builds(services)})

    async def build(self, request: Request, key: Key) -> Response:
        """`POST /v1/admin/builds/{action}`: pause, resume or cancel one."""
        name = request.path_params["action"]
        if name not in _BUILD_ACTIONS:
            raise HTTPException(404)
        action = BuildAction(name)
        body = await admin_bodies.read(request, BuildBody)
        self._check_entity(body.entity)
        async with self._services(key) as services:
            if body.dry_run:
                plan = await operations.plan_build(services, body.entity, action)
                return answer({"plan": plan, "dry_run": True})
            return answer({"build": await _BUILD_ACTIONS[action](services, body.entity)})

    async def check(self, request: Request, _key: Key) -> Response:
        """`POST /v1/admin/check`."""
        body = await admin_bodies.read(request, CheckBody)
        verdicts = await operations.check(self._settings, body.entities)
        definitions = [
            {
                **dataclasses.asdict(one),
                "holds": one.holds,
                "problems": [
                    {"file": problem.file.name, "what": problem.what, "remedy": problem.remedy}
                    for problem in one.problems
                ],
            }
            for one in verdicts
        ]
        return answer({"holds": all(one.holds for one in verdicts), "definitions": definitions})

    async def reindex(self, request: Request, key: Key) -> Response:
        """`POST /v1/admin/reindex`: begins a build and leaves it to the workers.

        When it is complete its gates are asked, and it is promoted if that was asked for.
        """
        body = await admin_bodies.read(request, ReindexBody)
        self._check_entity(body.entity)
        async with self._services(key) as services:
            if body.dry_run:
                plan = await operations.plan_build(services, body.entity)
                planned = dataclasses.asdict(plan) | {"promote": body.promote}
                return answer({"plan": planned, "dry_run": True})
            begun = await operations.start_build(services, body.entity)
        self._lasting.begin(self._see_to_its_end(key, begun, promoting=body.promote))
        return answer({"build": begun}, status=202, headers={"Location": BUILDS_PATH})

    async def apply(self, request: Request, key: Key) -> Response:
        """`POST /v1/admin/apply`: what needs no reindex; a copy is left to workers, as a build."""
        body = await admin_bodies.read(request, ApplyBody)
        self._check_entity(body.entity)
        async with self._services(key) as services:
            if body.dry_run:
                [changes], build = await operations.plan_changes(services, [body.entity]), None
            else:
                done = await operations.apply_changes(services, body.entity)
                changes, build = done.changes, done.build
        if build is not None:
            self._lasting.begin(self._see_to_its_end(key, build, promoting=body.promote))
        told = operations.changes_document(changes)
        location = {"Location": BUILDS_PATH} if build else None
        return answer({**told, "build": build, "dry_run": body.dry_run}, headers=location)

    async def gates(self, request: Request, key: Key) -> Response:
        """`POST /v1/admin/gates`: asks all gates about an index."""
        body = await admin_bodies.read(request, GatesBody)

        async def ask() -> operations.Examination:
            async with self._services(key) as services:
                return await operations.examine(services, body.index, dry_run=body.dry_run)

        if (found := await self._lasting.within(_GATES_SECONDS, ask())) is None:
            return _goes_on(body.index)
        told = operations.examination_document(found)
        return answer({"index": body.index, **told, "dry_run": body.dry_run})

    async def last_gates(self, request: Request, key: Key) -> Response:
        """`GET /v1/admin/gates/{index}`: what they said when they were asked last."""
        index = request.path_params["index"]
        async with self._services(key) as services:
            found = await operations.last_examination(services, index)
        told = {"holds": None} if found is None else operations.examination_document(found)
        return answer({"index": index, **told})

    async def diff(self, request: Request, key: Key) -> Response:
        """`POST /v1/admin/diff`: how the answers of two indices differ, query by query."""
        body = await admin_bodies.read(request, DiffBody)
        async with self._services(key) as services:
            queries = operations.diff(services, body.before, body.after, body.queries)
            found = [one async for one in queries]
        mean = sum(one.overlap for one in found) / len(found) if found else 1.0
        return answer({"queries": found, "overlap": round(mean, 4)})

    async def promote(self, request: Request, key: Key) -> Response:
        """`POST /v1/admin/promote`."""
        body = await admin_bodies.read(request, PromoteBody)

        async def promote() -> operations.Exchange:
            async with self._services(key) as services:
                return await operations.promote(
                    services, body.index, dry_run=body.dry_run, override=body.override
                )

        if (exchange := await self._lasting.within(_GATES_SECONDS, promote())) is None:
            return _goes_on(body.index)
        return _exchanged(exchange, dry_run=body.dry_run)

    async def rollback(self, request: Request, key: Key) -> Response:
        """`POST /v1/admin/rollback`."""
        body = await admin_bodies.read(request, RollbackBody)
        self._check_entity(body.entity)
        async with self._services(key) as services:
            exchange = await operations.rollback(services, body.entity, dry_run=body.dry_run)
        return _exchanged(exchange, dry_run=body.dry_run)

    async def retire(self, request: Request, key: Key) -> Response:
        """`POST /v1/admin/retire`."""
        body = await admin_bodies.read(request, RetireBody)
        async with self._services(key) as services:
            retired = await operations.retire(services, body.index, dry_run=body.dry_run)
        return answer({"retired": operations.document_of(retired), "dry_run": body.dry_run})

    async def _see_to_its_end(
        self, key: Key, begun: operations.Progress, *, promoting: bool
    ) -> None:
        """Follow a build; if this process ends before, it ends as ready, and waits for others."""
        async with self._services(key) as services:
            states = operations.follow_build(
                services, begun.entity, begun.index, promoting=promoting, assisting=False
            )
            try:
                async for _ in states:
                    pass
            except DiscoError as error:
                # The operation log and the build's record have it, too.
                _log.warning("build_not_live", index=begun.index, reason=str(error))

    def _check_entity(self, entity: str) -> None:
        """Raise `UnknownEntityError` for what is no entity type."""
        operations.definitions_of(self._settings, [entity])

    @asynccontextmanager
    async def _services(self, key: Key) -> AsyncIterator[Services]:
        """The indexer's services, on the account of a key."""
        actor = Actor(name=f"{key.name} (key {key.id})", via="http")
        async with operations.open_indexer(self._settings, prober=GateProber) as services:
            yield dataclasses.replace(services, actor=actor)


def _goes_on(index: str) -> Response:
    """The gates of an index are still being asked."""
    location = {"Location": f"{GATES_PATH}/{index}"}
    return answer({"index": index, "under_way": True}, status=202, headers=location)


def _exchanged(exchange: operations.Exchange, *, dry_run: bool) -> Response:
    before = exchange.before
    return answer(
        {
            "before": operations.document_of(before) if before else None,
            "after": operations.document_of(exchange.after),
            "outdated": [one.index for one in exchange.outdated],
            "changed": exchange.changes_anything and not dry_run,
            "dry_run": dry_run,
        }
    )
