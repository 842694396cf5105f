"""Page templates: Jinja2, escaping everything, compiled once."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from query_api.assets import Assets

FOLDER: Final = Path(__file__).parent / "templates"
_TILES: Final = 8  # colours of the tiles beside hits; see `.tile-0` and on in search.css


class PageTemplates:
    """Renders the pages."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["asset"] = assets.address
        self._environment.filters["marked"] = marked
        self._environment.filters["plural"] = plural
        self._environment.filters["snippet"] = snippet
        self._environment.filters["tile"] = tile

    def render(self, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page; it is never kept by caches, because what it shows may change any moment."""
        html = self.fragment(name, **values)
        return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})

    def fragment(self, name: str, **values: Any) -> str:
        """A template's HTML."""
        return self._environment.get_template(name).render(**values)


def marked(hit: dict[str, Any], field: str) -> Markup | str:
    """A field with what was found marked; the plain text where nothing was.

    A highlight is HTML whose text the engine has escaped already.
    """
    html = hit["highlight"].get(field)
    return hit[field] or "" if html is None else Markup(html)  # noqa: S704


def snippet(hit: dict[str, Any]) -> Markup:
    """The part of the description in which something was found, marked."""
    return Markup(hit["highlight"]["description"])  # noqa: S704


def plural(entity: str) -> str:
    """The name of several entities of a type: `Sounds`."""
    return f"{entity.capitalize()}s"


def tile(hit: dict[str, Any]) -> int:
    """The number of a hit's colour: always the same for one entity."""
    return int(sum(hit["id"].encode()) * 5 % _TILES)
