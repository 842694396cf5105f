"""Requests to services on this machine's loopback address, never through a proxy."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any, Final

from stack.errors import StackError

LOOPBACK: Final = "127.0.0.1"
#: The environment may name a proxy; the loopback address is not its business.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@cache
def _opener(authority: Path | None) -> urllib.request.OpenerDirector:
    if authority is None:
        return _OPENER
    context = ssl.create_default_context(cafile=authority)
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )


def call(
    port: int,
    path: str,
    *,
    method: str = "GET",
    body: Any = None,
    user: tuple[str, str] | None = None,
    authority: Path | None = None,
    within: float = 30,
) -> Any:
    """One HTTP request.

    Args:
        port: Where the service listens.
        path: The path and query, percent-encoded, a slash first.
        method: GET, PUT, POST or DELETE.
        body: The JSON document to send.
        user: Name and password.
        authority: PEM file to check the service's certificate with; None: it speaks plain HTTP.
        within: Seconds to wait.

    Returns:
        The JSON document of the answer, None if it has none.

    Raises:
        StackError: No answer, or one that says no.
    """
    address = f"http://{LOOPBACK}:{port}{path}"
    if authority is not None:
        address = f"https://{LOOPBACK}:{port}{path}"
    request = urllib.request.Request(address, method=method)  # noqa: S310 - one of these two
    request.add_header("Content-Type", "application/json")
    if user is not None:
        secret = base64.b64encode(":".join(user).encode()).decode()
        request.add_header("Authorization", f"Basic {secret}")
    data = None if body is None else json.dumps(body).encode()
    try:
        with _opener(authority).open(request, data, within) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            reason = error.read(500).decode(errors="replace")
        raise StackError(f"{method} {path} on port {port}: {error.code} {reason}") from error
    except (OSError, ValueError) as error:
        raise StackError(f"{method} {path} on port {port}: no answer ({error})") from error
