"""Forms that pages send: read whole, with limits."""

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from query_api.problems import Code, QueryError

_MOST_BYTES: Final = 65_536
_MOST_FIELDS: Final = 500


async def read(
    request: Request, *, most_bytes: int = _MOST_BYTES, most_fields: int = _MOST_FIELDS
) -> dict[str, str]:
    """The fields of a form; the last of several of one name. Raises `QueryError` beyond a limit."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most_bytes:
            raise QueryError(Code.BODY_TOO_LARGE, f"The form has more than {most_bytes} bytes.")
    text = body.decode("utf-8", "replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=most_fields))
    except ValueError:
        raise QueryError(
            Code.BAD_REQUEST, f"The form has more than {most_fields} fields."
        ) from None
