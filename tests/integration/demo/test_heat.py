"""What activity adds up to, kept by the schema, against the sum that it stands for."""

import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from core.settings import Settings
from demo import schema

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HALF_LIVES = {"day": timedelta(hours=6), "week": timedelta(days=2), "month": timedelta(days=8)}
LIKE, PLAY = 4, 1


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[Any]:
    """In a transaction that is rolled back, with five people and three sounds."""
    opened = await asyncpg.connect(settings.database_url)
    transaction = opened.transaction()
    await transaction.start()
    await opened.execute(
        """
        insert into users (id, username, display_name)
            select i, 'user-' || i, 'User' from generate_series(1, 5) as i;
        insert into sounds (id, user_id, title, permalink, duration_ms)
            select i, 1, 'Sound', 'sound-' || i, 1000 from generate_series(1, 3) as i;
        """
    )
    yield opened
    await transaction.rollback()
    await opened.close()


def summed(acts: list[tuple[datetime, float]], half_life: timedelta) -> float:
    """The logarithm of the sum of all acts, each of a moment and a weight."""
    newest = max(moment for moment, _ in acts)
    faded = sum(weight * 2 ** ((moment - newest) / half_life) for moment, weight in acts)
    return (newest - BEGINNING) / half_life + math.log2(faded)


async def like(connection: Any, *acts: tuple[int, int, datetime]) -> None:
    await connection.executemany("insert into likes values ($1, $2, $3)", acts)


@pytest.mark.parametrize(("field", "half_life"), HALF_LIVES.items(), ids=HALF_LIVES)
async def test_acts_add_up_one_by_one_and_together(
    connection: Any, field: str, half_life: timedelta
) -> None:
    moments = [MOMENT - timedelta(hours=hours) for hours in (300, 40, 0, 3)]
    await like(connection, *((user, 1, at) for user, at in enumerate(moments, 1)))
    await connection.execute(
        "insert into likes select * from unnest($1::bigint[], $2::bigint[], $3::timestamptz[])",
        *([1, 2, 3, 4], [2, 2, 2, 2], moments),
    )
    wanted = summed([(moment, LIKE) for moment in moments], half_life)
    rows = await connection.fetch(f"select {field}, last_at from sound_heat order by sound_id")
    assert [row["last_at"] for row in rows] == [MOMENT, MOMENT]
    assert [row[field] for row in rows] == pytest.approx([wanted, wanted], abs=1e-6)


async def test_each_play_counts_and_an_old_sound_cools_down(connection: Any) -> None:
    old = MOMENT - timedelta(days=900)
    await like(connection, *((user, 1, old) for user in range(1, 6)))
    for _ in range(3):
        await connection.execute(
            "insert into plays values (1, 2, 1, $1) on conflict (user_id, sound_id) "
            "do update set count = plays.count + 1, last_played_at = $1",
            MOMENT,
        )
    heat = dict(await connection.fetch("select sound_id, month from sound_heat"))
    assert heat[2] == pytest.approx(summed([(MOMENT, PLAY)] * 3, HALF_LIVES["month"]), abs=1e-6)
    assert heat[1] < heat[2] - 100


async def test_a_moment_ahead_of_the_clock_counts_as_now(connection: Any) -> None:
    await like(connection, (1, 1, datetime(2999, 1, 1, tzinfo=UTC)))
    ahead = await connection.fetchval("select last_at > clock_timestamp() from sound_heat")
    assert ahead is False


async def test_who_is_followed_is_busy_and_who_goes_takes_it_along(connection: Any) -> None:
    await connection.execute("insert into follows values (1, 2), (3, 2), (1, 4)")
    assert await connection.fetch("select user_id from user_heat order by 1") == [(2,), (4,)]
    await connection.execute("delete from users where id = 2")
    assert await connection.fetch("select user_id from user_heat") == [(4,)]


async def test_what_was_loaded_before_the_triggers_has_the_same_heat(connection: Any) -> None:
    await connection.execute(
        """
        insert into likes values (1, 1, $$2026-02-28$$), (2, 1, $$2026-02-27$$);
        insert into plays values (1, 2, 7, $$2026-02-20$$);
        insert into reposts values (1, 2, $$2026-02-21$$);
        insert into comments (user_id, sound_id, body, created_at)
            values (1, 3, 'x', $$2026-02-22$$);
        insert into follows values (1, 2, $$2026-02-26$$);
        """
    )
    one_by_one = await _heat(connection)
    for name in ("sound_heat", "user_heat"):
        await connection.execute(f"delete from {name}")
    begin = schema.section("triggers").rindex("do $$")
    await connection.execute(schema.section("triggers")[begin:])
    together = await _heat(connection)
    assert together.keys() == one_by_one.keys() == {"sound 1", "sound 2", "sound 3", "user 2"}
    for key, heat in one_by_one.items():
        assert together[key] == pytest.approx(heat, abs=1e-6), key


async def _heat(connection: Any) -> dict[str, list[float]]:
    rows = await connection.fetch(
        "select 'sound ' || sound_id as key, day, week, month from sound_heat union all "
        "select 'user ' || user_id, day, week, month from user_heat"
    )
    return {row["key"]: [row["day"], row["week"], row["month"]] for row in rows}
