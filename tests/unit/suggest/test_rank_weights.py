"""What a rank edition makes of weights, and which edition that is."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.errors import ServiceUnavailableError
from core.rank_editions import Edition, RankStore, RankStoreError, Slots
from core.settings import Settings
from suggest import rank_weights, sources
from suggest.rank_weights import RankWeights, UnrankedIdError

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With an engine that does not answer."""
    return Settings(rank_store=str(tmp_path / "ranks"), engine_url="http://127.0.0.1:1")


@pytest.fixture
def store(settings: Settings) -> RankStore:
    return RankStore(Path(settings.rank_store))


@pytest.fixture
def edition(store: RankStore) -> Edition:
    arrays = {
        "user.ids.npy": np.array([3, 5, 8]),
        "user.ranks.npy": np.array([0, 8, 255], dtype=np.uint8),
    }
    return store.put(arrays, {}, at=AT)


def test_twice_the_score_counts_as_often_as_the_source_says(edition: Edition) -> None:
    weights = RankWeights(edition)
    assert weights.edition == edition.name
    assert weights.factors("user", ["5", "3", "8", "4"], 1.0) == [2.0, 1.0, 2.0**31.875, 1.0]
    assert weights.factors("user", ["5"], 0.5) == [2.0**0.5]


def test_what_has_no_rank_keeps_its_weight(edition: Edition) -> None:
    weights = RankWeights(edition)
    assert weights.factors("sound", ["5", "any"], 1.0) == [1.0, 1.0]
    assert weights.factors("user", ["5", "any"], 0.0) == [1.0, 1.0]
    assert weights.factors("user", [], 1.0) == []


@pytest.mark.parametrize("one", ["five", "", "9223372036854775808"])
def test_ids_that_cannot_be_ranked_are_told(edition: Edition, one: str) -> None:
    with pytest.raises(UnrankedIdError, match="whole numbers"):
        RankWeights(edition).factors("user", ["5", one], 1.0)


async def test_without_a_publication_the_engine_is_not_asked(
    settings: Settings, edition: Edition
) -> None:
    assert await rank_weights.choose(settings, None) is None


async def test_a_named_edition_needs_no_engine(
    settings: Settings, store: RankStore, edition: Edition
) -> None:
    store.record(Slots(a=edition.name))
    chosen = await rank_weights.choose(settings, edition.name)
    assert chosen is not None
    assert chosen.edition == edition.name
    assert await rank_weights.choose(settings, "none") is None


async def test_an_engine_that_is_away_is_told_with_the_remedy(
    settings: Settings, store: RankStore, edition: Edition
) -> None:
    store.record(Slots(b=edition.name))
    with pytest.raises(ServiceUnavailableError, match=r"127\.0\.0\.1:1 .*--ranks none"):
        await rank_weights.choose(settings, None)


async def test_an_edition_that_is_missing_or_was_altered_is_refused(
    settings: Settings, edition: Edition
) -> None:
    with pytest.raises(RankStoreError, match="no edition 'yesterday'"):
        await rank_weights.choose(settings, "yesterday")
    ranks = edition.folder / "user.ranks.npy"
    ranks.write_bytes(ranks.read_bytes()[:-1] + b"\7")
    with pytest.raises(RankStoreError, match=r"user\.ranks\.npy is damaged"):
        await rank_weights.choose(settings, edition.name)


def test_ranks_count_in_all_of_our_own_sources() -> None:
    assert all(source.rank > 0 for source in sources.load())
