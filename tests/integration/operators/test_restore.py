"""What a backup has of the service's own schema brings back keys and the operation log."""

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from access.operations import open_keys, parse
from access.register import KeyRegister
from core.database import open_pool
from core.operation_log import Actor, OperationLog
from core.settings import Settings
from stack.assembly import Stack

ANA = Actor(name="ana", via="test")


def _dumped(stack: Stack, settings: Settings, file: Path) -> None:
    """As docs/operations.md has it."""
    subprocess.run(
        [
            str(stack.primary.program("pg_dump")),
            *("--schema=disco", "--clean", "--if-exists", f"--file={file}", settings.database_url),
        ],
        check=True,
        timeout=60,
        capture_output=True,
    )


async def test_keys_and_the_operation_log_come_back(
    fresh_settings: Settings, stack: Stack, tmp_path: Path
) -> None:
    async with open_keys(fresh_settings, ANA) as keys:
        kept = await keys.create("kept", ["admin"], days=3)
    file = tmp_path / "disco.sql"
    _dumped(stack, fresh_settings, file)
    async with open_keys(fresh_settings, ANA) as keys:
        later = await keys.create("later", ["admin"])
    connection = await asyncpg.connect(fresh_settings.database_url)
    await connection.execute("DROP SCHEMA disco CASCADE")
    await connection.close()
    database = urlsplit(fresh_settings.database_url).path.strip("/")
    stack.primary.run_file(file, database=database)
    async with open_pool(fresh_settings.database_url, application="test") as pool:
        register = KeyRegister(pool)
        known, unknown = parse(kept.text), parse(later.text)
        assert known is not None
        assert unknown is not None
        assert await register.verify(known) == kept.key
        assert await register.verify(unknown) is None
        [entry] = await OperationLog(pool, ANA).history(subject=kept.key.id)
        assert entry.action == "keys.create"
    async with open_keys(fresh_settings, ANA) as keys:  # and it goes on from there
        await keys.create("next", ["admin"])
