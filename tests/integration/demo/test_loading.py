"""Loading catalogues into a real database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core.errors import ServiceUnavailableError
from core.settings import Settings
from demo import operations, schema
from demo.copying import Chunk, TableLoad
from demo.errors import CatalogueNotEmptyError, DataFileError
from demo.loader import load
from tests.integration.demo.conftest import ENTITIES, UNTIL
from tests.unit.demo import small_data

# The catalogue's structure as PostgreSQL sees it: what a load must leave as `psql -f` makes it.
STRUCTURE = """
    select 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    from pg_constraint where conrelid <> 0 and connamespace = 'public'::regnamespace
    union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
    union all select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select 'column ' || attrelid::regclass || ' ' || attname || ' ' || atttypid::regtype
        || ' ' || attnotnull || ' ' || attidentity::text from pg_attribute
        join pg_class on pg_class.oid = attrelid
        where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0
    order by 1
"""
CONTENT = "select md5(string_agg(t::text, E'\\n' order by t::text)) from {} t"


@pytest.fixture
async def fresh(fresh_settings: Settings) -> Any:
    connection = await asyncpg.connect(fresh_settings.database_url)
    yield connection
    await connection.close()


async def structure(connection: Any) -> list[str]:
    return [row[0] for row in await connection.fetch(STRUCTURE)]


async def content(connection: Any) -> dict[str, str]:
    return {table: await connection.fetchval(CONTENT.format(table)) for table in schema.TABLES}


async def test_a_load_makes_what_it_says(fresh_settings: Settings, fresh: Any) -> None:
    expected = await structure(fresh)
    lines: list[str] = []
    loaded = await operations.load_generated(
        fresh_settings, ENTITIES, until=UNTIL, report=lines.append
    )
    assert loaded.entities == ENTITIES
    assert loaded.rows == {
        table: await fresh.fetchval(f"select count(*) from {table}") for table in loaded.rows
    }
    assert set(loaded.rows) == set(schema.TABLES) - {"sound_heat", "user_heat"}
    for table in ("sound_heat", "user_heat"):  # made from the others
        assert await fresh.fetchval(f"select count(*) from {table}")
    assert await structure(fresh) == expected
    assert any(line.startswith("loaded sounds: 650 rows (") for line in lines)


async def test_the_same_seed_loads_the_same(fresh_settings: Settings, fresh: Any) -> None:
    await operations.load_generated(fresh_settings, ENTITIES, until=UNTIL)
    first = await content(fresh)
    await operations.load_generated(fresh_settings, ENTITIES, until=UNTIL, replace=True)
    assert await content(fresh) == first
    await operations.load_generated(fresh_settings, ENTITIES, seed=9, until=UNTIL, replace=True)
    assert await content(fresh) != first


async def test_nothing_is_dated_ahead_of_the_clock(fresh_settings: Settings, fresh: Any) -> None:
    await operations.load_generated(fresh_settings, ENTITIES)
    for table in schema.ENTITY_TABLES.values():
        assert await fresh.fetchval(f"select max(updated_at) < clock_timestamp() from {table}")


async def test_new_rows_follow_the_loaded_ones(fresh_settings: Settings, fresh: Any) -> None:
    await operations.load_generated(fresh_settings, ENTITIES, until=UNTIL)
    for table, insert in {
        "users": "insert into users (username, display_name) values ('new', 'New') returning id",
        "sounds": "insert into sounds (user_id, title, permalink, duration_ms) "
        "values (1, 'New', 'new', 1) returning id",
        "tags": "insert into tags (name) values ('brand new') returning id",
    }.items():
        last = await fresh.fetchval(f"select max(id) from {table}")
        assert await fresh.fetchval(insert) == last + 1


async def test_a_catalogue_is_not_overwritten_by_accident(
    fresh_settings: Settings, fresh: Any
) -> None:
    await operations.load_generated(fresh_settings, ENTITIES, until=UNTIL)
    before = await content(fresh)
    with pytest.raises(CatalogueNotEmptyError, match=r"1,000 entities; add --replace") as raised:
        await operations.load_generated(fresh_settings, ENTITIES, seed=2, until=UNTIL)
    assert raised.value.exit_code == 2
    assert await content(fresh) == before


async def test_a_failed_load_leaves_what_was_there(fresh_settings: Settings, fresh: Any) -> None:
    await operations.load_generated(fresh_settings, ENTITIES, until=UNTIL)
    before = await content(fresh)

    def broken() -> Iterator[Chunk]:
        yield Chunk(1, b"1\tdub\n")
        raise RuntimeError("out of words")

    table = TableLoad(table="tags", columns=("id", "name"), rows=2, chunks=broken())
    with pytest.raises(RuntimeError, match="out of words"):
        await load(fresh, [table], origin="broken", report=lambda _: None)
    assert await content(fresh) == before


async def test_rows_that_contradict_each_other_are_not_loaded(
    fresh_settings: Settings, fresh: Any
) -> None:
    chunks = iter([Chunk(1, b"1\t99\n")])
    table = TableLoad(table="likes", columns=("user_id", "sound_id"), rows=1, chunks=chunks)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await load(fresh, [table], origin="broken", report=lambda _: None)
    assert await schema.exists(fresh)


async def test_a_plan_tells_and_changes_nothing(fresh_settings: Settings, fresh: Any) -> None:
    plan = await operations.plan_generated(fresh_settings, ENTITIES)
    assert plan.entities == {"user": 250, "sound": 650, "set": 80, "group": 20}
    assert plan.replaces == 0
    assert await schema.count_entities(fresh) == 0
    await operations.load_generated(fresh_settings, ENTITIES, until=UNTIL)
    assert (await operations.plan_generated(fresh_settings, ENTITIES)).replaces == ENTITIES


async def test_a_summary_counts_what_is_public(fresh_settings: Settings, fresh: Any) -> None:
    await operations.load_generated(fresh_settings, ENTITIES, until=UNTIL)
    await fresh.execute(
        "update users set state = 'active', visibility = 'public', deleted_at = null"
    )
    await fresh.execute("update sounds set visibility = 'public', deleted_at = null")
    await fresh.execute("update users set deleted_at = now() where id = 7")
    gone = await fresh.fetchval("select count(*) from sounds where user_id = 7")
    summary = await operations.catalogue_summary(fresh_settings)
    assert summary.origin == "generated: 1,000 entities, seed 1"
    assert summary.total == ENTITIES
    assert summary.entities["user"].public == 249
    assert summary.entities["sound"].public == 650 - gone
    assert summary.activity["plays"] == await fresh.fetchval("select count(*) from plays")


async def test_a_database_without_schema_holds_nothing(
    fresh_settings: Settings, fresh: Any
) -> None:
    await schema.drop(fresh)
    await schema.drop(fresh)
    summary = await operations.catalogue_summary(fresh_settings)
    assert (summary.total, summary.origin, summary.entities) == (0, None, {})
    await operations.load_generated(fresh_settings, ENTITIES, until=UNTIL)
    assert (await operations.catalogue_summary(fresh_settings)).total == ENTITIES


async def test_an_absent_database_is_named(settings: Settings) -> None:
    nowhere = Settings(database_url="postgresql://postgres@127.0.0.1:1/none")
    with pytest.raises(ServiceUnavailableError, match=r"127\.0\.0\.1:1/none"):
        await operations.load_generated(nowhere, ENTITIES)


async def test_own_files_are_imported(fresh_settings: Settings, fresh: Any, tmp_path: Path) -> None:
    folder = small_data.write(tmp_path)
    plan = await operations.plan_import(fresh_settings, folder)
    assert plan.entities == {"user": 6, "sound": 4, "set": 2, "group": 0}
    loaded = await operations.import_real(fresh_settings, folder)
    assert loaded.entities == 12
    assert await fresh.fetchval("select title from sounds where permalink like 'uber%'") == (
        'Über "All" (feat. Guest)'
    )
    assert await fresh.fetchval("select sum(count) from plays") == 104
    first = await content(fresh)
    await operations.import_real(fresh_settings, folder, replace=True)
    assert await content(fresh) == first


async def test_bad_files_change_nothing(
    fresh_settings: Settings, fresh: Any, tmp_path: Path
) -> None:
    await operations.load_generated(fresh_settings, ENTITIES, until=UNTIL)
    before = await content(fresh)
    folder = small_data.write(tmp_path, user_friends=[(2, 5)])
    with pytest.raises(DataFileError, match="line 2"):
        await operations.import_real(fresh_settings, folder, replace=True)
    assert await content(fresh) == before


def test_the_folder_is_that_of_the_environment_or_the_default(tmp_path: Path) -> None:
    assert operations.find_data({"DISCO_DEMO_DATA": str(tmp_path)}) == tmp_path
    with pytest.raises(DataFileError, match="correct DISCO_DEMO_DATA"):
        operations.find_data({"DISCO_DEMO_DATA": str(tmp_path / "gone")})
    default = operations.find_data({})
    assert default in {None, operations.DEFAULT_DATA}
    with pytest.raises(DataFileError, match="no such folder"):
        operations.data_folder(tmp_path / "gone")


@pytest.mark.skipif(operations.find_data() is None, reason="the real catalogue's files are absent")
async def test_the_real_catalogue_is_imported_whole(fresh_settings: Settings, fresh: Any) -> None:
    loaded = await operations.import_real(fresh_settings)
    assert loaded.rows["sounds"] == 72_494
    assert loaded.rows["users"] == 36_226 + 1_892
    assert loaded.rows["sets"] == 320
    assert loaded.rows["follows"] == 25_434
    assert loaded.rows["groups"] > 100
    assert await fresh.fetchval("select sum(count) from plays") > 30_000_000
    assert await fresh.fetchval("select count(genre_id) > count(*) / 2 from sounds")
    # A sound by an artist whom the listeners know has their tags.
    tags = await fresh.fetch(
        "select distinct t.name from sounds s join users u on u.id = s.user_id "
        "join sound_tags st on st.sound_id = s.id join tags t on t.id = st.tag_id "
        "where u.username = 'daft-punk' and st.user_id is null"
    )
    assert {"electronic", "house"} <= {row["name"] for row in tags}


async def test_a_catalogue_of_the_past_says_where_it_ends(
    fresh_settings: Settings, fresh: Any
) -> None:
    await operations.load_generated(fresh_settings, ENTITIES, until=UNTIL)
    newest = await fresh.fetchval("select max(last_played_at) from plays")
    end = await operations.end_of_activity(fresh_settings)
    assert end is not None
    assert newest <= end < UNTIL
    await fresh.execute("insert into likes select 1, max(id) from sounds on conflict do nothing")
    assert await operations.end_of_activity(fresh_settings) is None
