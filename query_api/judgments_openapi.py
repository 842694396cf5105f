"""The part of the OpenAPI document that tells of `/v1/judgments…`."""

from typing import Any, Final

from pydantic import BaseModel

from query_api.judgments_api import JudgmentsBody

Node = dict[str, Any]

BODIES: Final[tuple[type[BaseModel], ...]] = (JudgmentsBody,)
_FAILURES: Final = ("400", "401", "403", "413", "415", "422", "500", "503", "504")
# Address below /v1/judgments, method, summary.
_OPERATIONS: Final = (
    ("", "get", "All sets of judgments"),
    ("/{set}", "get", "The queries of a set, its raters, and how far they agree"),
    ("/{set}", "post", "Put grades into a set"),
    ("/{set}/{query}", "get", "The judgments of a query"),
)


def paths(problems: Node) -> Node:
    """The paths; `problems` has what answers a failure, by status."""
    found: Node = {}
    failures = {status: problems[status] for status in _FAILURES}
    for path, method, summary in _OPERATIONS:
        words = [word.strip("{}") for word in path.split("/") if word]
        operation: Node = {
            "operationId": "_".join(("judgments", *words, method)),
            "summary": summary,
            "security": [{"key": []}],
            "responses": {"200": _success(summary), **failures},
        }
        if words:
            schema = {"type": "string"}
            operation["parameters"] = [
                {"name": word, "in": "path", "required": True, "schema": schema} for word in words
            ]
        if method == "post":
            ref = {"$ref": f"#/components/schemas/{JudgmentsBody.__name__}"}
            content = {"application/json": {"schema": ref}}
            operation["requestBody"] = {"required": True, "content": content}
        found.setdefault(f"/v1/judgments{path}", {})[method] = operation
    return found


def _success(summary: str) -> Node:
    return {
        "description": summary,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
