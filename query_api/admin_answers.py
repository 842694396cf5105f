"""What the operators' API answers with, and how it reads numbers."""

from typing import Any

import orjson
from starlette.responses import Response

from query_api.problems import Code, QueryError


def answer(
    document: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A JSON document that nobody keeps."""
    return Response(
        orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS),
        status_code=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type="application/json",
    )


def whole_number(name: str, text: str, *, most: int) -> int:
    """A parameter from 1 up; raises `QueryError`."""
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most:
        return int(text)
    allowed = f"a whole number from 1 to {most}"
    raise QueryError(
        Code.INVALID_VALUE, f"'{name}' must be {allowed}.", parameter=name, allowed=(allowed,)
    )
