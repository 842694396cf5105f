"""Phrases from a real database, and snapshots of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core.errors import ServiceUnavailableError
from core.settings import Settings
from demo import operations as demo
from suggest import operations, sources
from suggest.drift import DriftError
from suggest.engine import Engine
from suggest.phrases import Phrase
from suggest.sources import SourceError

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def catalogue(settings: Settings, tmp_path: Path) -> Settings:
    """The module's settings, with a generated catalogue and a store for one test."""
    if not (await demo.catalogue_summary(settings)).total:
        await demo.load_generated(settings, 1_000, until=UNTIL)
    return Settings(
        database_url=settings.database_url,
        replica_url=None,
        suggest_store=str(tmp_path / "store"),
    )


async def run(settings: Settings, sql: str, *arguments: Any) -> None:
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(sql, *arguments)
    await connection.close()


async def collected(settings: Settings) -> list[Phrase]:
    found: list[Phrase] = []
    await sources.collect(settings, sources.load(), found)
    return found


async def test_every_source_finds_phrases_of_its_type(catalogue: Settings) -> None:
    found: list[Phrase] = []
    counts = await sources.collect(catalogue, sources.load(), found)
    assert {one.source for one in counts} == {one.name for one in sources.load()}
    assert all(one.phrases > 0 and one.skipped == 0 for one in counts)
    assert {phrase.type for phrase in found} == {"user", "sound", "set", "group"}
    assert all(phrase.permalink and phrase.permalink.startswith("/") for phrase in found)
    assert all(phrase.weight > 0 and phrase.target for phrase in found)


async def test_only_what_everybody_may_see(catalogue: Settings) -> None:
    before = {(phrase.type, phrase.target) for phrase in await collected(catalogue)}
    hidden = next(target for kind, target in before if kind == "user")
    assert hidden is not None
    await run(catalogue, "UPDATE users SET visibility = 'private' WHERE id = $1", int(hidden))
    after = await collected(catalogue)
    assert ("user", hidden) not in {(phrase.type, phrase.target) for phrase in after}
    # Nor anything of theirs.
    connection = await asyncpg.connect(catalogue.database_url)
    own = await connection.fetch("SELECT id FROM sounds WHERE user_id = $1", int(hidden))
    await connection.close()
    assert not {("sound", str(row["id"])) for row in own} & {(p.type, p.target) for p in after}


async def test_a_snapshot_of_the_database(catalogue: Settings) -> None:
    plan = await operations.build_from_database(catalogue, force=False, dry_run=True)
    store = operations.open_store(catalogue)
    assert store.entries() == []
    report = await operations.build_from_database(catalogue, force=False, dry_run=False)
    assert report == plan
    assert store.published() is None
    store.publish(report.edition)
    assert all(not sample.before for sample in report.samples)
    again = await operations.build_from_database(catalogue, force=False, dry_run=True)
    assert [sample.before for sample in again.samples] == [one.texts for one in report.samples]
    engine = Engine.open(store.path_of(report.edition))
    heaviest = max(await collected(catalogue), key=lambda phrase: phrase.weight)
    (first,) = engine.completions(heaviest.text, limit=1)
    assert (first["type"], first["id"]) == (heaviest.type, heaviest.target)
    assert first["permalink"] == heaviest.permalink


async def test_a_catalogue_that_lost_most_of_itself_is_not_built(catalogue: Settings) -> None:
    store = operations.open_store(catalogue)
    report = await operations.build_from_database(catalogue, force=False, dry_run=False)
    store.publish(report.edition)
    await run(catalogue, "UPDATE sounds SET visibility = 'private' WHERE id % 5 <> 0")
    with pytest.raises(DriftError, match="phrases of type sound"):
        await operations.build_from_database(catalogue, force=False, dry_run=False)
    assert len(store.entries()) == 1
    forced = await operations.build_from_database(catalogue, force=True, dry_run=False)
    assert forced.facts["types"]["sound"] < report.facts["types"]["sound"] / 2
    await run(catalogue, "UPDATE sounds SET visibility = 'public'")


async def test_a_query_that_the_database_refuses_is_named(
    catalogue: Settings, tmp_path: Path
) -> None:
    (tmp_path / "sources.json").write_text(
        '[{"name": "bad", "type": "sound", "factor": 1, "minimum_weight": 0, "cap": 5}]'
    )
    (tmp_path / "bad.sql").write_text("SELECT id FROM nowhere WHERE :wanted(id)")
    with pytest.raises(SourceError, match=r"bad\.sql.*nowhere"):
        await sources.collect(catalogue, sources.load(tmp_path), [])


async def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    away = Settings(
        database_url="postgresql://postgres@127.0.0.1:1/none", suggest_store=str(tmp_path)
    )
    with pytest.raises(ServiceUnavailableError, match="DISCO_DATABASE_URL"):
        await operations.build_from_database(away, force=False, dry_run=True)
