"""Judgments over HTTP: `/v1/judgments…`, for keys with the scope `feedback:write`."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from access.operations import Key, Scope
from core.errors import DiscoError
from evaluation import judgment_operations as operations
from evaluation.judgment_operations import Entity, Judgment, JudgmentStore, Query
from query_api import admin_bodies, problems
from query_api.admin_answers import answer
from query_api.database import Database
from query_api.doorkeeper import Doorkeeper

Handler = Callable[[Request], Awaitable[Response]]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class GivenGrade(_Part):
    """What a rater says of one entity as an answer to one query."""

    query: Annotated[
        str | None,
        Field(max_length=512, description="What was typed; it is added to the set if it is new."),
    ] = None
    query_id: Annotated[
        str | None, Field(max_length=200, description="Or the id of a query of the set.")
    ] = None
    type: Annotated[str, Field(max_length=64, description="Entity type.", examples=["sound"])]
    id: Annotated[str, Field(max_length=512, description="Id within its type.", examples=["42"])]
    grade: Annotated[
        int | None,
        Field(ge=-10_000, le=10_000, description="0: of no use; null: what was said is withdrawn."),
    ]

    @model_validator(mode="after")
    def _names_one_query(self) -> Self:
        if (self.query is None) == (self.query_id is None):
            raise ValueError("give either 'query' or 'query_id'")
        return self


class JudgmentsBody(_Part):
    """Grades to put into a set, all or none of them."""

    rater: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=90,
            description="Who judges, where several people share a key. Without it, the key.",
        ),
    ] = None
    judgments: Annotated[list[GivenGrade], Field(min_length=1, max_length=500)]


class JudgmentsApi:
    """Tells what raters said, and takes what they say."""

    def __init__(self, database: Database, doorkeeper: Doorkeeper) -> None:
        self._database = database
        self._doorkeeper = doorkeeper

    def guarded(self, handler: Callable[[Request, Key], Awaitable[Response]]) -> Handler:
        """A handler that is reached with a key of scope `feedback:write` alone."""

        async def guarded(request: Request) -> Response:
            key = await self._doorkeeper.require(request, Scope.FEEDBACK_WRITE)
            try:
                return await handler(request, key)
            except DiscoError as error:
                raise problems.refusal(error) from error

        return guarded

    async def sets(self, _request: Request, _key: Key) -> Response:
        """`GET /v1/judgments`."""
        return answer({"sets": await (await self._store()).sets()})

    async def show(self, request: Request, _key: Key) -> Response:
        """`GET /v1/judgments/{set}`: its queries, who judged how much, and how far they agree."""
        judged = await (await self._store()).read(request.path_params["set"])
        return answer(dict(operations.summary(judged)))

    async def query(self, request: Request, _key: Key) -> Response:
        """`GET /v1/judgments/{set}/{query}`: the judgments of a query."""
        query = request.path_params["query"]
        judged = await (await self._store()).read(request.path_params["set"], query=query)
        judgments = [
            {
                "type": one.entity.type,
                "id": one.entity.id,
                "rater": one.rater,
                "grade": one.grade,
                "judged_at": one.judged_at,
            }
            for one in judged.judgments
        ]
        text = judged.texts.get(query)
        if text is None:
            raise operations.JudgmentError(f"the set has no query with the id {query[:80]!r}")
        return answer(
            {"set": judged.name, "query_id": query, "query": text, "judgments": judgments}
        )

    async def judge(self, request: Request, key: Key) -> Response:
        """`POST /v1/judgments/{set}`: puts in what a rater says."""
        body = await admin_bodies.read(request, JudgmentsBody)
        name = request.path_params["set"]
        store = await self._store()
        judged = await store.read(name, query="")
        rater = key.name if body.rater is None else f"{key.name}:{body.rater}"
        by_text = {text: query for query, text in judged.texts.items()}
        new: dict[str, Query] = {}
        given: list[Judgment] = []
        withdrawn: list[tuple[str, Entity, str]] = []
        for one in body.judgments:
            query = one.query_id
            if query is None:
                typed = Query.of(one.query or "")
                query = by_text.get(typed.text) or new.setdefault(typed.id, typed).id
            entity = Entity.parse(f"{one.type}:{one.id}")
            if one.grade is None:
                withdrawn.append((query, entity, rater))
            else:
                given.append(Judgment(query=query, entity=entity, rater=rater, grade=one.grade))
        _check_each_once([(one.query, one.entity) for one in given])
        await store.add(name, judged.scale, new.values(), given, withdrawn)
        return answer(
            {"set": name, "rater": rater, "judged": len(given), "withdrawn": len(withdrawn)}
        )

    async def _store(self) -> JudgmentStore:
        return JudgmentStore(await self._database.primary())


def _check_each_once(judged: list[tuple[str, Entity]]) -> None:
    seen: set[tuple[str, Entity]] = set()
    for query, entity in judged:
        if (query, entity) in seen:
            raise operations.JudgmentError(
                f"{entity.build()} is judged twice for the query {query!r}; give one grade"
            )
        seen.add((query, entity))
