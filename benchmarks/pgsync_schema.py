"""What pgsync is told of sounds, and how its documents compare with ours.

They are made of the same rows, and differ in form:

- The artist's fields are below `user`; a permalink is the sound's own part of the path.
- Tags come as they are assigned, in no order, once for each person who gave them.
- `_meta` holds the keys of all rows that a document was made of, which pgsync needs later.
- There is no type, digest, rank or external version, and text is not normalised.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

#: Our fields, and where the same stands in a document of pgsync.
SAME: Final[Mapping[str, Sequence[str]]] = {
    "title": ("title",),
    "subtitle": ("user", "display_name"),
    "user_handle": ("user", "username"),
    "description": ("description",),
    "genre": ("genre",),
    "duration_ms": ("duration_ms",),
    "license": ("license",),
    "downloadable": ("downloadable",),
    "user_id": ("user_id",),
}
_COLUMNS: Final = (
    *("id", "title", "description", "permalink", "user_id", "duration_ms", "license"),
    *("downloadable", "created_at", "updated_at"),
)
_ONE: Final = {"type": "one_to_one"}
_BY_ASSIGNMENT: Final = {"type": "one_to_many", "through_tables": ["sound_tags"]}


def schema(database: str, index: str) -> list[dict[str, Any]]:
    """The schema file: sounds with their artist, genre and tags."""
    user = {
        "table": "users",
        "label": "user",
        "columns": ["display_name", "username"],
        "relationship": {"variant": "object", **_ONE},
    }
    children = [user, _names("genres", "genre", _ONE), _names("tags", "tags", _BY_ASSIGNMENT)]
    root = {"table": "sounds", "columns": [*_COLUMNS], "children": children}
    return [{"database": database, "index": index, "nodes": root}]


def index_body(ours: Mapping[str, Any]) -> dict[str, Any]:
    """Its index: as `ours` while that is filled, with the fields where pgsync has them."""
    fields = ours["mappings"]["properties"]
    alike = {name: fields[name] for name in (*_COLUMNS, "genre", "tags")}
    user = {path[1]: fields[name] for name, path in SAME.items() if path[0] == "user"}
    properties = {
        **alike,
        "user": {"properties": user},
        "_meta": {"type": "object", "dynamic": True},
    }
    return {
        "settings": {**ours["settings"], "number_of_replicas": 0, "refresh_interval": "-1"},
        "mappings": {"dynamic": "strict", "properties": properties},
    }


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """The fields in which two documents of one sound differ."""
    found = [name for name, path in SAME.items() if ours.get(name) != _at(theirs, path)]
    if set(ours.get("tags") or []) != set(theirs.get("tags") or []):
        found.append("tags")
    return found


def _names(table: str, label: str, relation: Mapping[str, Any]) -> dict[str, Any]:
    relationship = {"variant": "scalar", **relation}
    return {"table": table, "label": label, "columns": ["name"], "relationship": relationship}


def _at(document: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = document
    for name in path:
        found = (found or {}).get(name)
    return found
