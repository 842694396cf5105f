"""Parameters: what a client may ask for.

The model that validates them is the one that the OpenAPI document is made from.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, NoReturn, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from query_api import cursors, facets, filters, sorts
from query_api.filters import Condition
from query_api.problems import Code, QueryError
from query_api.profiles import Profiles
from query_api.wording import clean, guess, quoted

LONGEST_QUERY: Final = 512  # characters
LARGEST_PAGE: Final = 100  # hits
LONGEST_VARIANT: Final = 64  # characters
LONGEST_NAME: Final = 64  # characters
LONGEST_LIST: Final = 512  # characters
MOST_WORDS: Final = 64  # that count; each is looked for in each field, so work grows with both
MOST_PARAMETERS: Final = 50
# A word, or a character of a script that writes without spaces, or a sign (an emoji is one).
_WORD: Final = re.compile(
    "[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
    "|[^\\W\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]+"
    "|[^\\w\\s]"
)


class SearchParameters(BaseModel):
    """The query parameters of `GET /v1/search`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: Annotated[
        str,
        Field(
            max_length=LONGEST_QUERY,
            description="What to look for, as a person types it: a phrase stands in quotes, a "
            "minus before a word or a phrase leaves it out, all else is text. "
            f"Only the first {MOST_WORDS} words count. Without it, everything is returned, newest "
            "first.",
            examples=["drum & bass"],
        ),
    ] = ""
    type: Annotated[
        str | None,
        Field(
            description="Entity types to search, separated by commas. Without it: all of them.",
            examples=["sound,user"],
        ),
    ] = None
    sort: Annotated[
        str | None,
        Field(
            max_length=LONGEST_NAME,
            description="Order of the hits. Without it: by relevance, or newest first without `q`. "
            "The types that are searched must all have it.",
            examples=["newest"],
        ),
    ] = None
    facets: Annotated[
        str | None,
        Field(
            max_length=LONGEST_LIST,
            description="What to count hits by, separated by commas. Each is counted under all "
            "filters but its own.",
            examples=["genre,license"],
        ),
    ] = None
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="Most hits in the answer.")] = 20
    cursor: Annotated[
        str | None,
        Field(
            max_length=cursors.LONGEST,
            description="`next` of the answer before, to get the hits that follow. All other "
            "parameters but `limit` and `facets` must be the same.",
        ),
    ] = None
    relax: Annotated[
        bool,
        Field(
            description="Whether a search that finds nothing is widened, until it finds something. "
            "The answer says how.",
        ),
    ] = True
    explain: Annotated[
        bool,
        Field(
            description="Whether hits say which signal gave them how much. It needs a key with the "
            "scope `search:read`.",
        ),
    ] = False
    variant: Annotated[
        str | None,
        Field(
            max_length=LONGEST_VARIANT,
            description="Name of the variant that shall answer, instead of the one that an "
            "experiment would choose: generation, profile and rank edition. It needs a key with "
            "the scope `search:read`.",
            examples=["live"],
        ),
    ] = None


Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """A search that can be planned: every value is one that the planner knows."""

    text: str  # what to look for; composed (NFC), no control characters, single spaces; may be ""
    entities: tuple[str, ...]  # types to search, at least one, in the order of the profiles
    limit: int  # most hits, 1 to 100
    conditions: tuple[Condition, ...] = ()  # that hits must meet; sorted by name
    sort: str | None = None  # name of the order; None: the one that fits the text
    facets: tuple[str, ...] = ()  # names of what is counted
    beside: tuple[str, ...] = ()  # types that are counted by type, but of which no hit is returned
    relax: bool = True  # whether it is widened when nothing is found
    explain: bool = False  # whether hits say which signals they owe their place to
    cursor: str | None = None  # where to go on, still to be verified
    variant: str | None = None  # what shall answer, still to be found; None: whatever has its turn

    @property
    def searched(self) -> tuple[str, ...]:
        """The types that the engine has to look at."""
        return (*self.entities, *self.beside)


def read_search(query_string: bytes, profiles: Profiles) -> SearchRequest:
    """The search that a query string asks for; `profiles` are of the types that there are.

    A parameter with an empty value counts as not given, as HTML forms send it. Raises
    `QueryError` for the first thing that is wrong.
    """
    return search_request(given_parameters(query_string, SearchParameters), profiles)


def search_request(given: Mapping[str, str], profiles: Profiles) -> SearchRequest:
    """The search of parameters by name; raises `QueryError` for the first that is wrong."""
    narrowing = {name: text for name, text in given.items() if name.startswith(filters.PREFIX)}
    parameters = validated(
        SearchParameters,
        {name: text for name, text in given.items() if name not in narrowing},
        beside=", and filters such as 'filter.created'",
    )
    asked = _of(chosen_entities(parameters.type, tuple(profiles)), profiles)
    conditions = tuple(_conditions(narrowing, asked))
    entities = _narrowed(conditions, asked)
    if parameters.sort is not None:
        sorts.check(parameters.sort, _of(entities, profiles))
    counted = facets.read(parameters.facets or "", asked)
    return SearchRequest(
        text=shortened(clean(parameters.q)),
        entities=entities,
        limit=parameters.limit,
        conditions=conditions,
        sort=parameters.sort,
        facets=counted,
        beside=_beside(entities, conditions, profiles) if facets.TYPE in counted else (),
        relax=parameters.relax,
        explain=parameters.explain,
        cursor=parameters.cursor,
        variant=parameters.variant,
    )


def given_parameters(query_string: bytes, model: type[BaseModel]) -> dict[str, str]:
    """The parameters of a query string by name, without the blank ones that the model knows.

    Raises `QueryError` for too many parameters, or one that is given twice.
    """
    known = model.model_fields.keys()
    return {name: value for name, value in pairs(query_string) if value or name not in known}


def validated(model: type[Model], given: Mapping[str, str], *, beside: str = "") -> Model:
    """The model of parameters by name; raises `QueryError` for the first that is wrong.

    `beside` says in a message what there is beside the parameters of the model.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        _refuse(error.errors(include_url=False)[0], model, beside)


def pairs(query_string: bytes) -> list[tuple[str, str]]:
    """Names and values of a query string; bytes that are not UTF-8 become U+FFFD.

    Filters may be given more than once, as HTML forms send them: any of their values will do.
    Raises `QueryError` for too many parameters, or another one that is given twice.
    """
    try:
        found = parse_qsl(
            query_string.decode("utf-8", "replace"),
            keep_blank_values=True,
            errors="replace",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise QueryError(
            Code.BAD_REQUEST, f"The query string has more than {MOST_PARAMETERS} parameters."
        ) from None
    found = _gathered(found)
    names = [name for name, _ in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise QueryError(
            Code.REPEATED_PARAMETER,
            f"{quoted(twice)} is given more than once. Give it once; several values are separated "
            "by commas.",
            parameter=twice[:100],
        )
    return found


def shortened(text: str) -> str:
    """The text as far as its first `MOST_WORDS` words."""
    for count, word in enumerate(_WORD.finditer(text), start=1):
        if count == MOST_WORDS:
            return text[: word.end()]
    return text


def _gathered(found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs with all texts of one filter in one."""
    filtering: dict[str, list[str]] = {}
    for name, text in found:
        if name.startswith(filters.PREFIX):
            filtering.setdefault(name, []).append(text)
    others = [one for one in found if one[0] not in filtering]
    return others + [(name, ",".join(filter(None, texts))) for name, texts in filtering.items()]


def _conditions(narrowing: Mapping[str, str], asked: Profiles) -> Iterator[Condition]:
    """What filters mean, by name; a blank one means nothing, but has to be known all the same."""
    known = filters.known(asked)
    for parameter in sorted(narrowing):
        name = parameter.removeprefix(filters.PREFIX)
        if name not in known:
            raise filters.unknown(name, asked)
        if text := narrowing[parameter]:
            yield filters.read(name, text, known[name])


def _narrowed(conditions: Sequence[Condition], asked: Profiles) -> tuple[str, ...]:
    """The types that have all those filters: the others have no hits."""
    found = tuple(
        entity
        for entity, profile in asked.items()
        if all(one.name in profile.filters for one in conditions)
    )
    if not found:
        names = [f"{filters.PREFIX}{one.name}" for one in conditions]
        raise QueryError(
            Code.INVALID_VALUE,
            f"No type has all of the filters {', '.join(names)}, so nothing could be found. Take "
            "one of them out.",
            parameter=names[-1],
        )
    return found


def _beside(
    entities: Sequence[str], conditions: Sequence[Condition], profiles: Profiles
) -> tuple[str, ...]:
    """The other types that could have hits under these conditions."""
    return tuple(entity for entity in _narrowed(conditions, profiles) if entity not in entities)


def _of(entities: Sequence[str], profiles: Profiles) -> Profiles:
    return {entity: profiles[entity] for entity in entities}


def chosen_entities(given: str | None, entities: Sequence[str]) -> tuple[str, ...]:
    """The types that the parameter `type` names, in the order of `entities`; all without it."""
    if given is None:
        return tuple(entities)
    wanted = {name.strip() for name in given.split(",")} - {""}
    if unknown := sorted(wanted - set(entities)):
        raise QueryError(
            Code.INVALID_VALUE,
            f"There is no type {quoted(unknown[0])}.{guess(unknown[0], entities)} "
            f"Types are {', '.join(entities)}; several are separated by commas.",
            parameter="type",
            allowed=tuple(entities),
        )
    return tuple(entity for entity in entities if entity in wanted) or tuple(entities)


def _refuse(error: ErrorDetails, model: type[BaseModel], beside: str) -> NoReturn:
    name, names = str(error["loc"][0]), tuple(model.model_fields)
    if error["type"] == "extra_forbidden":
        raise QueryError(
            Code.UNKNOWN_PARAMETER,
            f"There is no parameter {quoted(name)}.{guess(name, names, cutoff=0)} "
            f"Parameters are {', '.join(names)}{beside}.",
            parameter=name[:100],
            allowed=names,
        )
    allowed = _allowed(model.model_json_schema()["properties"][name])
    raise QueryError(
        Code.INVALID_VALUE,
        f"{quoted(name)} must be {allowed}.",
        parameter=name,
        allowed=(allowed,),
    )


def _allowed(schema: dict[str, Any]) -> str:
    """What a parameter's schema allows, in words."""
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if "minimum" in schema:
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    if schema.get("type") == "boolean":
        return "true or false"
    longest = schema.get("maxLength") or schema["anyOf"][0].get("maxLength")
    return f"at most {longest} characters"
