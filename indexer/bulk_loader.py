"""The loader: sends ready-made bulk bodies, as many at a time as the pace says.

One loader serves a whole worker, so that all ranges together keep to one pace. Every item of every
answer is read, and ends in exactly one outcome.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from elasticsearch import ApiError, AsyncElasticsearch

from indexer.bulk_gate import Gate
from indexer.bulk_lines import Body
from indexer.bulk_pace import Pace
from indexer.changes import Answer, Outcome
from indexer.errors import (
    ScanRejectedError,
    TemporarilyUnavailableError,
    engine_within_reach,
)
from indexer.metrics import BULK_BODY_BYTES, BULK_IN_FLIGHT, BULK_SECONDS, WRITES
from indexer.writer import ANSWER_PATHS, answer_of

_FIRST_BACKOFF = 0.2
_LONGEST_BACKOFF = 5.0
# A body is sent again for so long. Then its rows are read anew: they may have become old.
_LONGEST_INSISTENCE = 60.0
_TOO_LARGE = 413
_INDEXED = Answer(Outcome.INDEXED, "", 0)
_CONFLICT = Answer(Outcome.CONFLICT, "", 0)
_VERSION_CONFLICT = "version_conflict_engine_exception"
_GLANCE_PATHS = ("errors", "items.*.error.type")
_YIELD_INTERVAL = 0.02
_LONGEST_YIELD = 2.0


class Loader:
    """Loads bodies into indices."""

    def __init__(
        self,
        engine: AsyncElasticsearch,
        pace: Pace,
        *,
        gives_way: Callable[[], bool] = lambda: False,
    ) -> None:
        """`gives_way` tells whether more urgent work waits: then bodies come seldom."""
        self._engine = engine
        self._pace = pace
        self._gives_way = gives_way
        self._gate = Gate(lambda: pace.in_flight)

    @property
    def body_bytes(self) -> int:
        """How large the next body should be."""
        return self._pace.body_bytes

    async def admit(self) -> None:
        """Wait for one's turn to `load` a body. Whoever was admitted must `release`."""
        deadline = time.monotonic() + _LONGEST_YIELD
        while self._gives_way() and time.monotonic() < deadline:  # noqa: ASYNC110 - nobody signals it
            await asyncio.sleep(_YIELD_INTERVAL)
        await self._gate.enter()
        BULK_IN_FLIGHT.set(self._gate.inside)

    def release(self) -> None:
        """Give one's turn to the next."""
        self._gate.leave()
        BULK_IN_FLIGHT.set(self._gate.inside)

    async def load(self, index: str, body: Body) -> Counter[str]:
        """Send an admitted body until every item of it has an outcome; the outcomes.

        Raises `ScanRejectedError` at a document that the engine refuses for good, and
        `TemporarilyUnavailableError` when the engine had no room for long, or the index is gone.
        """
        answers = await self._insist(index, body)
        outcomes: Counter[str] = Counter(answer.outcome for answer in answers)
        for outcome, count in outcomes.items():
            WRITES.labels(outcome).inc(count)
        if outcomes[Outcome.REJECTED]:
            raise ScanRejectedError(_poison(body, answers))
        return outcomes

    async def _insist(self, index: str, body: Body) -> Sequence[Answer]:
        """Send a body again while the engine has no room; what it took before stays taken.

        That is safe for a minute: the writes are own (ADR 0001), and refused where something newer
        is there.
        """
        deadline, backoff = time.monotonic() + _LONGEST_INSISTENCE, _FIRST_BACKOFF
        answers: Sequence[Answer] = ()
        while True:
            answers = _merge(answers, await self._attempt(index, body))
            refused = [one for one in answers if one.outcome is Outcome.UNAVAILABLE]
            if not refused:
                return answers
            WRITES.labels(Outcome.UNAVAILABLE).inc(len(refused))
            if time.monotonic() > deadline or "index_not_found" in refused[0].reason:
                raise TemporarilyUnavailableError("Elasticsearch", refused[0].reason)
            await asyncio.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            backoff = min(backoff * 2, _LONGEST_BACKOFF)

    async def _attempt(self, index: str, body: Body) -> Sequence[Answer]:
        try:
            return await self._send(index, body)
        except TemporarilyUnavailableError as error:
            if isinstance(error.__cause__, ApiError):  # an engine that is away tells no pace
                self._pace.refused(time.monotonic())
            return [Answer(Outcome.UNAVAILABLE, str(error), 0)] * body.documents
        except ApiError as error:
            raise ScanRejectedError(_explained(error)) from error

    async def _send(self, index: str, body: Body) -> Sequence[Answer]:
        answers = await self._glance(index, body)
        if answers is None:
            response = await self._bulk(index, body, ANSWER_PATHS)
            answers = [answer_of(*item) for entry in response["items"] for item in entry.items()]
        self._note(len(body.content), answers)
        return answers

    async def _glance(self, index: str, body: Body) -> Sequence[Answer] | None:
        """The answers, not in order, if all were taken or met something newer; else None.

        An answer that tells of each item costs more to read than the body to send. Sent again,
        what was taken is a conflict.
        """
        response = await self._bulk(index, body, _GLANCE_PATHS)
        if not response["errors"]:
            return [_INDEXED] * body.documents
        kinds = {item["error"]["type"] for entry in response["items"] for item in entry.values()}
        if kinds != {_VERSION_CONFLICT}:
            return None
        conflicts = len(response["items"])
        return [_INDEXED] * (body.documents - conflicts) + [_CONFLICT] * conflicts

    async def _bulk(self, index: str, body: Body, paths: Sequence[str]) -> Any:
        with BULK_SECONDS.time(), engine_within_reach():
            return await self._engine.bulk(
                index=index,
                operations=body.content,  # type: ignore[arg-type]
                filter_path=paths,
            )

    def _note(self, size: int, answers: Sequence[Answer]) -> None:
        BULK_BODY_BYTES.set(size)
        now = time.monotonic()
        if any(answer.outcome is Outcome.UNAVAILABLE for answer in answers):
            self._pace.refused(now)
        else:
            self._pace.taken(size, now, is_waited_for=self._gate.is_waited_for)


def _merge(before: Sequence[Answer], now: Sequence[Answer]) -> Sequence[Answer]:
    """The first answer to each item that was one, not a request to come again."""
    if not before:
        return now
    return [
        later if earlier.outcome is Outcome.UNAVAILABLE else earlier
        for earlier, later in zip(before, now, strict=True)
    ]


def _poison(body: Body, answers: Sequence[Answer]) -> str:
    """What is said of the first document of a body that the engine refuses."""
    number, answer = next(
        (number, one) for number, one in enumerate(answers) if one.outcome is Outcome.REJECTED
    )
    action = orjson.loads(body.content.split(b"\n")[2 * number])
    return f"the engine refuses the document with id {action['index']['_id']}: {answer.reason}"


def _explained(error: ApiError) -> str:
    if error.meta.status == _TOO_LARGE:
        return "a document is larger than the engine takes in one request (http.max_content_length)"
    return f"the engine refuses a bulk request: {error}; has every row its id and updated_at?"
