"""The product works under the database roles of `core/roles.sql`, and they can do no more."""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest

from access.operations import open_keys
from core.operation_log import Actor
from core.settings import Settings
from demo import writes
from stack.assembly import Stack
from tests.integration.indexer.scene import open_scene
from tests.integration.query_api.serving import served
from tests.services import ROOT

SCRIPT = ROOT / "core" / "roles.sql"
ROLES = ("disco_worker", "disco_api", "disco_operator")
PASSWORD = "once"


def _as(url: str, user: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}"))


@pytest.fixture
async def logins(fresh_settings: Settings, stack: Stack) -> AsyncIterator[Mapping[str, Settings]]:
    """Settings by role, each with a user who has that role and no other."""
    made = {role: f"{role}_of_{fresh_settings.index_prefix}" for role in ROLES}
    database = urlsplit(fresh_settings.database_url).path.strip("/")
    for _ in range(2):  # it can be run again
        stack.primary.run_file(SCRIPT, database=database)
    connection = await asyncpg.connect(fresh_settings.database_url)
    try:
        for role, user in made.items():
            await connection.execute(
                f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}' IN ROLE {role}"
            )
        operator = made["disco_operator"]
        await connection.execute(f"ALTER ROLE {operator} SET role = 'disco_operator'")
        yield {
            role: dataclasses.replace(
                fresh_settings,
                database_url=_as(fresh_settings.database_url, user),
                replica_url=None,
            )
            for role, user in made.items()
        }
    finally:
        for name in (*made.values(), *ROLES):
            # Another run of the tests may use the roles in its own database.
            with suppress(asyncpg.DependentObjectsStillExistError, asyncpg.UndefinedObjectError):
                await connection.execute(f"DROP OWNED BY {name} CASCADE")
                await connection.execute(f"DROP ROLE {name}")
        await connection.close()


async def test_a_worker_indexes(
    logins: Mapping[str, Settings], fresh_settings: Settings, tmp_path: Path
) -> None:
    async with open_scene(fresh_settings, tmp_path) as scene:
        await scene.index.build(["user"])
        under = dataclasses.replace(scene, settings=logins["disco_worker"])
        async with under.worker():
            [user] = await scene.application.apply(writes.create_user("Ana"))
            await scene.shows("user", user.id, title="Ana")


async def test_the_query_api_knows_a_key_that_an_operator_made(
    logins: Mapping[str, Settings], fresh_settings: Settings, tmp_path: Path
) -> None:
    async with open_keys(logins["disco_operator"], Actor(name="test", via="test")) as keys:
        created = await keys.create("test", ["search:read"])
    async with open_scene(fresh_settings, tmp_path) as scene:
        await scene.index.build()
    with served(logins["disco_api"]) as address:
        async with httpx.AsyncClient(timeout=20) as client:
            answer = await client.get(
                f"{address}/v1/search",
                params={"variant": "live"},
                headers={"Authorization": f"Bearer {created.text}"},
            )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("disco_worker", "UPDATE users SET display_name = 'x'"),
        ("disco_worker", "CREATE TABLE made (id int)"),
        ("disco_worker", "SELECT 1 FROM disco.api_keys"),
        ("disco_api", "SELECT 1 FROM sounds"),
        ("disco_api", "UPDATE disco.api_keys SET scopes = '{admin}'"),
        ("disco_api", "DELETE FROM disco.operations"),
        ("disco_operator", "DELETE FROM sounds"),
    ],
)
async def test_more_is_refused(logins: Mapping[str, Settings], role: str, statement: str) -> None:
    async with open_keys(logins["disco_operator"], Actor(name="test", via="test")) as keys:
        assert await keys.list() == []  # the schema has its tables
    connection = await asyncpg.connect(logins[role].database_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
