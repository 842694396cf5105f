"""What a client may ask Explore for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from query_api import cursors
from query_api.parameters import (
    LARGEST_PAGE,
    chosen_entities,
    given_parameters,
    validated,
)
from query_api.profiles import Window
from query_api.wording import clean

LONGEST_GENRE = 256  # characters


class ExploreParameters(BaseModel):
    """The query parameters of `GET /v1/explore`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    window: Annotated[
        Window, Field(description="How far back counts: what is older has faded by then.")
    ] = "7d"
    genre: Annotated[
        str | None,
        Field(
            max_length=LONGEST_GENRE,
            description="Only what is of this genre, in whichever case. `genres` lists them.",
            examples=["Techno"],
        ),
    ] = None
    type: Annotated[
        str | None,
        Field(
            description="Entity types, separated by commas. Without it: all that Explore knows.",
            examples=["sound"],
        ),
    ] = None
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="Most hits in the answer.")] = 20
    cursor: Annotated[
        str | None,
        Field(
            max_length=cursors.LONGEST,
            description="`next` of the answer before, to get the hits that follow. All other "
            "parameters but `limit` must be the same.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ExploreRequest:
    """What to look at, every value one that can be planned."""

    entities: tuple[str, ...]  # at least one
    window: Window
    genre: str | None  # None: all of them
    limit: int  # most hits, 1 to 100
    cursor: str | None  # where to go on, still to be verified


def read_explore(query_string: bytes, entities: Sequence[str]) -> ExploreRequest:
    """What a query string asks for; `entities` are the types that Explore knows.

    Raises `QueryError` for the first thing that is wrong.
    """
    return explore_request(given_parameters(query_string, ExploreParameters), entities)


def explore_request(given: Mapping[str, str], entities: Sequence[str]) -> ExploreRequest:
    """The request of parameters by name; raises `QueryError` for the first that is wrong."""
    parameters = validated(ExploreParameters, given)
    return ExploreRequest(
        entities=chosen_entities(parameters.type, entities),
        window=parameters.window,
        genre=clean(parameters.genre or "") or None,
        limit=parameters.limit,
        cursor=parameters.cursor,
    )
