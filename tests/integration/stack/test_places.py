"""What the other tests stand on: a place in the stack is empty, reachable, gone afterwards."""

import asyncpg

from core.settings import Settings
from stack import places
from stack.assembly import Stack
from tests import services


async def _users(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM users"))
    finally:
        await connection.close()


async def test_primary_and_replica_have_the_empty_catalogue(settings: Settings) -> None:
    assert settings.replica_url is not None
    assert await _users(settings.database_url) == 0
    assert await _users(settings.replica_url) == 0


def test_places_do_not_share_anything(stack: Stack) -> None:
    with services.place(stack) as one, services.place(stack) as other:
        assert one.database_url != other.database_url
        assert one.broker_url != other.broker_url
        assert one.index_prefix != other.index_prefix


def test_nothing_remains_of_a_place(stack: Stack) -> None:
    with services.place(stack) as made:
        name = made.index_prefix
        services.engine(stack, "PUT", f"/{name}-sound")
        assert name in places.databases(stack)
        assert name in places.virtual_hosts(stack)
        assert f"{name}-sound" in places.indices(stack)
    assert name not in places.databases(stack)
    assert name not in places.virtual_hosts(stack)
    assert f"{name}-sound" not in places.indices(stack)


def test_what_a_killed_run_left_is_swept_away(stack: Stack) -> None:
    # No process has this number: the kernel's highest is 2^22.
    name = f"{services.MARK}_4194305_1"
    stack.primary.query(f"CREATE DATABASE {name}")
    places.make_virtual_host(stack, name)
    services.engine(stack, "PUT", f"/{name}-sound")
    services._sweep(stack)
    assert name not in places.databases(stack)
    assert name not in places.virtual_hosts(stack)
    assert f"{name}-sound" not in places.indices(stack)
