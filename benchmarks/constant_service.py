"""A constant answer from the server that the suggest service runs on: what there is to reach.

`python -m benchmarks.constant_service BYTES` prints its address. Status, headers and the calls are
those of a suggestion; nothing is looked up.
"""

import sys
from typing import Any, Final

from core import serving

_HEADERS: Final = [
    (b"content-type", b"application/json"),
    (b"access-control-allow-origin", b"*"),
    (b"cache-control", b"public, max-age=1"),
    (b"etag", b'"0123456789abcdef"'),
    (b"x-disco-overlay", b"off"),
    (b"x-content-type-options", b"nosniff"),
]


class ConstantApp:
    """Answers every request with the same bytes."""

    def __init__(self, size: int) -> None:
        self._body = b'{"completions":[]}'.ljust(size)
        length = (b"content-length", str(size).encode())
        self._start = {
            "type": "http.response.start",
            "status": 200,
            "headers": [*_HEADERS, length],
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or start and stop with the server."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send(self._start)
        await send({"type": "http.response.body", "body": self._body})


def main() -> None:
    """Serve until SIGTERM."""
    serving.serve(
        ConstantApp(int(sys.argv[1])),
        host="127.0.0.1",
        port=0,
        port_setting="none",
        drain_seconds=1,
        on_listening=lambda address: print(address, flush=True),  # noqa: T201 - for the benchmark
        date_header=False,
    )


if __name__ == "__main__":
    main()
