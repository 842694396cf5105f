"""What can be wrong with a mapping: what we ask of it, and what the engine says about it.

The engine is asked with a real index, under a name that nothing else uses, which is deleted in all
cases. Its simulate calls would leave less behind after a crash, but take no document.
"""

import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from elasticsearch import ApiError, AsyncElasticsearch, BadRequestError

from core.definitions import Definition
from core.settings import Settings
from indexer.generation import index_body
from indexer.profile_check import Finding, mapped_fields

# Types that the pipeline and the query API rely on.
COMMON_TYPES: Mapping[str, str] = {
    "type": "keyword",
    "id": "long",
    "digest": "long",
    "title": "text",
    "subtitle": "text",
    "permalink": "keyword",
    "created_at": "date",
    "updated_at": "date",
}
_OF_ONE_DOCUMENT = re.compile(r"^\[\d+:\d+\] | in document with id '.*", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class EngineView:
    """What the engine says about a definition."""

    mapping: tuple[Finding, ...] = ()  # against the mapping
    documents: tuple[Finding, ...] = ()  # against documents, each reason once
    taken: int = 0  # documents that it took


def check_mapping(definition: Definition) -> Iterator[Finding]:
    """What breaks our own rules in the mapping."""
    fields = mapped_fields(definition.mappings)
    for name, wanted in COMMON_TYPES.items():
        found = fields.get(name, {}).get("type")
        if found != wanted:
            yield Finding(f"field {name!r} is {found}", f"every entity type has it as {wanted}")
    for name, field in fields.items():
        if "properties" in field or field.get("type") in ("object", "nested"):
            yield Finding(f"field {name!r} is an object", "documents are flat: name its parts")


async def check_analysis(
    engine: AsyncElasticsearch, definition: Definition, settings: Settings
) -> list[Finding]:
    """What the engine has against the shared analysis."""
    try:
        async with _throwaway(engine, definition, settings, mappings={"dynamic": "strict"}):
            return []
    except BadRequestError as error:
        return [_refusal(error)]


async def check_on_engine(
    engine: AsyncElasticsearch,
    definition: Definition,
    settings: Settings,
    documents: Sequence[bytes],
) -> EngineView:
    """What the engine has against the mapping, and against documents made of real rows."""
    try:
        async with _throwaway(engine, definition, settings) as index:
            if not documents:
                return EngineView()
            body = b"".join(b'{"index":{}}\n' + document + b"\n" for document in documents)
            # Ready-made bytes pass through the client untouched; its types know only objects.
            answer = await engine.bulk(index=index, operations=body)  # type: ignore[arg-type]
    except BadRequestError as error:
        return EngineView(mapping=(_refusal(error),))
    refused = [item["index"]["error"] for item in answer["items"] if "error" in item["index"]]
    # One example of each: the innermost reason quotes the value, which is another each time.
    examples = {_own_reason(error): _reason(error) for error in reversed(refused)}
    remedy = "make the column and the field agree"
    return EngineView(
        taken=len(documents) - len(refused),
        documents=tuple(
            Finding(f"the engine refuses a document: {reason}", remedy)
            for _, reason in sorted(examples.items())
        ),
    )


@asynccontextmanager
async def _throwaway(
    engine: AsyncElasticsearch,
    definition: Definition,
    settings: Settings,
    **replaced: Mapping[str, Any],
) -> AsyncIterator[str]:
    """An index that is deleted in all cases. Its name is no generation's and takes no writes.

    It is made as a generation is, but for the parts of the body that are `replaced`.
    """
    index = f"{settings.index_prefix}-check.{definition.entity}.{secrets.token_hex(6)}"
    body = index_body(definition, settings, index) | replaced
    # A node that can hold no more shards must not keep the check waiting for one.
    body["settings"] = body["settings"] | {"number_of_replicas": 0}
    try:
        await engine.indices.create(index=index, **body)
        yield index
    finally:
        await _delete(engine, index)


async def _delete(engine: AsyncElasticsearch, index: str) -> None:
    try:
        await engine.indices.delete(index=index, ignore_unavailable=True)
    except ApiError as error:
        if error.meta.status != 404:
            raise


def _refusal(error: BadRequestError) -> Finding:
    detail = error.body.get("error") if isinstance(error.body, dict) else None
    return Finding(f"the engine refuses it: {_reason(detail or error)}", "correct it")


def _reason(error: Any) -> str:
    """All reasons from the outermost in: the first ones only say that something is wrong."""
    cause = error.get("caused_by") if isinstance(error, dict) else None
    own = _own_reason(error)
    return f"{own}: {_reason(cause)}" if isinstance(cause, dict) else own


def _own_reason(error: Any) -> str:
    """Without what differs from document to document."""
    reason = str(error.get("reason", "") if isinstance(error, dict) else error)
    return _OF_ONE_DOCUMENT.sub("", reason)
