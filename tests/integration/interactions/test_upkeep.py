"""Days that are over become files, old days go, and so does whoever asks."""

import dataclasses
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from pyarrow import parquet

from core import own_schema
from core.database import Pool, open_pool
from core.operation_log import Actor, OperationLog
from core.settings import Settings
from evaluation import interaction_operations, online_operations
from evaluation.interactions import store
from evaluation.interactions.archive import Archive
from evaluation.interactions.errors import InteractionsError
from evaluation.interactions.records import (
    Interaction,
    Kind,
    Pseudonyms,
    ShownSearch,
    body_of,
    encode,
    split,
)
from evaluation.online_operations import OnlineFigures

NOW = datetime.now(UTC)
SECRET = "salt"
ACTOR = Actor(name="tests", via="cli")


@pytest.fixture
def kept(fresh_settings: Settings, tmp_path: Path) -> Settings:
    return dataclasses.replace(
        fresh_settings,
        interactions_store=str(tmp_path / "store"),
        interactions_secret=SECRET,
        interactions_retention=30,
    )


@pytest.fixture
async def primary(kept: Settings) -> AsyncIterator[Pool]:
    async with open_pool(kept.database_url, application="disco tests") as pool:
        await own_schema.migrate(pool)
        yield pool


async def happen(
    primary: Pool, days_ago: int, *, user: str | None = None, session: str | None = None
) -> str:
    """A search so many days ago, with a click on its second hit; its id."""
    at, query_id = NOW - timedelta(days=days_ago), uuid.uuid4().hex
    pseudonyms = Pseudonyms(SECRET)
    shown = ShownSearch(
        day=at.date(), query_id=query_id, first=0, searched_at=at, text="rain", types=("sound",),
        every_type=False, total=2, took_ms=3, hit_types=["sound"] * 2, hit_ids=["1", "2"],
        teams=None, variant="live", experiment=None, generations={"sound": "s"}, edition="e",
        user_hash=pseudonyms.user(user), session_hash=pseudonyms.session(session),
    )  # fmt: skip
    clicked = Interaction(
        day=at.date(), query_id=query_id, id="1", kind=Kind.CLICK, entity_type="sound",
        entity_id="2", position=2, done_at=at + timedelta(seconds=3), received_at=at,
    )  # fmt: skip
    await store.insert(primary, *split(body_of([encode(shown), encode(clicked)])))
    return query_id


async def queries(primary: Pool) -> set[str]:
    tables = [
        {row[0] for row in await primary.fetch(f"SELECT query_id FROM disco.{name}")}
        for name in store.TABLES
    ]
    assert tables[0] == tables[1]
    return tables[0]


def archived(settings: Settings) -> dict[int, set[str]]:
    """Ids of the searches in the files, by how many days ago they were."""
    archive = Archive(Path(settings.interactions_store))
    return {
        (NOW.date() - day).days: {
            one
            for table in store.TABLES
            for one in parquet.read_table(archive.file(table, day))["query_id"].to_pylist()
        }
        for day in archive.days()
    }


async def figures(settings: Settings) -> OnlineFigures:
    since, until = NOW - timedelta(days=20), NOW + timedelta(minutes=1)
    (one,) = (await online_operations.online_measures(settings, since, until)).figures
    return one


async def test_days_that_are_over_become_files_and_figures_stay(
    kept: Settings, primary: Pool
) -> None:
    ids = [await happen(primary, days) for days in (0, 1, 2, 3)]
    before = await figures(kept)
    assert (before.searches, before.mean_clicked_position) == (4, 2)
    await interaction_operations.keep_up(kept)
    assert archived(kept) == {2: {ids[2]}, 3: {ids[3]}}
    # What stands in a file is read from it.
    for table in store.TABLES:
        await primary.execute(
            f"DELETE FROM disco.{table} WHERE day = $1", (NOW - timedelta(days=2)).date()
        )
    assert await figures(kept) == before


async def test_what_comes_late_is_in_the_file_the_next_time(kept: Settings, primary: Pool) -> None:
    first = await happen(primary, 3)
    assert len((await interaction_operations.keep_up(kept)).archived) == 1
    assert (await interaction_operations.keep_up(kept)).archived == []
    late = await happen(primary, 3)
    await interaction_operations.keep_up(kept)
    assert archived(kept) == {3: {first, late}}


async def test_days_beyond_the_retention_go_rows_and_files(kept: Settings, primary: Pool) -> None:
    old, young = await happen(primary, 31), await happen(primary, 30)
    longer = dataclasses.replace(kept, interactions_retention=40)
    await interaction_operations.keep_up(longer)
    assert archived(kept) == {31: {old}, 30: {young}}
    planned = await interaction_operations.keep_up(kept, dry_run=True)
    assert await queries(primary) == {old, young}
    done = await interaction_operations.keep_up(kept)
    assert [done.dropped, planned.dropped] == [[(NOW - timedelta(days=31)).date()]] * 2
    assert await queries(primary) == {young}
    assert archived(kept) == {30: {young}}


async def test_whoever_asks_is_forgotten_in_rows_and_files(kept: Settings, primary: Pool) -> None:
    theirs = {
        await happen(primary, 3, user="ana", session="s1"),
        await happen(primary, 0, user="ana"),
        await happen(primary, 0, session="s1"),  # before she said who she is
    }
    others = {
        await happen(primary, 3, user="bob", session="s1"),
        await happen(primary, 0, session="s2"),
        await happen(primary, 3),
    }
    await interaction_operations.keep_up(kept)
    planned = await interaction_operations.forget(kept, ACTOR, user="ana", dry_run=True)
    assert await queries(primary) == theirs | others
    done = await interaction_operations.forget(kept, ACTOR, user="ana")
    assert (planned.searches, done.searches) == (3, 3)
    assert await queries(primary) == others
    assert not theirs & archived(kept)[3]
    (logged,) = await OperationLog(primary, ACTOR).history(area="interactions")
    assert (logged.action, logged.before) == ("interactions.forget", {"searches": 3})
    assert "ana" not in orjson.dumps([logged.subject, logged.before]).decode()


async def test_without_the_secret_nobody_can_be_found(kept: Settings) -> None:
    plain = dataclasses.replace(kept, interactions_secret="")
    with pytest.raises(InteractionsError, match="DISCO_INTERACTIONS_SECRET"):
        await interaction_operations.forget(plain, ACTOR, user="ana")


async def test_queries_come_from_the_same_log(kept: Settings, primary: Pool) -> None:
    for days in (0, 3):
        await happen(primary, days)
    period: tuple[Any, Any] = NOW - timedelta(days=7), NOW + timedelta(minutes=1)
    (top,) = await online_operations.top_queries(kept, *period, 5)
    assert (top.text, top.searches, top.click_through) == ("rain", 2, 1)
    assert await online_operations.failing_queries(kept, *period, 5, least=1) == []
    assert await online_operations.reformulated_queries(kept, *period, 5) == []
    assert (await online_operations.long_tail(kept, *period, 5, most=1)).rare_texts == 0
