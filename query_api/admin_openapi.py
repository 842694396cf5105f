"""The part of the OpenAPI document that tells of `/v1/admin/…`."""

from typing import Any, Final

from pydantic import BaseModel

from query_api import admin_bodies

Node = dict[str, Any]

SECURITY_SCHEME: Final[Node] = {"key": {"type": "http", "scheme": "bearer"}}
BODIES: Final[tuple[type[BaseModel], ...]] = (
    *(admin_bodies.CheckBody, admin_bodies.ReindexBody, admin_bodies.BuildBody),
    *(admin_bodies.GatesBody, admin_bodies.DiffBody, admin_bodies.PromoteBody),
    *(admin_bodies.RollbackBody, admin_bodies.RetireBody),
)
FAILURES: Final = (400, 401, 403, 404, 409, 413, 415, 422, 500, 503, 504)
# Path, method, summary, model of the body, status of success.
_OPERATIONS: Final[tuple[tuple[str, str, str, type[BaseModel] | None, str], ...]] = (
    ("generations", "get", "All indices with their states", None, "200"),
    ("history", "get", "What operators did, newest first", None, "200"),
    ("builds", "get", "The last build of each entity type, and how far it is", None, "200"),
    ("builds/{action}", "post", "Pause, resume or cancel a build", admin_bodies.BuildBody, "200"),
    ("check", "post", "Are the definitions any good?", admin_bodies.CheckBody, "200"),
    ("reindex", "post", "Begin to build an index", admin_bodies.ReindexBody, "202"),
    ("gates", "post", "Ask all gates about an index", admin_bodies.GatesBody, "200"),
    ("diff", "post", "Compare the answers of two indices", admin_bodies.DiffBody, "200"),
    ("promote", "post", "Make an index live", admin_bodies.PromoteBody, "200"),
    ("rollback", "post", "Make live what was live last", admin_bodies.RollbackBody, "200"),
    ("retire", "post", "Delete an index", admin_bodies.RetireBody, "200"),
)


def paths(problems: Node) -> Node:
    """The paths; `problems` has what answers a failure, by status."""
    found: Node = {}
    for path, method, summary, body, status in _OPERATIONS:
        operation: Node = {
            "operationId": f"admin_{path.partition('/')[0]}_{method}",
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
        limit: Node = {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}
        return [
            {"name": "subject", "in": "query", "schema": {"type": "string"}},
            {"name": "limit", "in": "query", "schema": limit},
        ]
    return []
