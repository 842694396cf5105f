"""What a generation is, from what the engine tells of an index."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from core.definitions import load
from core.settings import Settings
from indexer.generation import Generation, State, index_body, new_generation, read
from indexer.indexed_parts import fingerprint
from tests.unit.indexer.made_up import generation

SOUND = load(Path("index_definitions"))["sound"]
NAME = generation(1, State.BUILDING).name
INDEX = NAME.build()


def told(*, live: bool = False, blocked: bool = False, **meta: Any) -> dict[str, Any]:
    """What the engine tells of an index that was just made, and then noted `meta`."""
    body = index_body(SOUND, Settings(), INDEX)
    return {
        "mappings": {"_meta": body["mappings"]["_meta"] | meta},
        "aliases": {"disco-sound": {}} if live else {},
        "settings": {"index": {"blocks": {"write": "true"}}} if blocked else {},
    }


def known(content: dict[str, Any], index: str = INDEX) -> Generation:
    found = read("disco", index, content)
    assert found is not None
    return found


def test_what_is_just_made_reads_as_it_was_made() -> None:
    found, made = known(told()), new_generation(NAME, SOUND)
    assert replace(found, recipe=SOUND) == made
    assert found.recipe.hydrate_by_ids() == SOUND.hydrate_by_ids()
    assert found.indexed == fingerprint(SOUND)


def test_documents_are_the_same_whatever_the_hash_of_the_definition() -> None:
    recipe = known(told()).recipe
    assert recipe == replace(recipe, hash="another")
    assert recipe != replace(recipe, hydrate_sql="another")


def test_a_copy_is_not_what_its_original_was() -> None:
    content = told(state=State.READY, promoted_at=7, gates={"holds": True})
    assert known(content).state is State.STANDBY
    copy = known(content, generation(2, State.BUILDING).index)
    assert (copy.state, copy.promoted_at, copy.gates) == (State.BUILDING, None, None)
    assert copy.recipe == known(content).recipe


def test_one_that_does_not_know_its_own_name_is_no_copy() -> None:
    content = told(state=State.READY, promoted_at=7)
    del content["mappings"]["_meta"]["index"]
    assert known(content).state is State.STANDBY


def test_only_a_block_that_was_noted_is_a_hold() -> None:
    assert known(told(blocked=True, held=True)).is_held
    assert not known(told(blocked=True)).is_held
    assert not known(told(held=True)).is_held


def test_one_whose_disk_is_full_says_so() -> None:
    assert not known(told()).is_full
    full = told() | {"settings": {"index": {"blocks": {"read_only_allow_delete": "true"}}}}
    assert known(full).is_full


def test_other_indices_are_none_of_ours() -> None:
    assert read("other", INDEX, told()) is None
    assert read("disco", "disco-sound", told()) is None
    assert read("disco", INDEX, {"mappings": {"_meta": {}}}) is None
