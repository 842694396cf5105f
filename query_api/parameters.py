"""Parameters: what a client may ask for.

The model that validates them is the one that the OpenAPI document is made from.
"""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, NoReturn
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from query_api import cursors
from query_api.problems import Code, QueryError

LONGEST_QUERY: Final = 512  # characters
LARGEST_PAGE: Final = 100  # hits
LONGEST_VARIANT: Final = 64  # characters
MOST_WORDS: Final = 64  # that count; each is looked for in each field, so work grows with both
MOST_PARAMETERS: Final = 50
_LIKENESS: Final = 0.5  # 0 to 1; below it a guess at what a value should be would only confuse
# A word, or a character of a script that writes without spaces, or a sign (an emoji is one).
_WORD: Final = re.compile(
    "[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
    "|[^\\W\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]+"
    "|[^\\w\\s]"
)
# Control and format characters mean nothing in a search; joiners (ZWJ, ZWNJ) and variation
# selectors hold emoji and several scripts together, so they stay.
_BLANK: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]"
)


class SearchParameters(BaseModel):
    """The query parameters of `GET /v1/search`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: Annotated[
        str,
        Field(
            max_length=LONGEST_QUERY,
            description="What to look for, as a person types it: there is no query language. "
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
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="Most hits in the answer.")] = 20
    cursor: Annotated[
        str | None,
        Field(
            max_length=cursors.LONGEST,
            description="`next` of the answer before, to get the hits that follow. All other "
            "parameters but `limit` must be the same.",
        ),
    ] = None
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


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """A search that can be planned: every value is one that the planner knows."""

    text: str  # what to look for; composed (NFC), no control characters, single spaces; may be ""
    entities: tuple[str, ...]  # types to search, at least one, in the order of the profiles
    limit: int  # most hits, 1 to 100
    cursor: str | None = None  # where to go on, still to be verified
    variant: str | None = None  # what shall answer, still to be found; None: whatever has its turn


def read_search(query_string: bytes, entities: Sequence[str]) -> SearchRequest:
    """The search that a query string asks for; `entities` are the types that there are.

    A parameter with an empty value counts as not given, as HTML forms send it. Raises
    `QueryError` for the first thing that is wrong.
    """
    given = {name: value for name, value in pairs(query_string) if value or name not in _OPTIONAL}
    return search_request(given, entities)


def search_request(given: dict[str, str], entities: Sequence[str]) -> SearchRequest:
    """The search of parameters by name; raises `QueryError` for the first that is wrong."""
    try:
        parameters = SearchParameters.model_validate(given)
    except ValidationError as error:
        _refuse(error.errors(include_url=False)[0])
    return SearchRequest(
        text=shortened(clean(parameters.q)),
        entities=_chosen(parameters.type, entities),
        limit=parameters.limit,
        cursor=parameters.cursor,
        variant=parameters.variant,
    )


def pairs(query_string: bytes) -> list[tuple[str, str]]:
    """Names and values of a query string; bytes that are not UTF-8 become U+FFFD.

    Raises `QueryError` for too many parameters, or one that is given twice.
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
    names = [name for name, _ in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise QueryError(
            Code.REPEATED_PARAMETER,
            f"{_quoted(twice)} is given more than once. Give it once; several values are separated "
            "by commas.",
            parameter=twice[:100],
        )
    return found


def clean(text: str) -> str:
    """The text to search for: composed, without characters that mean nothing, single spaces."""
    return " ".join(_BLANK.sub(" ", unicodedata.normalize("NFC", text)).split())


def shortened(text: str) -> str:
    """The text as far as its first `MOST_WORDS` words."""
    for count, word in enumerate(_WORD.finditer(text), start=1):
        if count == MOST_WORDS:
            return text[: word.end()]
    return text


_NAMES: Final = tuple(SearchParameters.model_fields)
_OPTIONAL: Final = frozenset(_NAMES)


def _chosen(given: str | None, entities: Sequence[str]) -> tuple[str, ...]:
    if given is None:
        return tuple(entities)
    wanted = {name.strip() for name in given.split(",")} - {""}
    if unknown := sorted(wanted - set(entities)):
        raise QueryError(
            Code.INVALID_VALUE,
            f"There is no type {_quoted(unknown[0])}.{_guess(unknown[0], entities)} "
            f"Types are {', '.join(entities)}; several are separated by commas.",
            parameter="type",
            allowed=tuple(entities),
        )
    return tuple(entity for entity in entities if entity in wanted) or tuple(entities)


def _refuse(error: ErrorDetails) -> NoReturn:
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        raise QueryError(
            Code.UNKNOWN_PARAMETER,
            f"There is no parameter {_quoted(name)}.{_guess(name, _NAMES, cutoff=0)} "
            f"Parameters are {', '.join(_NAMES)}.",
            parameter=name[:100],
            allowed=_NAMES,
        )
    allowed = _ALLOWED[name]
    raise QueryError(
        Code.INVALID_VALUE,
        f"{_quoted(name)} must be {allowed}.",
        parameter=name,
        allowed=(allowed,),
    )


def _guess(name: str, known: Sequence[str], *, cutoff: float = _LIKENESS) -> str:
    asked = name[:100].lower()
    begun = [one for one in known if asked.startswith(one) or one.startswith(asked)]
    near = begun or difflib.get_close_matches(asked, known, n=1, cutoff=cutoff)
    return f" Did you mean {_quoted(near[0])}?" if near else ""


def _quoted(text: str) -> str:
    """The start of a client's text, safe to repeat in a message."""
    shown = clean(text)
    return f"'{shown[:40]}…'" if len(shown) > 40 else f"'{shown}'"


def _allowed(schema: dict[str, Any]) -> str:
    """What a parameter's schema allows, in words."""
    if "minimum" in schema:
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    longest = schema.get("maxLength") or schema["anyOf"][0].get("maxLength")
    return f"at most {longest} characters"


_ALLOWED: Final = {
    name: _allowed(schema)
    for name, schema in SearchParameters.model_json_schema()["properties"].items()
}
