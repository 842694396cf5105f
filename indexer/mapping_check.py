"""What can be wrong with a mapping: what we ask of it, and what the engine says about it.

The engine is asked with a real index, under a name that nothing else uses, which is deleted in all
cases. Its simulate calls would leave less behind after a crash, but take no document.
"""

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from elasticsearch import ApiError, AsyncElasticsearch, BadRequestError

from core.definitions import Definition
from core.settings import Settings
from indexer.generations import index_body
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
    return await _refusal(engine, definition, settings, mappings={"dynamic": "strict"})


async def check_on_engine(
    engine: AsyncElasticsearch, definition: Definition, settings: Settings
) -> list[Finding]:
    """What the engine has against the mapping."""
    return await _refusal(engine, definition, settings)


async def check_documents(
    engine: AsyncElasticsearch,
    definition: Definition,
    settings: Settings,
    documents: Sequence[bytes],
) -> list[Finding]:
    """What the engine has against real documents, each reason once."""
    async with _throwaway(engine, definition, settings) as index:
        body = b"".join(b'{"index":{}}\n' + document + b"\n" for document in documents)
        # Ready-made bytes pass through the client untouched; its types know only objects.
        answer = await engine.bulk(index=index, operations=body)  # type: ignore[arg-type]
    reasons = {_reason(item["index"]["error"]) for item in answer["items"] if _failed(item)}
    remedy = "make the column and the field agree"
    return [Finding(f"the engine refuses a document: {one}", remedy) for one in sorted(reasons)]


async def _refusal(
    engine: AsyncElasticsearch,
    definition: Definition,
    settings: Settings,
    **replaced: Mapping[str, Any],
) -> list[Finding]:
    try:
        async with _throwaway(engine, definition, settings, **replaced):
            return []
    except BadRequestError as error:
        detail = error.body.get("error", {}) if isinstance(error.body, dict) else {}
        return [Finding(f"the engine refuses it: {_reason(detail)}", "correct it")]


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
    body = index_body(definition, settings) | replaced
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


def _failed(item: Mapping[str, Any]) -> bool:
    return "error" in item["index"]


def _reason(error: Any) -> str:
    """The innermost reasons: the outer ones only say that something is wrong."""
    if not isinstance(error, dict):
        return str(error)
    cause = error.get("caused_by")
    own = str(error.get("reason", "")).split(". Preview of field's value")[0]
    return f"{own}: {_reason(cause)}" if isinstance(cause, dict) else own
