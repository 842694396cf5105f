"""Snapshots of a real database, weighed by the rank edition that searches read."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.rank_editions import Edition, RankStore, Slot, Slots
from core.settings import Settings
from demo import operations as demo
from indexer import rank_alias
from suggest import operations, rank_weights, sources
from suggest.phrases import Phrase
from suggest.sources import SourceError
from tests.integration.indexer.oracle import Index, open_index

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def catalogue(settings: Settings, tmp_path: Path) -> Settings:
    """The module's settings, with a generated catalogue and stores for one test."""
    if not (await demo.catalogue_summary(settings)).total:
        await demo.load_generated(settings, 1_000, until=UNTIL)
    return replace(
        settings, suggest_store=str(tmp_path / "store"), rank_store=str(tmp_path / "ranks")
    )


@pytest.fixture
async def index(catalogue: Settings) -> AsyncIterator[Index]:
    """An index of groups, for one test: that is enough to say which slot is live."""
    async with open_index(catalogue) as opened:
        definition = opened.services.definitions["group"]
        generation = await opened.services.generations.create(definition)
        await opened.services.generations.promote(generation, before=None)
        yield opened
        live = await opened.services.generations.live("group")
        await opened.services.generations.delete(live)


async def phrases_of(settings: Settings, ranks: str | None = None) -> list[Phrase]:
    found: list[Phrase] = []
    weights = await rank_weights.choose(settings, ranks)
    await sources.collect(settings, sources.load(), found, weights)
    return found


def put(settings: Settings, ranks: dict[int, int], *, minute: int = 0) -> Edition:
    """An edition that ranks some sounds."""
    arrays = {
        "sound.ids.npy": np.array(sorted(ranks)),
        "sound.ranks.npy": np.array([ranks[one] for one in sorted(ranks)], dtype=np.uint8),
    }
    return RankStore(Path(settings.rank_store)).put(
        arrays, {"minute": minute}, at=UNTIL + timedelta(minutes=minute)
    )


def file_of(settings: Settings, edition: str) -> bytes:
    return operations.open_store(settings).path_of(edition).read_bytes()


async def build(settings: Settings, ranks: str | None = None) -> operations.BuildReport:
    return await operations.build_from_database(settings, force=True, dry_run=False, ranks=ranks)


async def test_the_live_edition_is_in_the_weights_and_no_other(
    catalogue: Settings, index: Index
) -> None:
    plain = await phrases_of(catalogue)
    sound = next(int(phrase.target or "") for phrase in plain if phrase.type == "sound")
    former, later = put(catalogue, {sound: 16}), put(catalogue, {sound: 80}, minute=1)
    RankStore(Path(catalogue.rank_store)).record(Slots(a=former.name, b=later.name))
    engine, prefix = index.services.engine, catalogue.index_prefix
    for slot, edition, factor in ((Slot.A, former, 2.0), (Slot.B, later, 32.0)):
        await rank_alias.lead(engine, [f"{prefix}-group"], slot)
        report = await build(catalogue)
        assert report.facts["rank_edition"] == edition.name
        ranked = await phrases_of(catalogue)
        assert len(ranked) == len(plain) > 1_000
        raised = 0
        for before, after in zip(plain, ranked, strict=True):
            is_ranked = (before.type, before.target) == ("sound", str(sound))
            raised += is_ranked
            assert after == before._replace(weight=before.weight * (factor if is_ranked else 1.0))
        assert raised > 0


async def test_a_loved_sound_goes_before_one_that_is_played_more(
    catalogue: Settings, index: Index
) -> None:
    del index
    plain = await phrases_of(catalogue)
    sounds = [phrase for phrase in plain if phrase.type == "sound"]
    last = min(sounds, key=lambda phrase: phrase.weight)
    edition = put(catalogue, {int(last.target or ""): 255})
    report = await build(catalogue, ranks=edition.name)
    engine = operations.open_file(operations.open_store(catalogue).path_of(report.edition))
    (first,) = engine.completions(last.text[:1], limit=1, types=["sound"])
    assert first["id"] == last.target


async def test_equal_input_makes_equal_bytes(catalogue: Settings, index: Index) -> None:
    without = await build(catalogue)
    assert "rank_edition" not in without.facts
    edition = put(catalogue, {one: one % 256 for one in range(1, 2_000)})
    RankStore(Path(catalogue.rank_store)).record(Slots(a=edition.name))
    await rank_alias.lead(index.services.engine, [f"{catalogue.index_prefix}-group"], Slot.A)
    by_slot = await build(catalogue)
    elsewhere = replace(catalogue, suggest_store=f"{catalogue.suggest_store}-2")
    named = await build(elsewhere, ranks=edition.name)
    assert named.edition == by_slot.edition != without.edition
    assert file_of(elsewhere, named.edition) == file_of(catalogue, by_slot.edition)
    assert (await build(catalogue, ranks="none")).edition == without.edition
    # What was recorded for the other slot is not live before searches read it.
    await rank_alias.lead(index.services.engine, [f"{catalogue.index_prefix}-group"], Slot.B)
    assert (await build(catalogue)).edition == without.edition


async def test_without_any_index_nothing_is_live(catalogue: Settings) -> None:
    edition = put(catalogue, {1: 100})
    RankStore(Path(catalogue.rank_store)).record(Slots(a=edition.name))
    assert "rank_edition" not in (await build(catalogue)).facts


async def test_a_source_whose_ids_cannot_be_ranked_is_named(
    catalogue: Settings, tmp_path: Path
) -> None:
    edition = put(catalogue, {1: 100})
    (tmp_path / "sources.json").write_text(
        '[{"name": "odd", "type": "sound", "factor": 1, "rank": 1, "minimum_weight": 0, "cap": 5}]'
    )
    (tmp_path / "odd.sql").write_text(
        "SELECT 'x' || id AS id, title AS text, 1 AS weight, '/' AS permalink FROM sounds "
        "WHERE :wanted(sounds.id)"
    )
    weights = await rank_weights.choose(catalogue, edition.name)
    with pytest.raises(SourceError, match=r'odd\.sql: .*"rank": 0 in sources\.json'):
        await sources.collect(catalogue, sources.load(tmp_path), [], weights)
