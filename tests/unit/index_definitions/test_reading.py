"""Reading a folder of definitions: what is right is returned, all that is wrong is listed."""

import shutil
from pathlib import Path

import pytest

from core.definitions import DefinitionError, load, read
from core.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the project's own definitions."""
    return Path(shutil.copytree(Settings().definitions_path, tmp_path / "definitions"))


def _edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def _append(folder: Path, name: str, text: str) -> None:
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write(text)


def test_the_project_s_own_are_right(folder: Path) -> None:
    assert list(load(folder)) == ["group", "set", "sound", "user"]


@pytest.mark.parametrize("name", ["sound.hydrate.sql", "sound.search.json", "shared.analysis.json"])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    _, problems = read(folder)
    assert [str(one) for one in problems] == [
        f"{folder / name}: is missing; every entity type needs it"
    ]


@pytest.mark.parametrize(
    "name", ["sound.mapping.json", "sound.search.json", "shared.analysis.json"]
)
def test_broken_json_is_named_with_its_line(folder: Path, name: str) -> None:
    _append(folder, name, "}")
    _, problems = read(folder)
    assert [one.file.name for one in problems] == [name]
    assert "not valid JSON" in problems[0].what
    lines = (folder / name).read_text(encoding="utf-8").count("\n")
    assert problems[0].what.startswith(f"line {lines + 1}: ")


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("sound.mapping.json", '"dynamic": "strict",', "", "takes fields that it does not name"),
        ("sound.mapping.json", '"entity": "sound"', '"entity": "song"', "does not say what it"),
        ("sound.mapping.json", '"source_table": "sounds"', '"source_table": ""', "does not say"),
        ("sound.mapping.json", '"permalink": {', '"address": {', "common fields permalink"),
    ],
)
def test_a_broken_rule(folder: Path, name: str, old: str, new: str, what: str) -> None:
    _edit(folder, name, old, new)
    definitions, problems = read(folder)
    assert [one.file.name for one in problems] == [name]
    assert what in problems[0].what
    assert list(definitions) == ["group", "set", "user"]


def test_sql_that_selects_nothing(folder: Path) -> None:
    (folder / "sound.hydrate.sql").write_text("SELECT 1 AS id", encoding="utf-8")
    _, problems = read(folder)
    assert [one.what for one in problems] == ["does not select by id"]


def test_a_name_that_is_no_entity_type(folder: Path) -> None:
    for suffix in ("mapping.json", "hydrate.sql", "search.json"):
        shutil.copy(folder / f"sound.{suffix}", folder / f"Sound-2.{suffix}")
    _, problems = read(folder)
    assert "'Sound-2' is no entity name" in problems[0].what


def test_all_problems_are_listed_and_loading_refuses(folder: Path) -> None:
    (folder / "user.hydrate.sql").unlink()
    (folder / "set.search.json").write_text("[]", encoding="utf-8")
    (folder / "group.hydrate.sql").write_bytes(b"SELECT '\xff'")
    definitions, problems = read(folder)
    assert sorted(one.file.name for one in problems) == [
        "group.hydrate.sql",
        "set.search.json",
        "user.hydrate.sql",
    ]
    assert list(definitions) == ["sound"]
    with pytest.raises(DefinitionError) as refused:
        load(folder)
    assert str(refused.value).count("\n") == 2
    assert refused.value.exit_code == 2


def test_a_folder_without_definitions(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="is it a definitions folder"):
        read(tmp_path)
    with pytest.raises(DefinitionError, match="set DISCO_DEFINITIONS"):
        read(tmp_path / "missing")


def test_both_modes_of_the_selector(folder: Path) -> None:
    definition = load(folder)["user"]
    assert "u.id = ANY($1::bigint[])" in definition.hydrate_by_ids()
    assert "(u.id >= $1::bigint AND u.id < $2::bigint)" in definition.hydrate_by_range()
    assert ":wanted" not in definition.hydrate_by_ids() + definition.hydrate_by_range()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("sound.mapping.json", True),
        ("sound.hydrate.sql", True),
        ("shared.analysis.json", True),
        ("sound.search.json", False),
    ],
)
def test_what_a_document_is_made_of_is_in_the_hash(
    folder: Path, name: str, *, changes: bool
) -> None:
    """The profile is not: another weight needs no other index."""
    before = load(folder)["sound"].hash
    text = (folder / name).read_text(encoding="utf-8")
    old, new = ("256", "255") if "mapping" in name else ("50", "49")
    if name == "shared.analysis.json":
        old, new = '"max_gram": 15', '"max_gram": 16'
    if name == "sound.search.json":
        old, new = '"weight": 1.0', '"weight": 2.0'
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    assert (load(folder)["sound"].hash != before) is changes
