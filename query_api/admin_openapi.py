"""The part of the OpenAPI document that tells of `/v1/admin/…`."""

from typing import Any, Final

from pydantic import BaseModel

from query_api import admin_bodies

Node = dict[str, Any]

SECURITY_SCHEME: Final[Node] = {"key": {"type": "http", "scheme": "bearer"}}
BODIES: Final[tuple[type[BaseModel], ...]] = (
    *(admin_bodies.CheckBody, admin_bodies.ReindexBody, admin_bodies.BuildBody),
    admin_bodies.ApplyBody,
    *(admin_bodies.GatesBody, admin_bodies.DiffBody, admin_bodies.PromoteBody),
    *(admin_bodies.RollbackBody, admin_bodies.RetireBody, admin_bodies.RanksDiffBody),
    *(admin_bodies.PublishRanksBody, admin_bodies.RollBackRanksBody),
)
FAILURES: Final = (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503, 504)
# Path, method, summary, model of the body, status of success.
_OPERATIONS: Final[tuple[tuple[str, str, str, type[BaseModel] | None, str], ...]] = (
    ("generations", "get", "All indices with their states", None, "200"),
    ("history", "get", "What operators did, newest first", None, "200"),
    ("builds", "get", "The last build of each entity type, and how far it is", None, "200"),
    ("builds/{action}", "post", "Pause, resume or cancel a build", admin_bodies.BuildBody, "200"),
    ("check", "post", "Are the definitions any good?", admin_bodies.CheckBody, "200"),
    ("reindex", "post", "Begin to build an index", admin_bodies.ReindexBody, "202"),
    ("apply", "post", "Apply a definition without a reindex", admin_bodies.ApplyBody, "200"),
    ("gates", "post", "Ask all gates about an index", admin_bodies.GatesBody, "200"),
    ("diff", "post", "Compare the answers of two indices", admin_bodies.DiffBody, "200"),
    ("gates/{index}", "get", "What the gates said of an index last", None, "200"),
    ("promote", "post", "Make an index live", admin_bodies.PromoteBody, "200"),
    ("rollback", "post", "Make live what was live last", admin_bodies.RollbackBody, "200"),
    ("retire", "post", "Delete an index", admin_bodies.RetireBody, "200"),
    ("ranks", "get", "All rank editions, and which is live", None, "200"),
    ("ranks/{edition}", "get", "What stands first in a rank edition", None, "200"),
    ("ranks/diff", "post", "Compare two rank editions", admin_bodies.RanksDiffBody, "200"),
    (
        "ranks/publish",
        "post",
        "Have searches use a rank edition",
        admin_bodies.PublishRanksBody,
        "202",
    ),
    (
        "ranks/rollback",
        "post",
        "Have searches use the rank edition of before",
        admin_bodies.RollBackRanksBody,
        "200",
    ),
)


def paths(problems: Node) -> Node:
    """The paths; `problems` has what answers a failure, by status."""
    found: Node = {}
    for path, method, summary, body, status in _OPERATIONS:
        operation: Node = {
            "operationId": _operation_id(path, method),
            "summary": summary,
            "security": [{"key": []}],
            "responses": {status: _success(summary), **problems},
        }
        if body is not None:
            schema = {"$ref": f"#/components/schemas/{body.__name__}"}
            content = {"application/json": {"schema": schema}}
            operation["requestBody"] = {"required": True, "content": content}
        if parameters := _parameters(path):
            operation["parameters"] = parameters
        found[f"/v1/admin/{path}"] = {method: operation}
    return found


def _operation_id(path: str, method: str) -> str:
    words = [word for word in path.split("/") if not word.startswith("{action")]
    return "_".join(("admin", *(word.strip("{}") for word in words), method))


def _success(summary: str) -> Node:
    return {
        "description": summary,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {"application/json": {"schema": {"type": "object"}}},
    }


def _parameters(path: str) -> list[Node]:
    if "{action}" in path:
        schema: Node = {"type": "string", "enum": ["pause", "resume", "cancel"]}
        return [{"name": "action", "in": "path", "required": True, "schema": schema}]
    if path == "history":
        area: Node = {"type": "string", "enum": ["index", "rank"], "default": "index"}
        return [
            {"name": "area", "in": "query", "schema": area},
            {"name": "subject", "in": "query", "schema": {"type": "string"}},
            {"name": "limit", "in": "query", "schema": _up_to_a_thousand(50)},
        ]
    if "{index}" in path:
        text: Node = {"type": "string"}
        return [{"name": "index", "in": "path", "required": True, "schema": text}]
    if "{edition}" in path:
        name: Node = {"type": "string", "description": "Its name, or `newest`."}
        kind: Node = {"type": "string", "default": "user"}
        return [
            {"name": "edition", "in": "path", "required": True, "schema": name},
            {"name": "type", "in": "query", "schema": kind},
            {"name": "top", "in": "query", "schema": _up_to_a_thousand(20)},
        ]
    return []


def _up_to_a_thousand(default: int) -> Node:
    return {"type": "integer", "minimum": 1, "maximum": 1000, "default": default}
