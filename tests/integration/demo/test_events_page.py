"""The examples of docs/events.md do what the page says."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from core.events import Action, Event, to_microseconds
from core.settings import Settings
from demo.application import Application
from tests.integration.demo.conftest import Published

PAGE = Path(__file__).resolve().parents[3] / "docs" / "events.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


async def test_the_python_example_is_a_producer(
    catalogue: Settings, application: Application, database: Any, published: Published
) -> None:
    (example,) = blocks("python")
    names: dict[str, Any] = {}
    exec(compile(example, str(PAGE), "exec"), names)  # noqa: S102 it is ours
    await names["rename_sound"](catalogue.database_url, catalogue.broker_url, 11, "From the page")
    row = await database.fetchrow("select title, updated_at from sounds where id = 11")
    assert row["title"] == "From the page"
    assert await published() == [
        Event("sound", 11, Action.SAVE, to_microseconds(row["updated_at"]))
    ]


async def test_the_trigger_is_that_of_the_schema(catalogue: Settings, database: Any) -> None:
    trigger, deletion = blocks("sql")
    transaction = database.transaction()
    await transaction.start()
    await database.execute(
        "drop trigger sounds_updated_at on sounds;"
        "alter function keep_updated_at() rename to keep_updated_at_before;"
    )
    await database.execute(trigger)
    update = "update sounds set title = title || '!' where id = 12 returning updated_at"
    seen = [await database.fetchval(update) for _ in range(50)]
    assert seen == sorted(set(seen))
    gone = await database.fetchval(deletion.replace("4711", "12").rstrip(" ;\n"))
    assert gone > seen[-1]
    await transaction.rollback()


async def test_the_version_from_a_shell_is_that_of_the_row(
    catalogue: Settings, database: Any
) -> None:
    (shell,) = blocks("sh")
    found = re.search(r'-Atc "(select .*?)"\)', shell)
    assert found
    printed = await database.fetchval(found[1].replace("4711", "13"))
    version = await database.fetchval("select updated_at from sounds where id = 13")
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d+[+-]\d\d:\d\d", printed)
    assert datetime.fromisoformat(printed) == version
