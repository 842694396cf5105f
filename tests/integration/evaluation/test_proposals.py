"""`disco eval judgments propose`: what people search for comes to be judged."""

import asyncio
import uuid
from datetime import UTC, datetime

import orjson
import pytest

from cli import output
from core import own_schema
from core.database import open_pool
from core.engine import create_engine
from core.settings import Settings
from evaluation.interactions import store
from evaluation.interactions.records import (
    Interaction,
    Kind,
    ShownSearch,
    body_of,
    encode,
    split,
)
from tests.integration.evaluation.conftest import Disco
from tests.integration.query_api import catalogue
from tests.integration.query_api.catalogue import sound

NOW = datetime.now(UTC)
#: How often each is searched for; somebody clicks for rain alone.
SEARCHES = {"rain": 4, "night bus": 3, "sunday mass": 2}


def _records(text: str) -> list[bytes]:
    query_id = uuid.uuid4().hex
    shown = ShownSearch(
        day=NOW.date(), query_id=query_id, first=0, searched_at=NOW, text=text, types=("sound",),
        every_type=True, total=1, took_ms=3, hit_types=["sound"], hit_ids=["1"], teams=None,
        variant="live", experiment=None, generations={}, edition=None, user_hash=None,
        session_hash=None,
    )  # fmt: skip
    clicked = Interaction(
        day=NOW.date(), query_id=query_id, id="1", kind=Kind.CLICK, entity_type="sound",
        entity_id="1", position=1, done_at=NOW, received_at=NOW,
    )  # fmt: skip
    return [encode(shown), encode(clicked)] if text == "rain" else [encode(shown)]


@pytest.fixture(scope="module")
def searched(settings: Settings) -> Settings:
    """A log of searches, and a catalogue in which they find something."""

    async def fill() -> None:
        async with open_pool(settings.database_url, application="disco tests") as pool:
            await own_schema.migrate(pool)
            for text, times in SEARCHES.items():
                records = [one for _ in range(times) for one in _records(text)]
                await store.insert(pool, *split(body_of(records)))
        async with create_engine(settings) as engine:
            await catalogue.create_indices(engine, settings)
            found = [
                sound(1, "Rain", description="rain"),
                *(sound(2, "Night Bus"), sound(3, "Sunday Mass")),
            ]
            await catalogue.write(engine, settings, found)

    asyncio.run(fill())
    return settings


@pytest.mark.usefixtures("searched")
def test_frequent_and_failing_queries_are_put_in_once(disco: Disco) -> None:
    command = ("eval", "judgments", "propose", "spring", "--limit", "2")
    planned = disco(*command, "--dry-run")
    assert (planned.code, planned.out) == (output.OK, "rain\nnight bus\n"), planned.err
    assert disco("eval", "judgments", "list", "spring").code == output.BAD_USAGE  # not made
    assert disco(*command).out == "rain\nnight bus\n"
    failing = orjson.loads(disco(*command, "--from", "failing", "--json").out)
    assert [one["text"] for one in failing["proposed"]] == ["sunday mass"]
    assert failing["known"] == 1
    told = disco("eval", "judgments", "export", "spring", "--format", "queries").out
    assert [line.split("\t")[1] for line in told.splitlines()] == list(SEARCHES)


@pytest.mark.usefixtures("searched", "blind")
def test_queries_that_a_variant_answers_otherwise(disco: Disco) -> None:
    command = ("eval", "judgments", "propose", "other", "--dry-run", "--json")
    told = disco(*command, "--from", "differing", "--variant", "blind")
    assert told.code == output.OK, told.err
    found = [one["text"] for one in orjson.loads(told.out)["proposed"]]
    assert found == ["night bus", "sunday mass"]
    for wrong in (("--variant", "blind"), ("--from", "differing")):
        assert disco(*command, *wrong).code == output.BAD_USAGE
