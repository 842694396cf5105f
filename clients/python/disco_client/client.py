"""The client: searches, page by page or as one stream of hits."""

import gzip
import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from disco_client.answers import Hit, Page
from disco_client.errors import ProblemError, UnreachableError

Values = str | Sequence[str]

_LARGEST_PAGE = 100
_PROBLEM = "application/problem+json"


class Client:
    """A connection to one service. Not for use by several threads at once."""

    def __init__(self, address: str, *, key: str | None = None, timeout: float = 10.0) -> None:
        """`address` is where the API answers, such as `https://disco.example`.

        `key` is needed for `variant` and `explain`; `timeout` is in seconds. Raises `ValueError`
        for an address that is none.
        """
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{address!r} is no address; write one such as https://disco.example")
        secure = parts.scheme == "https"
        connection = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = connection(parts.hostname, parts.port, timeout=timeout)
        self._path = parts.path.rstrip("/")
        self._headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection up; a further call opens another."""
        self._connection.close()

    def search(
        self,
        text: str = "",
        *,
        types: Sequence[str] = (),
        filters: Mapping[str, Values] | None = None,
        sort: str | None = None,
        facets: Sequence[str] = (),
        limit: int = 20,
        cursor: str | None = None,
        variant: str | None = None,
        relax: bool = True,
        explain: bool = False,
    ) -> Page:
        """One page of a search.

        `filters` has by name a value or several, any of which will do; they are sent as they are
        meant, commas included. A range (`2020..2024`) is one value. `cursor` is `next` of the page
        before. With `relax`, a search that finds nothing is widened, and `relaxed` of the page says
        how. Raises `ProblemError`, and `UnreachableError`.
        """
        given = {
            "q": text,
            "type": ",".join(types),
            **{f"filter.{name}": _joined(values) for name, values in (filters or {}).items()},
            "sort": sort,
            "facets": ",".join(facets),
            "limit": str(limit),
            "cursor": cursor,
            "variant": variant,
            "relax": None if relax else "false",
            "explain": "true" if explain else None,
        }
        query = urlencode({name: value for name, value in given.items() if value})
        answer, request_id = self._get(f"/v1/search?{query}")
        return Page.read(answer, request_id)

    def pages(self, text: str = "", **how: Any) -> Iterator[Page]:
        """All pages of a search, of `search`'s parameters; facets come with the first alone."""
        cursor = how.pop("cursor", None)
        while True:
            page = self.search(text, cursor=cursor, **how)
            yield page
            cursor = page.next
            how.pop("facets", None)
            if cursor is None:
                return

    def hits(self, text: str = "", *, most: int | None = None, **how: Any) -> Iterator[Hit]:
        """The hits of a search, each once, at most `most`; of `search`'s parameters."""
        limit = min(most or _LARGEST_PAGE, _LARGEST_PAGE)
        seen: set[tuple[str, str]] = set()
        for page in self.pages(text, **({"limit": limit} | how)):
            for hit in page.hits:
                # The index may change meanwhile, and move a hit across the border of a page.
                if (hit.type, hit.id) in seen:
                    continue
                if most is not None and len(seen) == most:
                    return
                seen.add((hit.type, hit.id))
                yield hit
            if most is not None and len(seen) == most:
                return

    def _get(self, path: str) -> tuple[Mapping[str, Any], str]:
        """The JSON object at a path, and the request's id."""
        try:
            response, body = self._exchange(self._path + path)
            kind = response.headers.get_content_type()
            if response.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            answer = json.loads(body) if "json" in kind else None
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise UnreachableError(f"the service did not answer: {error}") from error
        if response.status == 200 and isinstance(answer, dict):
            return answer, response.headers.get("X-Request-Id", "")
        if kind == _PROBLEM and isinstance(answer, dict):
            after = response.headers.get("Retry-After")
            raise ProblemError(response.status, answer, float(after) if after else None)
        raise UnreachableError(f"HTTP {response.status} with {kind}: is the address right?")

    def _exchange(self, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        """One request; again if a connection that was kept turns out to be closed."""
        was_open = self._connection.sock is not None
        try:
            return self._sent(path)
        except (ConnectionError, http.client.RemoteDisconnected):
            self.close()
            if not was_open:
                raise
            return self._sent(path)

    def _sent(self, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        return response, response.read()


def _joined(values: Values) -> str:
    """The text of a filter that means these values."""
    some = (values,) if isinstance(values, str) else values
    return ",".join(value.replace("\\", "\\\\").replace(",", "\\,") for value in some)
