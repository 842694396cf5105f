"""Known items of a real catalogue: rows drawn, damaged, looked for by ours and by the defaults."""

import asyncio

import asyncpg
import orjson
import pytest

from cli import output
from core.engine import create_engine
from core.settings import Settings
from tests.integration.evaluation.conftest import Disco
from tests.integration.query_api import catalogue
from tests.integration.query_api.catalogue import sound, user

ARTIST = "Zoë Água"
TITLES = ["Rain in Berlin", "Sunday Mass", "Night Bus", "Slow Water"]


@pytest.fixture(scope="module")
def filled(settings: Settings) -> Settings:
    async def fill() -> None:
        connection = await asyncpg.connect(settings.database_url)
        try:
            owner = await connection.fetchval(
                "insert into users (username, display_name) values ('zoe', $1) returning id", ARTIST
            )
            ids = [
                await connection.fetchval(
                    "insert into sounds (user_id, permalink, title, duration_ms, visibility) "
                    "values ($1, $2, $3, 1000, $4) returning id",
                    *(owner, title.lower().replace(" ", "-"), title, visibility),
                )
                for title, visibility in [*((one, "public") for one in TITLES), ("Mine", "private")]
            ]
        finally:
            await connection.close()
        async with create_engine(settings) as engine:
            await catalogue.create_indices(engine, settings)
            sounds = (
                sound(number, title, subtitle=ARTIST)
                for number, title in zip(ids, TITLES, strict=False)
            )
            await catalogue.write(engine, settings, [*sounds, user(owner, ARTIST)])

    asyncio.run(fill())
    return settings


@pytest.mark.usefixtures("filled")
def test_damaged_names_are_looked_for_by_both(disco: Disco) -> None:
    told = disco("eval", "known-items", "--queries", "50", "--json")
    assert told.code == output.OK, told.err
    found = orjson.loads(told.out)
    assert found["queries"] == len(TITLES), "what is private is not looked for"
    ours = found["systems"]["ours"]
    assert set(found["systems"]) == {"defaults", "ours"}
    assert set(ours) == {"all", "dropped", "swapped", "typo", "accents"}
    for kind in ("swapped", "accents"):
        assert ours[kind]["success_at_1"] == 1.0
    assert found["systems"]["defaults"]["swapped"]["success_at_10"] == 1.0
    assert disco("eval", "known-items", "--queries", "50", "--json").out == told.out
    prose = disco("eval", "known-items", "--queries", "2")
    assert (prose.code, "success@10" in prose.out) == (output.OK, True)


def test_a_list_that_cannot_be_read_is_told(disco: Disco) -> None:
    told = disco("eval", "known-items", "--misspellings", "/nonexistent")
    assert (told.code, "cannot be read" in told.err) == (output.BAD_USAGE, True)
