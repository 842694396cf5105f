"""Definitions as flat files: what is read, and what is said of those that cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.definitions import COMMON_FIELDS, DefinitionError, load, read

MAPPING: dict[str, Any] = {
    "dynamic": "strict",
    "_meta": {"entity": "sound", "source_table": "sounds"},
    "properties": {name: {"type": "keyword"} for name in sorted(COMMON_FIELDS)},
}
SQL = "SELECT s.id FROM sounds s WHERE :wanted(s.id);\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one definition that is right."""
    write(tmp_path, MAPPING)
    (tmp_path / "shared.analysis.json").write_text("{}")
    (tmp_path / "sound.hydrate.sql").write_text(SQL)
    (tmp_path / "sound.search.json").write_text('{"title": "title"}')
    return tmp_path


def write(folder: Path, mapping: object, entity: str = "sound") -> None:
    (folder / f"{entity}.mapping.json").write_text(json.dumps(mapping))


def complaint(folder: Path) -> str:
    with pytest.raises(DefinitionError) as caught:
        load(folder)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_definition_is_read(folder: Path) -> None:
    definition = load(folder)["sound"]
    assert definition.source_table == "sounds"
    assert definition.fields == COMMON_FIELDS
    assert definition.dependents_sql is None
    assert definition.profile == {"title": "title"}


def test_the_selector_becomes_a_condition(folder: Path) -> None:
    definition = load(folder)["sound"]
    assert definition.hydrate_by_ids().endswith("WHERE s.id = ANY($1::bigint[])")
    assert definition.hydrate_by_range().endswith(
        "WHERE (s.id >= $1::bigint AND s.id < $2::bigint)"
    )


def test_dependents_are_optional(folder: Path) -> None:
    (folder / "sound.dependents.sql").write_text("SELECT 'set', 1;")
    assert load(folder)["sound"].dependents_sql == "SELECT 'set', 1"


def test_our_own_definitions_are_right() -> None:
    own = Path(__file__).resolve().parents[3] / "index_definitions"
    assert list(load(own)) == ["group", "set", "sound", "user"]


def test_the_hash_tells_what_documents_are_made_of(folder: Path) -> None:
    before = load(folder)["sound"].hash
    (folder / "sound.search.json").write_text('{"title": "subtitle"}')
    assert load(folder)["sound"].hash == before
    (folder / "sound.hydrate.sql").write_text(SQL.replace("s.id FROM", "s.id, s.title FROM"))
    changed = load(folder)["sound"].hash
    assert changed != before
    (folder / "shared.analysis.json").write_text('{"filter": {}}')
    assert load(folder)["sound"].hash not in {before, changed}


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "DISCO_DEFINITIONS" in complaint(tmp_path / "nowhere")


def test_a_folder_without_definitions(tmp_path: Path) -> None:
    assert "mapping.json" in complaint(tmp_path)


@pytest.mark.parametrize("name", ["shared.analysis.json", "sound.hydrate.sql", "sound.search.json"])
def test_a_file_that_is_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name}: is missing" in complaint(folder)


@pytest.mark.parametrize(
    "name", ["shared.analysis.json", "sound.mapping.json", "sound.search.json"]
)
def test_a_file_that_is_no_json_names_the_line(folder: Path, name: str) -> None:
    (folder / name).write_text('{\n"a": 1,\n}')
    assert f"{name}: line 3: not valid JSON" in complaint(folder)


@pytest.mark.parametrize(
    "name", ["shared.analysis.json", "sound.mapping.json", "sound.search.json"]
)
def test_a_file_that_is_no_object(folder: Path, name: str) -> None:
    (folder / name).write_text("[1]")
    assert f"{name}: is a JSON list" in complaint(folder)


@pytest.mark.parametrize("name", ["sound.hydrate.sql", "sound.mapping.json"])
def test_a_file_that_is_not_utf_8(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\xff\xfe\x00")
    assert f"{name}: is not UTF-8" in complaint(folder)


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"entity": "sound"},
        {"source_table": "sounds"},
        {"entity": "user", "source_table": "s"},
        "x",
    ],
)
def test_a_mapping_that_does_not_say_what_it_maps(folder: Path, meta: object) -> None:
    write(folder, {**MAPPING, "_meta": meta})
    assert '"source_table"' in complaint(folder)


@pytest.mark.parametrize("dynamic", [None, True, False, "runtime"])
def test_a_mapping_that_takes_fields_it_does_not_name(folder: Path, dynamic: object) -> None:
    write(folder, {**MAPPING, "dynamic": dynamic})
    assert '"dynamic": "strict"' in complaint(folder)


@pytest.mark.parametrize("field", sorted(COMMON_FIELDS))
def test_a_mapping_without_a_common_field(folder: Path, field: str) -> None:
    properties = {name: one for name, one in MAPPING["properties"].items() if name != field}
    write(folder, {**MAPPING, "properties": properties})
    assert f"lacks the common fields {field}" in complaint(folder)


@pytest.mark.parametrize("properties", [None, [], "x"])
def test_a_mapping_without_properties(folder: Path, properties: object) -> None:
    write(folder, {**MAPPING, "properties": properties})
    assert "lacks the common fields" in complaint(folder)


@pytest.mark.parametrize("sql", ["", "SELECT 1", "SELECT :wanted", "SELECT :wanted()"])
def test_sql_that_does_not_select(folder: Path, sql: str) -> None:
    (folder / "sound.hydrate.sql").write_text(sql)
    assert ":wanted(<table>.id)" in complaint(folder)


@pytest.mark.parametrize("entity", ["Sound", "my-sound", "1sound", "so.und", "s" * 40])
def test_a_name_that_no_entity_can_have(folder: Path, entity: str) -> None:
    for suffix in ("hydrate.sql", "search.json"):
        (folder / f"{entity}.{suffix}").write_text((folder / f"sound.{suffix}").read_text())
    write(folder, {**MAPPING, "_meta": {"entity": entity, "source_table": "x"}}, entity)
    assert f"{entity!r} is no entity name" in complaint(folder)


def test_all_problems_are_told_at_once_and_the_rest_is_read(folder: Path) -> None:
    write(folder, {**MAPPING, "dynamic": True, "_meta": {}}, "user")
    (folder / "user.hydrate.sql").write_text("SELECT 1")
    (folder / "user.search.json").write_text("{}")
    definitions, problems = read(folder)
    assert list(definitions) == ["sound"]
    assert len(problems) == 3
    assert {problem.file.name for problem in problems} == {"user.mapping.json", "user.hydrate.sql"}
