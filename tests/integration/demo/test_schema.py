"""The schema keeps its promises, whoever writes."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from core.settings import Settings


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[Any]:
    """In a transaction that is rolled back, on a catalogue of a few rows."""
    opened = await asyncpg.connect(settings.database_url)
    transaction = opened.transaction()
    await transaction.start()
    await opened.execute(
        """
        insert into users (id, username, display_name) values (1, 'anna', 'Anna'), (2, 'bo', 'Bo');
        insert into sounds (id, user_id, title, permalink, duration_ms)
            values (1, 1, 'One', 'one', 1000), (2, 1, 'Two', 'two', 1000), (3, 2, 'III', 'iii', 9);
        insert into sets (id, user_id, title, permalink) values (1, 1, 'S', 's'), (2, 2, 'T', 't');
        insert into groups (id, owner_id, name, permalink) values (1, 1, 'G', 'g');
        insert into tags (id, name) values (1, 'techno'), (2, 'dub');
        """
    )
    yield opened
    await transaction.rollback()
    await opened.close()


async def versions(connection: Any) -> dict[str, datetime]:
    """`<table>/<id>` -> updated_at, of all entities."""
    return {
        f"{table}/{row['id']}": row["updated_at"]
        for table in ("users", "sounds", "sets", "groups")
        for row in await connection.fetch(f"select id, updated_at from {table}")
    }


async def touched(connection: Any, *statements: str) -> set[str]:
    """What gets a new version by the statements; what is gone does not count."""
    before = await versions(connection)
    for statement in statements:
        await connection.execute(statement)
    after = await versions(connection)
    changed = {name for name in after if after[name] != before.get(name)}
    assert all(after[name] > before[name] for name in changed if name in before)
    return changed


async def test_updates_in_one_transaction_have_ascending_versions(connection: Any) -> None:
    update = "update sounds set title = title || '!' where id = 1 returning updated_at"
    seen = [await connection.fetchval(update) for _ in range(200)]
    assert seen == sorted(set(seen))


async def test_versions_ascend_when_the_clock_stepped_back(connection: Any) -> None:
    # A version from the future is what a clock that was ahead leaves behind.
    await connection.execute("alter table sounds disable trigger sounds_updated_at")
    await connection.execute("update sounds set updated_at = clock_timestamp() + interval '1 hour'")
    await connection.execute("alter table sounds enable trigger sounds_updated_at")
    old = await connection.fetchval("select updated_at from sounds where id = 1")
    new = await connection.fetchval(
        "update sounds set title = 'x' where id = 1 returning updated_at"
    )
    assert new == old + timedelta(microseconds=1)


async def test_a_statement_cannot_set_its_own_version(connection: Any) -> None:
    old = await connection.fetchval("select updated_at from users where id = 1")
    new = await connection.fetchval(
        "update users set updated_at = '2001-01-01' where id = 1 returning updated_at"
    )
    assert new > old


async def test_racing_updates_of_a_row_ascend(settings: Settings) -> None:
    one = await asyncpg.connect(settings.database_url)
    other = await asyncpg.connect(settings.database_url)
    try:
        await one.execute("insert into users (id, username, display_name) values (90, 'r', 'R')")
        update = "update users set city = 'X' where id = 90 returning updated_at"
        transaction = one.transaction()
        await transaction.start()
        first = await one.fetchval(update)
        waiting = other.fetchval(update)
        await transaction.commit()
        assert await waiting > first
    finally:
        await one.execute("delete from users where id = 90")
        await one.close()
        await other.close()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("insert into sound_tags values (1, 1, null), (2, 1, 2)", {"sounds/1", "sounds/2"}),
        ("insert into set_sounds values (1, 3, 1)", {"sets/1"}),
        ("insert into set_sounds values (1, 1, 1), (1, 2, 2), (2, 1, 1)", {"sets/1", "sets/2"}),
        ("insert into set_sounds select 1, 1, 1 where false", set()),
        ("insert into group_members values (1, 2)", set()),
        ("insert into group_sounds values (1, 2)", set()),
        ("insert into likes values (2, 1)", set()),
        ("insert into reposts values (2, 1)", set()),
        ("insert into plays values (2, 1, 5)", set()),
        ("insert into follows values (2, 1)", set()),
        ("insert into comments (user_id, sound_id, body) values (2, 1, 'x')", set()),
        ("update users set display_name = 'New' where id = 1", {"users/1"}),
        ("update tags set name = 'tekkno' where id = 1", set()),
    ],
)
async def test_a_change_touches_what_it_belongs_to(
    connection: Any, statement: str, expected: set[str]
) -> None:
    assert await touched(connection, statement) == expected


async def test_moving_and_removing_touch_as_well(connection: Any) -> None:
    await connection.execute("insert into set_sounds values (1, 1, 1), (1, 2, 2)")
    await connection.execute("insert into sound_tags values (1, 1), (1, 2)")
    moved = "update set_sounds set position = 7 where set_id = 1 and sound_id = 1"
    assert await touched(connection, moved) == {"sets/1"}
    elsewhere = "update set_sounds set set_id = 2 where set_id = 1 and sound_id = 1"
    assert await touched(connection, elsewhere) == {"sets/1", "sets/2"}
    assert await touched(connection, "delete from set_sounds where set_id = 1") == {"sets/1"}
    assert await touched(connection, "delete from sound_tags where tag_id = 1") == {"sounds/1"}


async def test_one_statement_touches_a_set_once(connection: Any) -> None:
    await connection.execute(
        """
        create temporary table touches (id bigint) on commit drop;
        create function note() returns trigger language plpgsql as
            'begin insert into touches values (new.id); return null; end';
        create trigger noted after update on sets for each row execute function note();
        insert into set_sounds values (1, 1, 1), (1, 2, 2), (1, 3, 3);
        """
    )
    assert await connection.fetchval("select count(*) from touches") == 1


async def test_a_deleted_sound_touches_the_sets_that_held_it(connection: Any) -> None:
    await connection.execute("insert into set_sounds values (1, 1, 1), (2, 1, 1), (2, 2, 2)")
    assert await touched(connection, "delete from sounds where id = 1") == {"sets/1", "sets/2"}


async def test_a_deleted_user_takes_his_things_along(connection: Any) -> None:
    await connection.execute(
        """
        insert into set_sounds values (2, 1, 1), (1, 3, 1);
        insert into sound_tags values (3, 1, 1);
        insert into likes values (2, 1), (1, 3);
        insert into follows values (1, 2), (2, 1);
        """
    )
    # Set 2 of the other user loses a sound, and his sound 3 a tag.
    assert await touched(connection, "delete from users where id = 1") == {"sets/2", "sounds/3"}
    left = {
        table: await connection.fetchval(f"select count(*) from {table}")
        for table in ("users", "sounds", "sets", "groups", "likes", "follows", "set_sounds")
    }
    assert left == {
        "users": 1,
        "sounds": 1,
        "sets": 1,
        "groups": 0,
        "likes": 0,
        "follows": 0,
        "set_sounds": 0,
    }


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("update users set visibility = 'secret'", "users_visibility_check"),
        ("update users set state = 'suspended'", "users_suspended_check"),
        ("update users set username = 'Anna B' where id = 1", "users_username_check"),
        ("update users set username = 'bo' where id = 1", "users_username_key"),
        ("update users set country_code = 'Germany'", "users_country_code_check"),
        ("update sounds set permalink = 'two' where id = 1", "sounds_permalink_key"),
        ("update sounds set duration_ms = 0", "sounds_duration_check"),
        ("update sounds set license = 'mine'", "sounds_license_check"),
        ("update sounds set genre_id = 99", "sounds_genre_fkey"),
        ("update sets set kind = 'box'", "sets_kind_check"),
        ("insert into follows values (1, 1)", "follows_self_check"),
        ("insert into sound_tags values (1, 1, null), (1, 1, null)", "sound_tags_key"),
        ("insert into plays values (1, 1, 0)", "plays_count_check"),
    ],
)
async def test_nonsense_is_refused(connection: Any, statement: str, constraint: str) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as raised:
        await connection.execute(statement)
    assert raised.value.constraint_name == constraint
