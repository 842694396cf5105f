"""What pgsync is told, and that its documents are compared for real."""

import copy
from typing import Any

import pytest

from benchmarks import pgsync_schema
from core.definitions import load
from core.settings import Settings
from indexer.generation import index_body

OURS: dict[str, Any] = {
    "id": 7, "title": "Rain", "subtitle": "Jo", "user_handle": "jo", "description": None,
    "genre": "Folk", "duration_ms": 1000, "license": "cc0", "downloadable": True, "user_id": 3,
    "tags": ["wet", "cold"],
}  # fmt: skip
THEIRS: dict[str, Any] = {
    "id": 7, "title": "Rain", "user": {"display_name": "Jo", "username": "jo"},
    "description": None, "genre": "Folk", "duration_ms": 1000, "license": "cc0",
    "downloadable": True, "user_id": 3, "tags": ["cold", "wet", "cold"], "_meta": {},
}  # fmt: skip


@pytest.fixture
def body() -> dict[str, Any]:
    """Our own index of sounds, as it is created."""
    settings = Settings()
    definition = load(settings.definitions_path)["sound"]
    found: dict[str, Any] = index_body(definition, settings, "index")
    return found


def test_the_index_has_each_field_where_pgsync_writes_it_and_analyses_it_alike(
    body: dict[str, Any],
) -> None:
    ours = body["mappings"]["properties"]
    made = pgsync_schema.index_body(body)
    theirs = made["mappings"]["properties"]
    for name, (first, *rest) in pgsync_schema.SAME.items():
        field = theirs[first]["properties"][rest[0]] if rest else theirs[first]
        assert field == ours[name], name
    assert theirs["tags"] == ours["tags"]
    assert made["settings"]["analysis"] == body["settings"]["analysis"]
    (told,) = pgsync_schema.schema("catalogue", "index")
    written = {*told["nodes"]["columns"], *(one["label"] for one in told["nodes"]["children"])}
    assert written | {"_meta"} == set(theirs)


def test_equal_documents_are_equal_whatever_the_order_of_tags() -> None:
    assert pgsync_schema.differences(OURS, THEIRS) == []
    assert pgsync_schema.differences({**OURS, "tags": None}, {**THEIRS, "tags": []}) == []


@pytest.mark.parametrize("name", [*pgsync_schema.SAME, "tags"])
def test_every_field_that_differs_is_named(name: str) -> None:
    changed = copy.deepcopy(THEIRS)
    *parents, last = pgsync_schema.SAME.get(name, ("tags",))
    place = changed[parents[0]] if parents else changed
    place[last] = ["other"]
    assert pgsync_schema.differences(OURS, changed) == [name]


def test_a_document_that_is_missing_differs() -> None:
    assert set(pgsync_schema.differences(OURS, {})) == {*pgsync_schema.SAME, "tags"} - {
        "description"
    }
