"""The page on which people judge: `/judge`. Complete without JavaScript.

Who judges is the key of the page session, which has the scope `feedback:write`.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from access.operations import Key
from core.errors import DiscoError
from evaluation.judgment_operations import (
    Entity,
    Judged,
    Judgment,
    JudgmentError,
    JudgmentStore,
    Query,
    Scale,
    agreement,
)
from query_api import facts, forms, parameters, problems
from query_api.blind_merge import Hit, merged
from query_api.database import Database
from query_api.page_templates import PageTemplates
from query_api.problems import Code, QueryError
from query_api.search import Searcher
from query_api.variants import LIVE
from query_api.widening import Step

PATH: Final = "/judge"
DEPTH: Final = 10  # hits of each ranking that are judged
_FIELD: Final = "grade."  # and an entity: what a form calls its grade
_WHOLE: Final = re.compile(r"\d{1,2}")
#: What a grade means, in words; the place is the grade.
GRADES: Final[Mapping[Scale, tuple[str, ...]]] = {
    Scale.GRADES: ("No use", "Somewhat", "Good", "Exactly"),
    Scale.THUMBS: ("Thumb down", "Thumb up"),
}


@dataclass(frozen=True, kw_only=True)
class _Choice:
    """What is judged: a set, by two variants."""

    set: str
    first: str
    second: str

    def address(self, **more: str) -> str:
        """Where it is judged, or one query of it."""
        given = {"first": self.first, "second": self.second, **more}
        return f"{PATH}/{quote(self.set)}?{urlencode(given)}"


class JudgePage:
    """Shows what is to be judged, and takes the grades."""

    def __init__(self, searcher: Searcher, templates: PageTemplates, database: Database) -> None:
        self._searcher = searcher
        self._templates = templates
        self._database = database

    async def start(self, _request: Request, key: Key) -> Response:
        """`GET /judge`: which set, by which variants?"""
        with _told():
            store = await self._store()
            done = await store.progress(key.name)
            sets = [(one, done.get(one.name, 0)) for one in await store.sets()]
        return self._render(
            "judge_start.html",
            rater=key.name,
            sets=sets,
            variants=self._searcher.variants,
            path=PATH,
        )

    async def show(self, request: Request, key: Key) -> Response:
        """`GET /judge/{set}`: the next query, with the hits of both variants, mixed."""
        choice = self._choice(request.path_params["set"], request.query_params)
        asked = request.query_params.get("query")
        with _told():
            store = await self._store()
            judged = await store.read(choice.set, rater=key.name)
            done = {one.query for one in judged.judgments}
            query = _find(judged, asked) if asked is not None else _following(judged, done, None)
            if query is None:
                return self._finished(key, choice, judged, await store.read(choice.set))
        hits = await self._hits(query, choice, seed=f"{key.name}\0{choice.set}\0{query.id}")
        return self._query(choice, judged, done, query, hits)

    async def judge(self, request: Request, key: Key) -> Response:
        """`POST /judge/{set}`: keeps the grades of a query, and goes on to the next."""
        form = await forms.read(request)
        choice = self._choice(request.path_params["set"], form)
        with _told():
            store = await self._store()
            judged = await store.read(choice.set, rater=key.name)
            query = _find(judged, form.get("query", ""))
            given, withdrawn = _said(form, query, key.name, judged.scale)
            await store.add(choice.set, judged.scale, [], given, withdrawn)
        done = {one.query for one in judged.judgments} | {query.id}
        following = _following(judged, done, query.id)
        more = {"query": following.id} if following else {}
        return RedirectResponse(choice.address(**more), status_code=303)

    def _query(
        self,
        choice: _Choice,
        judged: Judged,
        done: set[str],
        query: Query,
        hits: Sequence[Hit],
    ) -> Response:
        given = {one.entity.build(): one.grade for one in judged.judgments if one.query == query.id}
        following = _following(judged, done | {query.id}, query.id)
        return self._render(
            "judge.html",
            choice=choice,
            query=query,
            hits=[
                (hit, name := f"{hit['type']}:{hit['id']}", given.get(name), _facts(hit))
                for hit in hits
            ],
            field=_FIELD,
            grades=tuple(enumerate(GRADES[judged.scale])),
            thumbs=judged.scale is Scale.THUMBS,
            done=len(done),
            total=len(judged.queries),
            skip=choice.address(query=following.id) if following else None,
        )

    def _finished(self, key: Key, choice: _Choice, mine: Judged, everything: Judged) -> Response:
        return self._render(
            "judge_end.html",
            rater=key.name,
            choice=choice,
            judgments=len(mine.judgments),
            queries=mine.queries,
            agreement=agreement(everything.judgments),
            path=PATH,
        )

    def _render(self, name: str, **values: Any) -> Response:
        return self._templates.render(name, q="", chosen="", **values)

    def _choice(self, name: str, given: Mapping[str, str]) -> _Choice:
        known = self._searcher.variants
        chosen = [given.get(which) or LIVE for which in ("first", "second")]
        if strange := next((one for one in chosen if one not in known), None):
            raise QueryError(
                Code.INVALID_VALUE,
                f"There is no variant {strange[:64]!r}. Variants are {', '.join(known)}.",
                allowed=known,
            )
        return _Choice(set=name, first=chosen[0], second=chosen[1])

    async def _hits(self, query: Query, choice: _Choice, *, seed: str) -> Sequence[Hit]:
        variants = dict.fromkeys((choice.first, choice.second))
        profiles = await self._searcher.profiles()
        asked = [
            parameters.search_request(
                {"q": query.text, "limit": str(DEPTH), "variant": variant}, profiles
            )
            for variant in variants
        ]
        found = await asyncio.gather(*map(self._searcher.search, asked))
        # What is popular answers no query: there is nothing to judge in it.
        rankings = [one.answer["hits"] for one in found if one.answer["relaxed"] != Step.POPULAR]
        return merged(rankings, seed=seed)

    async def _store(self) -> JudgmentStore:
        return JudgmentStore(await self._database.primary())


@contextmanager
def _told() -> Iterator[None]:
    """Why judgments cannot be read or kept is a problem."""
    try:
        yield
    except DiscoError as error:
        raise problems.refusal(error) from error


def _find(judged: Judged, query_id: str) -> Query:
    found = next((one for one in judged.queries if one.id == query_id), None)
    if found is None:
        raise JudgmentError(f"the set has no query with the id {query_id[:80]!r}")
    return found


def _following(judged: Judged, done: set[str], after: str | None) -> Query | None:
    """The next query that is not done, from the start again at the end; None: all are."""
    ids = [one.id for one in judged.queries]
    start = ids.index(after) + 1 if after is not None else 0
    around = (*judged.queries[start:], *judged.queries[:start])
    return next((one for one in around if one.id not in done), None)


def _said(
    form: Mapping[str, str], query: Query, rater: str, scale: Scale
) -> tuple[list[Judgment], list[tuple[str, Entity, str]]]:
    """Grades that are given, and what is withdrawn: where no opinion is chosen."""
    given: list[Judgment] = []
    withdrawn: list[tuple[str, Entity, str]] = []
    for name, value in form.items():
        if not name.startswith(_FIELD):
            continue
        entity = Entity.parse(name.removeprefix(_FIELD))
        if not value:
            withdrawn.append((query.id, entity, rater))
            continue
        if not _WHOLE.fullmatch(value) or int(value) > scale.highest:
            raise JudgmentError(f"the grade is {value[:20]!r}; give one from 0 to {scale.highest}")
        given.append(Judgment(query=query.id, entity=entity, rater=rater, grade=int(value)))
    return given, withdrawn


def _facts(hit: Hit) -> list[facts.Fact]:
    return facts.summary(hit["fields"], hit["subtitle"])
