"""`disco index check`: what is wrong is named, with file and remedy, and nothing is left behind."""

import asyncio
import json
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest
from elasticsearch import Elasticsearch

from core.errors import ServiceUnavailableError, UsageError
from core.settings import Settings
from indexer.checking import DefinitionVerdict, check
from tests.integration.indexer.command_line import Completed, disco
from tests.unit.docs.markdown import page

# Two sounds of one user: the sample needs rows.
ROWS = """
INSERT INTO users (id, username, display_name) VALUES (1, 'ana', 'Ana');
INSERT INTO sounds (id, user_id, title, permalink, duration_ms, description)
VALUES (1, 1, 'One', 'one', 1000, 'text'), (2, 1, 'Two', 'two', 2000, NULL);
INSERT INTO sets (id, user_id, title, permalink) VALUES (1, 1, 'Both', 'both');
INSERT INTO set_sounds (set_id, sound_id, position) VALUES (1, 1, 1), (1, 2, 2);
"""


class Bad(NamedTuple):
    """A definition with one fault, and what has to be said about it."""

    file: str  # where the fault is put
    old: str  # what is replaced; "" appends
    new: str
    what: str  # part of the finding
    remedy: str = ""  # part of the remedy
    also: tuple[str, ...] = ()  # other files that the fault makes wrong


MAPPING, SQL, PROFILE = "sound.mapping.json", "sound.hydrate.sql", "sound.search.json"
PRIVATE = "sound.private.sql"
DEPENDENTS, ANALYSIS = "sound.dependents.sql", "shared.analysis.json"
COLUMNS = "    s.id,\n    s.updated_at,\n"

BAD = [
    # files
    Bad(MAPPING, "", "}", "not valid JSON", "correct it"),
    Bad(PROFILE, "", ",", "not valid JSON"),
    Bad(MAPPING, '"dynamic": "strict"', '"dynamic": "true"', "takes fields", '"dynamic": "strict"'),
    # mapping
    Bad(MAPPING, '"type": "integer"', '"type": "interger"', "interger", "correct it", (PROFILE,)),
    Bad(
        MAPPING,
        '"analyzer": "prefix"',
        '"analyzer": "prefixes"',
        "[prefixes] has not been",
        "",
        (PROFILE,),
    ),
    Bad(MAPPING, '"normalizer": "value"', '"normalizer": "values"', "normalizer [values] not"),
    Bad(
        MAPPING, '"digest": {"type": "long"', '"digest": {"type": "keyword"', "'digest' is keyword"
    ),
    Bad(
        MAPPING,
        '"license": {"type": "keyword"}',
        '"license": {"properties": {"name": {"type": "keyword"}}}',
        "'license' is an object",
        "documents are flat",
        (SQL, PROFILE),
    ),
    Bad(
        MAPPING,
        '"source_table": "sounds"',
        '"source_table": "songs"',
        "'songs' is no table in this",
    ),
    Bad(MAPPING, '"source_table": "sounds"', '"source_table": "set_sounds"', "has no id"),
    # analysis: one fault for all, told once
    Bad(ANALYSIS, '"tokenizer": "standard"', '"tokenizer": "standrad"', "standrad"),
    Bad(ANALYSIS, '"type": "edge_ngram"', '"type": "edge_gram"', "edge_gram"),
    Bad(ANALYSIS, '"hip hop, hiphop"', '"hip hop => => x"', "Invalid synonym rule"),
    Bad(ANALYSIS, '["signs", "letters_and_digits_only"]', '["signz"]', "signz"),
    # SQL
    Bad(SQL, "s.description,", "s.description", "line 10: the database refuses it: syntax error"),
    Bad(
        SQL,
        "s.description,",
        "s.descritpion,",
        "line 9: the database refuses it: column s.descritpion",
        "s.description",
    ),
    Bad(SQL, "FROM sounds s", "FROM songs s", 'relation "songs" does not exist'),
    Bad(SQL, "WHERE :wanted(s.id)", "WHERE :wantde(s.id)", "line 40: the database refuses it"),
    Bad(SQL, "    s.updated_at,\n", "", "begins with id bigint, title text", "updated_at"),
    Bad(SQL, COLUMNS, "    s.updated_at,\n    s.id,\n", "begins with updated_at timestamp"),
    Bad(
        SQL, "s.updated_at,", "s.updated_at::date AS updated_at,", "updated_at date", "timestamptz"
    ),
    Bad(SQL, "    s.license,\n", "", "returns no column 'license'", "select it"),
    Bad(
        SQL, "s.license,", "s.license, s.visibility,", "column 'visibility' that the mapping lacks"
    ),
    Bad(SQL, "s.license,", "s.license, s.license,", "returns column 'license' twice"),
    Bad(SQL, "s.license,", "s.license, 'sound' AS type,", "a column 'type'", "the indexer adds it"),
    Bad(
        SQL,
        "s.duration_ms,",
        "s.duration_ms::bigint AS duration_ms,",
        "column 'duration_ms' is bigint, but the field is integer",
        "cast it to integer or smallint",
    ),
    Bad(SQL, "s.created_at\n", "s.created_at::timestamp AS created_at\n", "timestamp without"),
    Bad(SQL, "t.tags,", "ARRAY[1, 2] AS tags,", "column 'tags' is integer, but the field is text"),
    Bad(SQL, "s.license,", "s.duration_ms / 0 AS license,", "column 'license' is integer"),
    Bad(
        SQL,
        "s.license,",
        "(s.duration_ms / (s.id - s.id))::text AS license,",
        "the database refuses it: division by zero",
    ),
    # a document that the engine refuses though all types fit
    Bad(
        SQL,
        "s.created_at\n",
        "s.created_at + interval '250000 years' AS created_at\n",
        "failed to parse field [created_at]",
        "make the column and the field agree",
    ),
    # profile
    Bad(PROFILE, '"title": "title"', '"title": "name"', "title names the unknown field 'name'"),
    Bad(
        PROFILE, '"field": "genre.value"', '"field": "genre.vlaue"', "'genre.vlaue'", "genre.value"
    ),
    Bad(PROFILE, '"kind": "flag"', '"kind": "date"', "'downloadable' is boolean", "needs date"),
    # dependents
    Bad(DEPENDENTS, "'set'", "'playlist'", "the unknown entity type 'playlist'", "there are group"),
    Bad(DEPENDENTS, "'set'", "left('sets!', 4)", "the unknown entity type 'sets'"),
    Bad(DEPENDENTS, "ANY($1::bigint[])", "ANY($1::text[]::bigint[])", "parameters are ['text[]']"),
    Bad(DEPENDENTS, "= ANY($1::bigint[])", "= 1", "parameters are []", "$1::bigint[]"),
    Bad(DEPENDENTS, "ss.set_id AS id", "ss.set_id::text AS id", "returns (text, text)"),
    Bad(DEPENDENTS, "ss.set_id AS id", "ss.set_id / 0 AS id", "refuses it: division by zero"),
    Bad(DEPENDENTS, "FROM set_sounds", "FROM set_songs", 'relation "set_songs" does not exist'),
    # private
    Bad(PRIVATE, "FROM sounds", "FROM songs", 'relation "songs" does not exist'),
    Bad(PRIVATE, "s.title AS name", "s.title", 'column "name" does not exist'),
    Bad(PRIVATE, "s.id,", "s.title AS id,", "it returns id (text)", "select id, a whole number"),
]


@pytest.fixture(scope="module")
def filled(settings: Settings) -> Settings:
    """A place with a few rows."""

    async def fill() -> None:
        connection = await asyncpg.connect(settings.database_url)
        await connection.execute(ROWS)
        await connection.close()

    asyncio.run(fill())
    return settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the project's own definitions."""
    return Path(shutil.copytree(Settings().definitions_path, tmp_path / "definitions"))


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} does not stand in {path.name}"
    path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")


def _check(settings: Settings, folder: Path, *entities: str) -> dict[str, DefinitionVerdict]:
    verdicts = asyncio.run(check(replace(settings, definitions=str(folder)), entities))
    return {one.entity: one for one in verdicts}


def _left_behind(settings: Settings) -> Sequence[str]:
    with Elasticsearch(settings.engine_url) as engine:
        return list(engine.indices.get(index=f"{settings.index_prefix}-*", filter_path="*.aliases"))


def test_the_project_s_own_definitions_hold(filled: Settings, folder: Path) -> None:
    verdicts = _check(filled, folder)
    assert list(verdicts) == ["group", "set", "sound", "user"]
    assert all(one.holds for one in verdicts.values()), verdicts
    assert {entity: one.sampled for entity, one in verdicts.items()} == {
        "group": 0,
        "set": 1,
        "sound": 2,
        "user": 1,
    }
    assert _left_behind(filled) == []


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.file}: {bad.what}")
def test_each_fault_is_named_with_its_file_and_remedy(
    filled: Settings, folder: Path, bad: Bad
) -> None:
    _edit(folder / bad.file, bad.old, bad.new)
    verdicts = _check(filled, folder, "sound")
    problems = [one for verdict in verdicts.values() for one in verdict.problems]
    assert {one.file.name for one in problems} == {bad.file, *bad.also}, problems
    matching = [one for one in problems if one.file.name == bad.file and bad.what in one.what]
    assert len(matching) == 1, problems
    assert bad.remedy in matching[0].remedy
    assert _left_behind(filled) == []


def test_the_other_entity_types_still_hold(filled: Settings, folder: Path) -> None:
    _edit(folder / SQL, "s.description,", "s.descritpion,")
    verdicts = _check(filled, folder)
    assert [entity for entity, one in verdicts.items() if not one.holds] == ["sound"]


def test_all_faults_are_listed(filled: Settings, folder: Path) -> None:
    _edit(folder / MAPPING, '"type": "integer"', '"type": "interger"')
    _edit(folder / SQL, "    s.license,\n", "")
    _edit(folder / SQL, "s.downloadable,", "s.downloadable, s.visibility,")
    _edit(folder / PROFILE, '"title": "title"', '"title": "name"')
    _edit(folder / DEPENDENTS, "'set'", "'playlist'")
    _edit(folder / "user.hydrate.sql", "FROM users", "FROM people")
    (folder / "group.search.json").unlink()
    verdicts = _check(filled, folder)
    assert [entity for entity, one in verdicts.items() if one.holds] == ["set"]
    assert sorted(one.file.name for one in verdicts["sound"].problems) == [
        "sound.dependents.sql",
        "sound.hydrate.sql",
        "sound.hydrate.sql",
        "sound.mapping.json",
        "sound.search.json",  # the filter of a field whose type is no type
        "sound.search.json",
    ]


def test_a_broken_analysis_is_told_once(filled: Settings, folder: Path) -> None:
    _edit(folder / ANALYSIS, '"tokenizer": "standard"', '"tokenizer": "standrad"')
    verdicts = _check(filled, folder)
    assert [entity for entity, one in verdicts.items() if not one.holds] == ["shared"]
    (folder / ANALYSIS).unlink()
    assert [entity for entity, one in _check(filled, folder).items() if not one.holds] == ["shared"]


def test_only_the_entity_types_that_are_asked_for(filled: Settings, folder: Path) -> None:
    _edit(folder / SQL, "s.description,", "s.descritpion,")
    assert list(_check(filled, folder, "user", "set")) == ["set", "user"]
    with pytest.raises(UsageError, match=r"no definition of songs in .*; there are group"):
        _check(filled, folder, "songs")


def test_a_service_that_does_not_answer(filled: Settings, folder: Path) -> None:
    nobody = "http://127.0.0.1:9"
    with pytest.raises(ServiceUnavailableError, match=r"Elasticsearch at .* does not answer"):
        _check(replace(filled, engine_url=nobody), folder)
    nowhere = "postgresql://postgres@127.0.0.1:9/none"
    with pytest.raises(ServiceUnavailableError, match=r"PostgreSQL at .* does not answer"):
        _check(replace(filled, database_url=nowhere), folder)


def test_a_service_that_goes_away_meanwhile(filled: Settings, folder: Path) -> None:
    """A statement that ends its own connection stands for a database that is stopped."""
    end = "(SELECT 'x' FROM pg_terminate_backend(pg_backend_pid())) AS license,"
    _edit(folder / SQL, "s.license,", end)
    with pytest.raises(ServiceUnavailableError, match="PostgreSQL went away during the check"):
        _check(filled, folder)
    assert _left_behind(filled) == []


def _example() -> dict[str, str]:
    """The files of the entity type that the documentation adds, by name."""
    blocks = [(info.split(), body) for info, body in page("docs/definitions.md").blocks]
    return {info[1]: textwrap.dedent(body) for info, body in blocks if len(info) == 2}


STATIONS = """
INSERT INTO stations (name, band, frequencies)
VALUES ('Radio Nord', 'fm', '{99.7, 101.25}'), ('Radio Süd', 'am', NULL);
"""


def test_another_entity_type_takes_only_files(fresh_settings: Settings, folder: Path) -> None:
    """The documentation's example, word for word."""
    example = _example()

    async def make_table() -> None:
        connection = await asyncpg.connect(fresh_settings.database_url)
        await connection.execute(example.pop("stations") + STATIONS)
        await connection.close()

    asyncio.run(make_table())
    assert sorted(example) == ["station.hydrate.sql", "station.mapping.json", "station.search.json"]
    for name, text in example.items():
        (folder / name).write_text(text, encoding="utf-8")
    verdict = _check(fresh_settings, folder)["station"]
    assert verdict.problems == ()
    assert (verdict.fields, verdict.sampled) == (10, 2)


def _disco(settings: Settings, *arguments: str) -> Completed:
    return asyncio.run(disco(settings, *arguments))


class TestCommand:
    """The command as a person or a script calls it."""

    def test_it_prints_a_line_for_each_entity_type(self, filled: Settings, folder: Path) -> None:
        done = _disco(replace(filled, definitions=str(folder)), "index", "check")
        assert done.code == 0, done.err
        assert done.out.splitlines() == [
            "group: good (14 fields, no row to try)",
            "set: good (18 fields, 1 documents tried)",
            "sound: good (23 fields, 2 documents tried)",
            "user: good (21 fields, 1 documents tried)",
        ]

    def test_it_exits_1_and_names_file_fault_and_remedy(
        self, filled: Settings, folder: Path
    ) -> None:
        _edit(folder / SQL, "    s.license,\n", "")
        done = _disco(replace(filled, definitions=str(folder)), "index", "check", "sound", "user")
        assert done.code == 1
        assert done.out.splitlines() == [
            "sound: 1 problem",
            f"  {folder / SQL}: returns no column 'license', which the mapping has",
            "    → select it",
            "user: good (21 fields, 1 documents tried)",
        ]

    def test_it_prints_one_json_document(self, filled: Settings, folder: Path) -> None:
        _edit(folder / SQL, "    s.license,\n", "")
        settings = replace(filled, definitions=str(folder))
        done = _disco(settings, "index", "check", "sound", "--json")
        assert done.code == 1
        document: dict[str, Any] = json.loads(done.out)
        assert document["holds"] is False
        assert document["definitions"] == [
            {
                "entity": "sound",
                "holds": False,
                "fields": 23,
                "sampled": 0,
                "problems": [
                    {
                        "file": str(folder / SQL),
                        "what": "returns no column 'license', which the mapping has",
                        "remedy": "select it",
                    }
                ],
            }
        ]

    def test_it_exits_2_for_an_entity_type_that_does_not_exist(self, filled: Settings) -> None:
        done = _disco(filled, "index", "check", "songs")
        assert done.code == 2
        assert "no definition of songs" in done.err

    def test_it_exits_3_without_the_engine(self, filled: Settings) -> None:
        done = _disco(replace(filled, engine_url="http://127.0.0.1:9"), "index", "check")
        assert done.code == 3
        assert "does not answer" in done.err
