"""Assets: the style sheet, script and icon of the pages, served from memory.

An asset's address carries its content's hash, so browsers may keep it for good.
"""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FOLDER: Final = Path(__file__).parent / "static"
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_BRIEFLY: Final = "public, max-age=60"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file."""

    content: bytes
    media_type: str
    version: str  # 12 hex digits over the content


class Assets:
    """All files of a folder, read once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._assets: Mapping[str, Asset] = {
            path.name: _read(path) for path in folder.iterdir() if path.is_file()
        }

    def address(self, name: str) -> str:
        """The path of an asset, with its version."""
        return f"/static/{name}?v={self._assets[name].version}"

    async def serve(self, request: Request) -> Response:
        """`GET /static/{name}`."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(404)
        etag = f'"{asset.version}"'
        current = request.query_params.get("v") == asset.version
        headers = {"ETag": etag, "Cache-Control": _FOR_GOOD if current else _BRIEFLY}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(asset.content, headers=headers, media_type=asset.media_type)


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(
        content=content,
        media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        version=hashlib.sha256(content).hexdigest()[:12],
    )
