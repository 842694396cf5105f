"""The OpenAPI 3.1 document, generated from the schemas that validate and describe at run time."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from query_api import admin_openapi, facets, filters, judgments_openapi, sorts
from query_api.answers import ExploreAnswer, RelatedAnswer, SearchAnswer
from query_api.explore_parameters import ExploreParameters
from query_api.explore_plan import explored
from query_api.headers import INTERACTIONS_PATH, NOT_INDEXED_HEADER
from query_api.interactions_api import InteractionsAnswer, InteractionsBody
from query_api.parameters import SearchParameters
from query_api.problems import KINDS, MEDIA_TYPE, Problem
from query_api.profiles import Filter, Profiles
from query_api.readiness import Readiness
from query_api.related import RelatedParameters

Node = dict[str, Any]

_REF: Final = "#/components/schemas/{model}"
_INTERACTIONS_FAILURES: Final = (400, 404, 413, 415, 422, 429, 500, 503, 504)
_EXPLORE_FAILURES: Final = (400, 422, 429, 500, 503, 504)
_RELATED_FAILURES: Final = (400, 404, 422, 429, 500, 503, 504)
_SEARCH_FAILURES: Final = (400, 401, 403, 422, 429, 500, 503, 504)


def document(profiles: Profiles, *, admin: bool = False) -> Node:
    """The document that describes this service; `profiles` are of the types that can be searched.

    With `admin` it tells of what operators can do.
    """
    answers: tuple[type[BaseModel], ...] = (
        *(SearchAnswer, ExploreAnswer, RelatedAnswer, InteractionsAnswer),
        *(Problem, Readiness),
    )
    bodies: tuple[type[BaseModel], ...] = (InteractionsBody,)
    bodies += admin_openapi.BODIES if admin else ()
    _, definitions = models_json_schema(
        [
            *((model, "serialization") for model in answers),
            *((model, "validation") for model in (*bodies, *judgments_openapi.BODIES)),
        ],
        ref_template=_REF,
    )
    failures = {str(status): _problem(status) for status in admin_openapi.FAILURES}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Disco query API",
            "version": version("disco"),
            "description": "Search for a catalogue with a community around it. Problems are "
            "RFC 9457 JSON; their `code` is stable.",
        },
        "paths": {
            "/v1/search": {"get": _search(profiles)},
            "/v1/explore": {"get": _explore(profiles)},
            "/v1/sounds/{id}/related": {"get": _related(profiles)},
            INTERACTIONS_PATH: {"post": _interactions()},
            **judgments_openapi.paths(failures),
            "/healthz": {"get": _plain("healthz", "Whether the process lives")},
            "/readyz": {"get": _readyz()},
            "/metrics": {"get": _plain("metrics", "Metrics in Prometheus' text format")},
            **(admin_openapi.paths(failures) if admin else {}),
        },
        "components": {
            "schemas": definitions["$defs"],
            "headers": {"RequestId": _header("Names this request in our logs.")},
            "securitySchemes": admin_openapi.SECURITY_SCHEME,
        },
    }


def _search(profiles: Profiles) -> Node:
    answer = _json_answer("A page of what was found", SearchAnswer)
    answer["headers"][NOT_INDEXED_HEADER] = _header(
        "Types that were asked for but have no index yet, separated by commas; usually absent."
    )
    return {
        "operationId": "search",
        "summary": "Find entities by text",
        "parameters": [
            *_query_parameters(SearchParameters, profiles),
            *(_filter_parameter(*one, profiles) for one in filters.known(profiles).items()),
        ],
        "security": [{}, {"key": []}],
        "responses": {"200": answer} | {str(code): _problem(code) for code in _SEARCH_FAILURES},
    }


def _interactions() -> Node:
    """Events are checked one by one: a wrong one is told in the answer."""
    content = {"application/json": {"schema": _schema(InteractionsBody)}}
    answer = _json_answer("What was taken, and what not", InteractionsAnswer)
    return {
        "operationId": "takeInteractions",
        "summary": "Tell what people did with the hits",
        "requestBody": {"required": True, "content": content | {"text/plain": {}}},
        "responses": {"202": answer}
        | {str(code): _problem(code) for code in _INTERACTIONS_FAILURES},
    }


def _explore(profiles: Profiles) -> Node:
    answer = _json_answer("A page of what is busy", ExploreAnswer)
    return {
        "operationId": "explore",
        "summary": "List what the community is about just now",
        "parameters": _query_parameters(
            ExploreParameters, {entity: profiles[entity] for entity in explored(profiles)}
        ),
        "responses": {"200": answer} | {str(code): _problem(code) for code in _EXPLORE_FAILURES},
    }


def _related(profiles: Profiles) -> Node:
    answer = _json_answer("Sounds like it, or together with it in sets", RelatedAnswer)
    sound_id: Node = {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "Id of the sound.",
        "schema": {"type": "string"},
        "example": "42",
    }
    return {
        "operationId": "related",
        "summary": "List sounds that are related to a sound",
        "parameters": [sound_id, *_query_parameters(RelatedParameters, profiles)],
        "responses": {"200": answer} | {str(code): _problem(code) for code in _RELATED_FAILURES},
    }


def _query_parameters(model: type[BaseModel], profiles: Profiles) -> list[Node]:
    properties: dict[str, Node] = model.model_json_schema()["properties"]
    return [_query_parameter(name, dict(node), profiles) for name, node in properties.items()]


def _query_parameter(name: str, schema: Node, profiles: Profiles) -> Node:
    description, examples = schema.pop("description"), schema.pop("examples", ())
    schema.pop("title", None)
    parameter: Node = {"name": name, "in": "query", "description": description}
    # Which names there are is known only from the definitions.
    if name == "type":
        parameter |= _list_of(profiles)
    elif name == "facets":
        parameter |= _list_of(facets.known(profiles))
    elif name == "sort":
        parameter["schema"] = {"type": "string", "enum": [*_sorts(profiles)]}
    elif "anyOf" in schema:  # a query parameter is absent rather than null
        parameter["schema"] = next(one for one in schema["anyOf"] if one["type"] != "null")
    else:
        parameter |= {"schema": schema} | ({"example": examples[0]} if examples else {})
    return parameter


def _list_of(names: Iterable[str]) -> Node:
    """Some of these names, separated by commas."""
    items = {"type": "string", "enum": list(names)}
    schema = {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}
    return {"style": "form", "explode": False, "schema": schema}


def _sorts(profiles: Profiles) -> Iterable[str]:
    """The sorts that any of the types has."""
    named = (name for profile in profiles.values() for name in profile.sorts)
    return dict.fromkeys((sorts.RELEVANCE, *named))


def _filter_parameter(name: str, filter_: Filter, profiles: Profiles) -> Node:
    having = ", ".join(entity for entity, one in profiles.items() if name in one.filters)
    schema: Node = {"type": "string"}
    if filter_.kind == "flag":
        schema["enum"] = ["true", "false"]
    return {
        "name": f"{filters.PREFIX}{name}",
        "in": "query",
        "description": f"Only what has one of these: {filters.allowed(filter_)}. Of {having}; "
        "other types are not among the hits then.",
        "schema": schema,
    }


def _readyz() -> Node:
    return {
        "operationId": "readyz",
        "summary": "Whether the process can serve, and what is missing",
        "responses": {
            "200": _json_answer("Something can be searched", Readiness),
            "503": _json_answer("Nothing can be searched", Readiness),
        },
    }


def _plain(operation: str, summary: str) -> Node:
    answer = {"description": summary, "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {"operationId": operation, "summary": summary, "responses": {"200": answer}}


def _json_answer(description: str, model: type[BaseModel]) -> Node:
    return {
        "description": description,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {"application/json": {"schema": _schema(model)}},
    }


def _problem(status: int) -> Node:
    codes = [f"`{code}`" for code, kind in KINDS.items() if kind.status == status]
    return {
        "description": f"Codes: {', '.join(codes)}",
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {MEDIA_TYPE: {"schema": _schema(Problem)}},
    }


def _schema(model: type[BaseModel]) -> Node:
    return {"$ref": _REF.format(model=model.__name__)}


def _header(description: str) -> Node:
    return {"description": description, "schema": {"type": "string"}}
