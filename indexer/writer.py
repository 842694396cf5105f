"""The writer: full documents with external versions, every item of every answer read."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from elasticsearch import ApiError, AsyncElasticsearch

from core.engine import UNAVAILABLE_STATUSES
from indexer.changes import Answer, Key, Outcome, Stored, Write, worst
from indexer.errors import (
    TemporarilyUnavailableError,
    engine_within_reach,
)
from indexer.metrics import BULK_SECONDS, WRITES

ANSWER_PATHS = ("errors", "items.*.status", "items.*.error.type", "items.*.error.reason",
                 "items.*.error.caused_by.reason")  # fmt: skip
_READ_PATHS = ("docs._id", "docs._version", "docs.found", "docs._source.digest", "docs.error.type")
_CURRENT_VERSION = re.compile(r"current version \[(\d+)\]")
_TOO_LARGE = 413
_INDEXED = Answer(Outcome.INDEXED, "", 0)
_DELETED = Answer(Outcome.DELETED, "", 0)
_ABSENT = Answer(Outcome.ABSENT, "", 0)
# One bulk body; the engine refuses more than 100 MB.
_LARGEST_BODY = 20_000_000
_ACTION_BYTES = 200  # of a write's first line, at most


Item = tuple[str, Mapping[str, Any]]  # operation, and the engine's answer to it


class EngineStore:
    """Writes to, and reads back from, the given indices of each entity type."""

    def __init__(self, engine: AsyncElasticsearch, indices: Mapping[str, Sequence[str]]) -> None:
        self._engine = engine
        self._indices = indices

    async def write(self, writes: Sequence[Write]) -> list[Answer]:
        """Answers in the order of the writes, the worst of all generations each.

        Raises `TemporarilyUnavailableError` when the engine did not answer: what it did with the
        request is not known, and the writes must be planned again from a new hydration.
        """
        plan = [
            (number, name) for number, write in enumerate(writes) for name in self._names(write.key)
        ]
        answers: list[list[Answer]] = [[] for _ in writes]
        for chunk in _chunks(plan, writes):
            body = b"".join(_action(writes[number], name) for number, name in chunk)
            items = await self._send(body, len(chunk))
            for (number, _), item in zip(chunk, items, strict=True):
                answers[number].append(answer_of(*item))
        self._count(answers)
        return [worst(given) for given in answers]

    async def read(self, keys: Sequence[Key]) -> dict[Key, list[Stored]]:
        """What each generation holds of the keys, whether searchable already or not."""
        stored: dict[Key, list[Stored]] = {key: [] for key in keys}
        for entity in {entity for entity, _ in keys}:
            ids = [str(entity_id) for key_entity, entity_id in keys if key_entity == entity]
            for name in self._indices.get(entity, ()):
                for doc in await self._get(name, ids):
                    stored[entity, int(doc["_id"])].append(_stored(doc))
        return stored

    def _names(self, key: Key) -> Sequence[str]:
        return self._indices.get(key[0], ())

    async def _send(self, body: bytes, count: int) -> list[Item]:
        try:
            with BULK_SECONDS.time(), engine_within_reach():
                # Ready-made bytes pass through the client untouched; its types know only objects.
                response = await self._engine.bulk(
                    operations=body,  # type: ignore[arg-type]
                    filter_path=ANSWER_PATHS,
                )
        except ApiError as error:
            if count == 1:
                return [_refused(error)]
            raise
        return [next(iter(item.items())) for item in response["items"]]

    async def _get(self, name: str, ids: list[str]) -> list[dict[str, Any]]:
        with engine_within_reach():
            response = await self._engine.mget(
                index=name, ids=ids, source_includes=["digest"], filter_path=_READ_PATHS
            )
        docs: list[dict[str, Any]] = response["docs"]
        if failed := next((doc["error"] for doc in docs if "error" in doc), None):
            raise TemporarilyUnavailableError("Elasticsearch", f"{name}: {failed}")
        return docs

    def _count(self, answers: list[list[Answer]]) -> None:
        counts: dict[Outcome, int] = {}
        for given in answers:
            for answer in given:
                counts[answer.outcome] = counts.get(answer.outcome, 0) + 1
        for outcome, count in counts.items():
            WRITES.labels(outcome).inc(count)


def _action(write: Write, index: str) -> bytes:
    """The lines of one write in a bulk body."""
    head = (
        f'"_index":"{index}","_id":"{write.key[1]}",'
        f'"version":{write.version},"version_type":"external"'
    )
    if write.row is None:
        return f'{{"delete":{{{head}}}}}\n'.encode()
    return b"".join((f'{{"index":{{{head}}}}}\n'.encode(), write.row.document, b"\n"))


def _chunks(
    plan: Sequence[tuple[int, str]], writes: Sequence[Write]
) -> list[list[tuple[int, str]]]:
    """Split the plan so that no body is near the engine's limit."""
    chunks: list[list[tuple[int, str]]] = [[]]
    size = 0
    for number, name in plan:
        row = writes[number].row
        own = _ACTION_BYTES + (len(row.document) if row else 0)
        if size + own > _LARGEST_BODY and chunks[-1]:
            chunks.append([])
            size = 0
        chunks[-1].append((number, name))
        size += own
    # An empty body is an error to the engine: what no generation takes is not sent at all.
    return [chunk for chunk in chunks if chunk]


def answer_of(operation: str, item: Mapping[str, Any]) -> Answer:
    """What an item of a bulk answer says."""
    status, error = item["status"], item.get("error")
    if error is None:
        return _INDEXED if operation == "index" else _ABSENT if status == 404 else _DELETED
    reason = f"{error.get('type')}: {error.get('reason')}"
    if cause := error.get("caused_by", {}).get("reason"):
        reason = f"{reason}: {cause}"
    if status == 409:
        told = _CURRENT_VERSION.search(reason)
        return Answer(Outcome.CONFLICT, reason, int(told[1]) if told else 0)
    return Answer(_failure(status, str(error.get("type"))), reason, 0)


def _failure(status: int, kind: str) -> Outcome:
    # A missing index or a block is a matter of the index, not of the document.
    if status in UNAVAILABLE_STATUSES or kind in {
        "index_not_found_exception",
        "cluster_block_exception",
        "index_closed_exception",
    }:
        return Outcome.UNAVAILABLE
    return Outcome.REJECTED


def _stored(doc: Mapping[str, Any]) -> Stored:
    if not doc.get("found"):
        return Stored(0, None)
    return Stored(doc["_version"], doc.get("_source", {}).get("digest", 0))


def _refused(error: ApiError) -> Item:
    reason = orjson.dumps(error.body).decode() if error.body else str(error)
    kind = "request_too_large" if error.meta.status == _TOO_LARGE else "request_refused"
    return "index", {"status": 400, "error": {"type": kind, "reason": reason[:500]}}
