"""Editions: calculated, written, read, explained, and gone on from."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import orjson
import pytest

from core.rank_editions import BusyStoreError, RankStore, RankStoreError, Slot
from core.settings import Settings
from ranker import calculation, edition_operations, editions
from ranker.edition_operations import DriftError
from ranker.editions import UnknownEntityError
from ranker.parquet_source import ParquetSource
from ranker.ranks import ranks_of
from tests.unit.ranker import catalogue
from tests.unit.ranker.catalogue import TYPES, Act, acts, entities

SIGNALS = {
    "like": {"name": "like", "weight": 2.0, "half_life_days": 100},
    "upload": {"name": "upload", "weight": 0.5, "reverse_weight": 4.0, "owns": True},
    "follow": {"name": "follow", "weight": 3.0},
}


@pytest.fixture
def signal_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "signals"
    folder.mkdir()
    for name in SIGNALS:
        (folder / f"{name}.sql").write_text("SELECT 1")
    (folder / "signals.json").write_bytes(
        orjson.dumps({"tolerance": 1e-12, "signals": list(SIGNALS.values())})
    )
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        rank_store=str(tmp_path / "store"), database_url="postgresql://postgres@127.0.0.1:1/none"
    )


@pytest.fixture
def activity(tmp_path: Path) -> Path:
    """Users 1 to 40, of whom 1 to 5 make sounds that the others like."""
    chance = np.random.default_rng(7)
    folder = tmp_path / "activity"
    uploads: list[Act] = [("user", 1 + one % 5, "sound", one) for one in range(30)]
    likes: list[Act] = [
        ("user", int(user), "sound", int(sound))
        for user in range(6, 41)
        for sound in chance.choice(30, 4, replace=False)
    ]
    follows: list[Act] = [("user", user, "user", 1 + user % 3) for user in range(6, 41)]
    acts(folder, "upload", uploads)
    acts(folder, "like", likes, days=chance.uniform(0, 400, len(likes)).tolist())
    acts(folder, "follow", follows)
    entities(folder, user=range(1, 41), sound=range(31), group=[1])
    return folder


def run(settings: Settings, activity: Path, signals: Path, **options: Any) -> Any:
    return edition_operations.run(settings, folder=activity, signal_folder=signals, **options)


def test_an_edition_has_a_score_for_every_entity(
    settings: Settings, activity: Path, signal_folder: Path
) -> None:
    report = run(settings, activity, signal_folder)
    edition = edition_operations.open_edition(settings, report.edition)
    ranked = editions.ranked_of(edition)
    assert {name: len(ids) for name, ids in ranked.entities.ids.items()} == {
        "group": 1, "set": 0, "sound": 31, "user": 40,
    }  # fmt: skip
    assert ranked.scores.sum() == pytest.approx(1.0, abs=1e-12)
    assert (ranked.scores > 0).all()
    assert edition.manifest["signals"][0]["used"] == 140
    assert edition.manifest["solution"]["residuals"]
    best = edition_operations.top(settings, None, "user", 3)
    assert {one.id for one in best} == {1, 2, 3}
    assert [one.place for one in best] == [1, 2, 3]
    assert best[0].score >= best[1].score >= best[2].score


def test_an_explanation_adds_up_to_the_score(
    settings: Settings, activity: Path, signal_folder: Path
) -> None:
    run(settings, activity, signal_folder)
    for kind, one in (("user", 1), ("sound", 3), ("user", 40), ("group", 1)):
        found = edition_operations.explain(settings, None, kind, one, top=1_000)
        shares = sum(each.share for each in found.contributions)
        assert shares == pytest.approx(sum(found.signals.values()))
        assert found.jumps == pytest.approx(1.0 - shares)
        # What everybody gets is the same for all: nothing is jumped to more than anything else.
        everybody = edition_operations.explain(settings, None, "user", 40, top=1)
        assert found.jumps * found.score == pytest.approx(
            everybody.score * everybody.jumps, rel=1e-6
        )
    liked = edition_operations.explain(settings, None, "sound", 3, top=1_000)
    assert set(liked.signals) == {"like", "upload"}
    assert next(each.id for each in liked.contributions if each.signal == "upload") == 4


def test_what_moved_before_is_expected_to_go_on(
    settings: Settings, activity: Path, signal_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_772_368_200_000_000  # microseconds since 1970
    monkeypatch.setattr(ParquetSource, "moment", lambda _: now)
    store = RankStore(Path(settings.rank_store))
    day = 86_400_000_000
    first = store.open(run(settings, activity, signal_folder).edition)
    now += 2 * day
    second = store.open(run(settings, activity, signal_folder).edition)
    assert second.manifest["parent"] == first.name
    entities = editions.ranked_of(second).entities
    moved = editions.ranked_of(second).scores - editions.ranked_of(first).scores
    for later, steps in ((now + day, 0.5), (now + 4 * day, 2.0)):
        prior, known = editions.prior_of(second, entities, before=first, moment=later)
        assert known == len(entities)
        assert prior.trend is not None
        np.testing.assert_allclose(prior.trend, steps * moved, atol=1e-15)
    for later in (now, now - day, now + 100 * day):
        assert editions.prior_of(second, entities, before=first, moment=later)[0].trend is None
    assert editions.prior_of(second, entities, before=None, moment=now + day)[0].trend is None
    assert calculation.parent_of(store, second) is not None
    (first.folder / "user.scores.npy").write_bytes(b"")
    assert calculation.parent_of(store, second) is None
    store.remove(first.name)
    assert calculation.parent_of(store, second) is None
    assert calculation.parent_of(store, None) is None


def test_an_explanation_of_nobody_is_refused(
    settings: Settings, activity: Path, signal_folder: Path
) -> None:
    run(settings, activity, signal_folder)
    with pytest.raises(UnknownEntityError, match="does not rank user 41"):
        edition_operations.explain(settings, None, "user", 41, top=1)
    with pytest.raises(UnknownEntityError, match="'song' is no entity type"):
        edition_operations.explain(settings, None, "song", 1, top=1)


def test_the_next_run_starts_from_the_last_and_needs_fewer_iterations(
    settings: Settings, activity: Path, signal_folder: Path
) -> None:
    first = run(settings, activity, signal_folder)
    warm = run(settings, activity, signal_folder)
    cold = run(settings, activity, signal_folder, cold=True)
    assert (warm.manifest["parent"], cold.manifest["parent"]) == (first.edition, None)
    assert warm.manifest["solution"]["known_to_prior"] == 72
    assert warm.manifest["solution"]["iterations"] < cold.manifest["solution"]["iterations"] / 2
    store = RankStore(Path(settings.rank_store))
    one, other = (editions.ranked_of(store.open(name.edition)).scores for name in (warm, cold))
    # Some moments lie between the two, in which activity has faded.
    assert np.abs(one - other).sum() < 1e-8


def test_a_dry_run_tells_the_drift_and_keeps_nothing(
    settings: Settings, activity: Path, signal_folder: Path
) -> None:
    report = run(settings, activity, signal_folder, dry_run=True)
    assert report.edition is None
    assert not Path(settings.rank_store).exists()
    first = run(settings, activity, signal_folder)
    acts(activity, "follow", [("user", user, "user", 30) for user in range(6, 30)])
    again = run(settings, activity, signal_folder, dry_run=True)
    assert ("user", 30) in {(one.type, one.id) for one in again.drift.movers[:5]}
    assert [one.edition for one in edition_operations.list_editions(settings)] == [first.edition]


def test_too_much_drift_is_refused_unless_overridden(
    settings: Settings, activity: Path, signal_folder: Path
) -> None:
    first = run(settings, activity, signal_folder)
    same = run(settings, activity, signal_folder)
    assert not edition_operations.check_drift(
        settings, first.edition, same.edition, override=False
    ).failed
    acts(activity, "like", [("user", user, "sound", 30) for user in range(6, 41)])
    acts(activity, "follow", [])
    acts(activity, "upload", [("user", 39, "sound", 30)])
    wrong = run(settings, activity, signal_folder)
    with pytest.raises(DriftError, match="moved of mass"):
        edition_operations.check_drift(settings, first.edition, wrong.edition, override=False)
    found = edition_operations.check_drift(settings, first.edition, wrong.edition, override=True)
    assert "moved" in {gate.name for gate in found.failed}
    assert not edition_operations.check_drift(settings, None, wrong.edition, override=False).failed


def test_a_damaged_edition_is_refused_and_listed_as_such(
    settings: Settings, activity: Path, signal_folder: Path
) -> None:
    first = run(settings, activity, signal_folder)
    second = run(settings, activity, signal_folder)
    path = Path(settings.rank_store) / second.edition / "user.scores.npy"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(RankStoreError, match=r"user\.scores\.npy is damaged"):
        edition_operations.check_drift(settings, first.edition, second.edition, override=True)
    # The next run starts from the one before.
    again = run(settings, activity, signal_folder, dry_run=True)
    assert again.manifest["parent"] == first.edition
    manifest = Path(settings.rank_store) / second.edition / "manifest.json"
    manifest.write_bytes(b"{}")
    listed = edition_operations.list_editions(settings)
    assert [one.problem is None for one in listed] == [False, True]
    assert edition_operations.open_edition(settings, None).name == first.edition


@pytest.mark.thorough
def test_old_editions_are_removed_but_not_those_in_a_slot(
    settings: Settings, activity: Path, signal_folder: Path
) -> None:
    few = Settings(rank_store=settings.rank_store, rank_editions_kept=2)
    first = run(few, activity, signal_folder).edition
    store = RankStore(Path(settings.rank_store))
    store.record(store.slots().with_edition(Slot.A, first))
    names = [run(few, activity, signal_folder).edition for _ in range(3)]
    assert store.names() == [names[2], names[1], first]


def test_two_runs_at_once_are_one_too_many(settings: Settings) -> None:
    store = RankStore(Path(settings.rank_store))
    with (
        store.alone(),
        pytest.raises(BusyStoreError, match="another run"),
        store.alone(),
    ):
        pass


def test_a_picture_shows_every_type(
    settings: Settings, activity: Path, signal_folder: Path
) -> None:
    edition = run(settings, activity, signal_folder).edition
    drawn = ET.fromstring(edition_operations.picture_of(settings, None))  # noqa: S314 - our own
    texts = "".join(drawn.itertext())
    assert all(name in texts for name in (edition, "user", "sound", "group", "iteration"))
    curves = [one for one in drawn.iter() if one.tag.endswith("polyline")]
    assert len(curves) == 1 + 3  # no sets


def test_ranks_are_logarithms_of_multiples_of_the_median() -> None:
    assert ranks_of(np.array([1.0, 1, 1, 2, 4, 8, 1 / 8])).tolist() == [0, 0, 0, 8, 16, 24, 0]
    assert ranks_of(np.array([0.0, 0, 0, 1, 2])).tolist() == [0, 0, 0, 0, 8]
    assert ranks_of(np.array([0.0, 0])).tolist() == [0, 0]
    assert ranks_of(np.array([])).tolist() == []
    assert ranks_of(np.array([1e-30, 1e-30, 1.0])).tolist() == [0, 0, 255]


def test_the_types_of_the_tests_are_those_of_the_catalogue() -> None:
    assert set(TYPES) == set(edition_operations.recipes(Settings()))
    assert catalogue.TYPES == TYPES
