"""The service's own schema: made once, changed in steps, and never against a later version."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from core import own_schema
from core.database import Pool, open_pool
from core.own_schema import Migration, OwnSchemaError
from core.settings import Settings

FIRST = Migration(number=1, name="things", sql="CREATE TABLE disco.things (id integer)")
SECOND = Migration(number=2, name="names", sql="ALTER TABLE disco.things ADD name text")


@pytest.fixture
async def empty(fresh_settings: Settings) -> AsyncIterator[Pool]:
    async with open_pool(fresh_settings.database_url, application="disco tests") as pool:
        yield pool


async def test_it_is_made_once_and_then_left_alone(empty: Pool) -> None:
    made = await own_schema.migrate(empty)
    assert [one.name for one in made][:2] == ["operations", "api_keys"]
    assert await own_schema.migrate(empty) == []
    tables = await empty.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'disco'")
    assert {"operations", "api_keys", "migrations"} <= {row["tablename"] for row in tables}


async def test_a_later_program_adds_what_is_new(empty: Pool) -> None:
    assert await own_schema.migrate(empty, [FIRST]) == [FIRST]
    assert await own_schema.migrate(empty, [FIRST, SECOND]) == [SECOND]
    await empty.execute("INSERT INTO disco.things (id, name) VALUES (1, 'rain')")


async def test_of_many_at_once_one_does_it(empty: Pool) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(own_schema.migrate(empty, [FIRST, SECOND])) for _ in range(5)]
    assert sorted(len(task.result()) for task in tasks) == [0, 0, 0, 0, 2]


async def test_a_step_that_fails_leaves_nothing_behind(empty: Pool) -> None:
    broken = Migration(
        number=2, name="broken", sql="CREATE TABLE disco.more (id integer); SELECT 1/0"
    )
    with pytest.raises(asyncpg.DivisionByZeroError):
        await own_schema.migrate(empty, [FIRST, broken])
    assert await empty.fetchval("SELECT to_regnamespace('disco')") is None


async def test_an_earlier_program_refuses_a_later_schema(empty: Pool) -> None:
    await own_schema.migrate(empty, [FIRST, SECOND])
    with pytest.raises(OwnSchemaError, match="migration 2, and this program knows 1"):
        await own_schema.migrate(empty, [FIRST])


async def test_a_step_that_was_rewritten_is_refused(empty: Pool) -> None:
    await own_schema.migrate(empty, [FIRST])
    changed = Migration(number=1, name="things", sql=FIRST.sql + " ")
    with pytest.raises(OwnSchemaError, match="was changed after"):
        await own_schema.migrate(empty, [changed])


async def test_a_role_that_may_not_is_told_what_it_lacks(empty: Pool) -> None:
    async with empty.acquire() as connection:
        await connection.execute("CREATE ROLE disco_test_reader")
        try:
            await connection.execute("SET ROLE disco_test_reader")
            with pytest.raises(OwnSchemaError, match=r"permission denied.*docs/operations\.md"):
                await own_schema.bring_up(connection, [FIRST])
        finally:
            await connection.execute("RESET ROLE")
            await connection.execute("DROP ROLE disco_test_reader")


@pytest.mark.parametrize("names", [["0002_late.sql"], ["0001_a.sql", "0003_b.sql"], ["first.sql"]])
def test_numbers_have_no_gap(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(OwnSchemaError, match="the name must be 000"):
        own_schema.read(tmp_path)
