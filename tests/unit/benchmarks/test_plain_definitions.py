"""Definitions whose texts the engine analyses as it does by itself."""

from benchmarks.plain_definitions import TEXT, plain_definitions
from core.definitions import load
from core.settings import Settings


def test_all_definitions_can_be_loaded_and_differ_in_their_strings_alone() -> None:
    folder = Settings().definitions_path
    with plain_definitions(folder) as copied:
        assert copied != folder
        ours, theirs = load(folder), load(copied)
    assert not copied.exists()
    assert set(theirs) == set(ours)
    strings = 0
    for entity, definition in ours.items():
        before = definition.mappings["properties"]
        after = theirs[entity].mappings["properties"]
        assert set(after) == set(before)
        for name, field in before.items():
            is_string = field["type"] in {"text", "keyword"}
            strings += is_string
            assert after[name] == (TEXT if is_string else field)
        assert theirs[entity].hydrate_sql == definition.hydrate_sql
        assert theirs[entity].ranked == definition.ranked
    assert strings > len(ours)
