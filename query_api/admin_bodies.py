"""Bodies: what operators send to `/v1/admin/`. The models that validate them describe them, too."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from query_api.problems import Code, QueryError

LARGEST: int = 65_536  # bytes
_JSON = "application/json"

Entity = Annotated[str, Field(max_length=64, description="Entity type.", examples=["sound"])]
Index = Annotated[str, Field(max_length=255, description="Name of an index.")]
Edition = Annotated[str, Field(max_length=64, description="Name of a rank edition.")]
Override = Annotated[
    str | None,
    Field(
        min_length=1, max_length=1000, description="Why it is done despite what speaks against it."
    ),
]
DryRun = Annotated[bool, Field(description="Say what would be done, and do nothing.")]
Promote = Annotated[
    bool, Field(description="Make what is built live once it is complete and its gates hold.")
]

B = TypeVar("B", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CheckBody(_Body):
    """Which definitions to check."""

    entities: Annotated[
        list[Entity], Field(max_length=100, description="Entity types; none: all of them.")
    ] = []


class ReindexBody(_Body):
    """Of what to build an index."""

    entity: Entity
    promote: Promote = False
    dry_run: DryRun = False


class ApplyBody(_Body):
    """Of which definition to apply what has changed."""

    entity: Entity
    promote: Promote = False
    dry_run: DryRun = False


class BuildBody(_Body):
    """Which build is meant: that of an entity type."""

    entity: Entity
    dry_run: DryRun = False


class GatesBody(_Body):
    """Which index to ask the gates about."""

    index: Index
    dry_run: Annotated[
        bool, Field(description="Ask them, and note nothing: the index stays as it is.")
    ] = False


class DiffBody(_Body):
    """Which indices to compare, by which queries."""

    before: Index
    after: Index
    queries: Annotated[
        list[Annotated[str, Field(max_length=512)]],
        Field(max_length=200, description="Queries; none: words of titles that there are."),
    ] = []


class PromoteBody(_Body):
    """What to make live."""

    index: Index
    override: Override = None
    dry_run: DryRun = False


class RollbackBody(_Body):
    """Of what to make that live again which was live last."""

    entity: Entity
    dry_run: DryRun = False


class RetireBody(_Body):
    """What to delete."""

    index: Index
    dry_run: DryRun = False


class RanksDiffBody(_Body):
    """Which rank editions to compare."""

    former: Edition
    later: Edition


class PublishRanksBody(_Body):
    """Which rank edition searches shall use."""

    edition: Annotated[
        str, Field(max_length=64, description="Name of a rank edition, or `newest`.")
    ] = "newest"
    override: Override = None
    dry_run: DryRun = False


class RollBackRanksBody(_Body):
    """How to have searches use the edition in the other slot."""

    override: Override = None
    dry_run: DryRun = False


async def read(request: Request, model: type[B]) -> B:
    """The body of a request; raises `QueryError` for the first thing that is wrong with it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise QueryError(Code.UNSUPPORTED_MEDIA_TYPE, f"Send the body as {_JSON}.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise QueryError(Code.BODY_TOO_LARGE, f"The body has more than {LARGEST} bytes.")
    try:
        return model.model_validate_json(bytes(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise QueryError(
            Code.INVALID_VALUE,
            f"{where or 'The body'}: {first['msg']}",
            parameter=where[:100] or None,
            allowed=tuple(model.model_fields) if first["type"] == "extra_forbidden" else (),
        ) from None
