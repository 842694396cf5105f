"""What has changed of a definition, and the least that applies it."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.definitions import Definition, load
from core.settings import Settings
from indexer.definition_changes import Changes, Remedy, changes_of
from indexer.generation import Generation, State, changeable_settings, new_generation
from tests.unit.indexer.made_up import generation

SOUND = load(Path("index_definitions"))["sound"]
LIVE = replace(new_generation(generation(1, State.LIVE).name, SOUND), state=State.LIVE)
WANTED = changeable_settings(Settings())
FOUND = {name: str(value) for name, value in WANTED.items()}


def changes(definition: Definition = SOUND, live: Generation = LIVE, found: Any = FOUND) -> Changes:
    return changes_of(live, definition, found=found, wanted=WANTED)


def with_synonym() -> Definition:
    analysis: Any = copy.deepcopy(SOUND.analysis)
    analysis["filter"]["same_words"]["synonyms"].append("dj, disc jockey")
    return replace(SOUND, analysis=analysis, hash="11111111")


def with_field() -> Definition:
    mappings: Any = copy.deepcopy(SOUND.mappings)
    mappings["properties"]["mood"] = {"type": "keyword"}
    return replace(SOUND, mappings=mappings, hash="22222222")


def test_nothing_has_changed() -> None:
    assert changes() == Changes(live=LIVE)
    assert changes().remedy is Remedy.NOTHING


def test_settings_are_changed_in_place_and_told_with_what_they_were() -> None:
    found = changes(found=FOUND | {"refresh_interval": "7s"})
    assert found.settings == {"refresh_interval": ("7s", "1s")}
    assert found.remedy is Remedy.IN_PLACE


def test_so_is_the_profile() -> None:
    found = changes(replace(SOUND, profile={**SOUND.profile, "weight": 2.0}))
    assert found == Changes(live=LIVE, profile=True)
    assert found.remedy is Remedy.IN_PLACE


def test_how_queries_are_read_takes_a_copy() -> None:
    found = changes(with_synonym())
    assert found == Changes(live=LIVE, queries=True)
    assert found.remedy is Remedy.COPY


@pytest.mark.parametrize(
    "definition",
    [
        with_field(),
        replace(SOUND, hydrate_sql="SELECT 1", hash="33333333"),
        replace(SOUND, dependents_sql="SELECT 1"),
    ],
    ids=["mapping", "SQL", "dependents"],
)
def test_other_documents_take_a_reindex_whatever_else_has_changed(definition: Definition) -> None:
    found = changes(definition, found=FOUND | {"gc_deletes": "1m"})
    assert (found.documents, found.queries) == (True, False)
    assert found.remedy is Remedy.REINDEX


def test_an_index_that_does_not_know_what_it_holds_holds_what_its_files_say() -> None:
    ignorant = replace(LIVE, indexed=None)
    assert changes(live=ignorant).remedy is Remedy.NOTHING
    assert changes(with_synonym(), live=ignorant).remedy is Remedy.REINDEX
