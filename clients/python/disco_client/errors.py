"""What can go wrong."""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """The root of this package's errors."""


class UnreachableError(ClientError):
    """The service did not answer, or not with what it is described to answer."""


class ProblemError(ClientError):
    """The service answered with a problem (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None) -> None:
        super().__init__(f"{problem.get('title')}: {problem.get('detail')}")
        self.status = status  # of HTTP
        self.code: str = problem.get("code", "")  # stable: branch on this
        self.detail: str = problem.get("detail", "")  # for people
        self.parameter: str | None = problem.get("parameter")  # at fault
        self.allowed: tuple[str, ...] = tuple(problem.get("allowed") or ())
        self.request_id: str = problem.get("request_id", "")  # names the request in the logs
        self.retry_after = retry_after  # seconds, where waiting may help
