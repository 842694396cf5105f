import json
from http import HTTPStatus
from typing import Any

import pytest
from elastic_transport import (
    ApiResponseMeta,
    ConnectionError,  # noqa: A004
    ConnectionTimeout,
    HttpHeaders,
    NodeConfig,
)
from elasticsearch import ApiError
from starlette.exceptions import HTTPException

from query_api import problems
from query_api.problems import KINDS, Code, Problem, QueryError

TIMED_OUT = {
    "error": {
        "root_cause": [{"type": "search_timeout_exception", "reason": "Time exceeded"}],
        "type": "search_phase_execution_exception",
        "reason": "Partial shards failure",
    },
    "status": 429,
}


def engine_answer(status: int, body: Any = "engine_internals") -> ApiError:
    meta = ApiResponseMeta(
        status=status,
        http_version="1.1",
        headers=HttpHeaders(),
        duration=0.1,
        node=NodeConfig("http", "localhost", 9200),
    )
    return ApiError("engine_internals", meta, body)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionError("refused at 10.0.0.7"), Code.ENGINE_UNREACHABLE),
        (ConnectionTimeout("slow"), Code.DEADLINE_EXCEEDED),
        (TimeoutError(), Code.DEADLINE_EXCEEDED),
        (engine_answer(429), Code.ENGINE_OVERLOADED),
        (engine_answer(429, {"error": "engine_internals"}), Code.ENGINE_OVERLOADED),
        (engine_answer(429, TIMED_OUT), Code.DEADLINE_EXCEEDED),
        (engine_answer(500), Code.ENGINE_UNREACHABLE),
        (engine_answer(503), Code.ENGINE_UNREACHABLE),
        (engine_answer(504), Code.DEADLINE_EXCEEDED),
        (engine_answer(400), Code.INTERNAL_ERROR),
        (HTTPException(404), Code.NOT_FOUND),
        (HTTPException(405), Code.METHOD_NOT_ALLOWED),
        (HTTPException(400, "Bad"), Code.BAD_REQUEST),
        (RuntimeError("secret"), Code.INTERNAL_ERROR),
    ],
)
def test_every_error_has_its_code(error: Exception, code: Code) -> None:
    known = problems.error_from(error)
    assert known.code is code
    assert "engine_internals" not in known.detail
    assert "10.0.0.7" not in known.detail
    assert "secret" not in known.detail


def test_every_code_has_its_kind() -> None:
    assert set(KINDS) == set(Code)
    assert all(HTTPStatus(kind.status) for kind in KINDS.values())


def test_a_problem_says_what_to_change_and_leaves_out_what_does_not_apply() -> None:
    error = QueryError(Code.INVALID_VALUE, "Wrong.", parameter="type", allowed=("a", "b"))
    response = problems.response_from(error, "r1")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(bytes(response.body)) == {
        "type": "urn:disco:problem:invalid_value",
        "title": "Invalid value of a parameter",
        "status": 422,
        "code": "invalid_value",
        "detail": "Wrong.",
        "parameter": "type",
        "allowed": ["a", "b"],
        "request_id": "r1",
    }
    plain = json.loads(bytes(problems.response_from(RuntimeError(), "r2").body))
    assert set(plain) == {"type", "title", "status", "code", "detail", "request_id"}
    assert Problem.model_validate(plain).code is Code.INTERNAL_ERROR


def test_what_passes_by_itself_says_when_to_come_back() -> None:
    for code in (Code.ENGINE_UNREACHABLE, Code.ENGINE_OVERLOADED, Code.NOT_INDEXED):
        assert int(problems.headers_of(QueryError(code, ""))["Retry-After"]) > 0


def test_a_refused_method_is_told_the_allowed_ones() -> None:
    error = HTTPException(405, headers={"Allow": "GET, HEAD"})
    assert problems.response_from(error, "r").headers["allow"] == "GET, HEAD"
