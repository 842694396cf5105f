"""The same edition by Spark and by the solver, from the same Parquet files.

Spark is half a gigabyte: `scripts/spark` installs it, and where it is not these tests are skipped.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from core.rank_editions import RankStore
from core.settings import Settings
from ranker import edition_operations, editions
from ranker.edition_operations import Engine, RunReport
from ranker.editions import NoGraphError, Ranked
from ranker.errors import SignalError
from ranker.parquet_source import ParquetSource
from ranker.signals import load
from ranker.spark.activity import Reader
from ranker.spark.session import open_session

pytest.importorskip("pyspark", reason="Spark is not installed; scripts/spark does it")

NOW: Final = 1_772_368_200_000_000  # microseconds since 1970
DAY: Final = 86_400_000_000
SIGNALS: Final = [
    {"name": "follow", "weight": 3, "half_life_days": 1460, "most_edges": 6},
    {"name": "like", "weight": 2, "half_life_days": 730, "most_edges": 4},
    {"name": "play", "weight": 1, "count": "log", "cap": 3, "half_life_days": 365},
    {"name": "comment", "weight": 0.5, "count": "sqrt"},
    {"name": "upload", "weight": 0.5, "reverse_weight": 4, "owns": True},
    {"name": "join", "weight": 1, "reverse_weight": 0.1},
]
USERS, SOUNDS = 60, 90
TYPES: Final = ["group", "set", "sound", "user"]


def policy(folder: Path, **more: Any) -> Path:
    folder.mkdir()
    for signal in SIGNALS:
        (folder / f"{signal['name']}.sql").write_text("SELECT 1")
    document = {"tolerance": 1e-7, "signals": SIGNALS, **more}
    (folder / "signals.json").write_bytes(orjson.dumps(document))
    return folder


def acts(
    folder: Path, name: str, sources: Any, targets: Any, chance: Any, *, to: str = "sound"
) -> None:
    count = len(sources)
    last = pa.array(NOW - chance.integers(0, 900 * DAY, count), pa.timestamp("us", tz="UTC"))
    forgotten = pa.array(chance.random(count) < 0.1)
    table = {
        "source_type": ["user"] * count,
        "source_id": sources,
        "target_type": [to] * count,
        "target_id": targets,
        "count": chance.integers(0, 40, count),
        "last_at": pa.compute.if_else(forgotten, pa.scalar(None, last.type), last),
    }
    parquet.write_table(pa.table(table), folder / f"{name}.parquet")


@pytest.fixture
def activity(tmp_path: Path) -> Path:
    """Users who upload, like, play and follow; some of it of what is not there, or one's own."""
    chance = np.random.default_rng(3)
    folder = tmp_path / "activity"
    folder.mkdir()
    acts(folder, "upload", np.arange(SOUNDS) % 9, np.arange(SOUNDS), chance)
    for name in ("like", "play", "comment"):
        users, sounds = chance.integers(0, (USERS + 3, SOUNDS + 5), (400, 2)).T
        acts(folder, name, users, sounds, chance)
    users, others = chance.integers(0, (USERS, 20), (300, 2)).T
    acts(folder, "follow", users, others, chance, to="user")
    ids = {"user": range(USERS), "sound": range(SOUNDS), "group": [7, 2**40]}
    rows = [(kind, one) for kind, some in ids.items() for one in some]
    listed = {"type": [kind for kind, _ in rows], "id": [one for _, one in rows]}
    parquet.write_table(pa.table(listed), folder / "entities.parquet")
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        rank_store=str(tmp_path / "store"), database_url="postgresql://postgres@127.0.0.1:1/none"
    )


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both calculate as of one moment."""
    monkeypatch.setattr(ParquetSource, "moment", lambda _: NOW)
    monkeypatch.setattr("ranker.spark.calculation.time.time_ns", lambda: NOW * 1_000)


def both(settings: Settings, activity: Path, signals: Path) -> tuple[RunReport, RunReport]:
    run = edition_operations.run
    alone = run(settings, folder=activity, signal_folder=signals, cold=True)
    spread = run(
        settings, folder=str(activity), signal_folder=signals, cold=True,
        engine=Engine.SPARK, master="local[2]",
    )  # fmt: skip
    return alone, spread


def ranked(settings: Settings, report: RunReport) -> Ranked:
    return editions.ranked_of(edition_operations.open_edition(settings, report.edition))


def distance(one: Ranked, other: Ranked) -> float:
    assert {name: ids.tolist() for name, ids in one.entities.ids.items() if len(ids)} == {
        name: ids.tolist() for name, ids in other.entities.ids.items() if len(ids)
    }
    return float(np.abs(one.scores - other.scores).sum())


@pytest.mark.parametrize(
    "more",
    [
        {"teleport": {"sound": 0, "group": 0}},
        {"dangling": "others", "damping": 0.5, "sources_need_in_links": True},
    ],
    ids=["as usual", "otherwise"],
)
def test_spark_gives_the_same_edition(
    settings: Settings, activity: Path, tmp_path: Path, more: dict[str, Any]
) -> None:
    alone, spread = both(settings, activity, policy(tmp_path / "signals", **more))
    assert distance(ranked(settings, alone), ranked(settings, spread)) < 1e-6
    for name in ("rows", "used", "unknown", "own", "capped", "unregarded"):
        counts = [[one[name] for one in report.manifest["signals"]] for report in (alone, spread)]
        assert counts[0] == counts[1], name
    assert any(one["own"] for one in spread.manifest["signals"])
    assert any(one["capped"] for one in spread.manifest["signals"])
    sizes = [report.manifest["graph"] for report in (alone, spread)]
    assert [one["nodes"] for one in sizes] == [USERS + SOUNDS + 2] * 2
    assert sizes[0]["edges"] == sizes[1]["edges"]
    assert sizes[0]["dangling_nodes"] == sizes[1]["dangling_nodes"]
    weights = [[one["weight"] for one in report.manifest["signals"]] for report in (alone, spread)]
    assert weights[1] == pytest.approx(weights[0], rel=1e-6)
    assert "by Spark" in spread.manifest["source"]
    # It can be put into searches like any other, and says what it cannot do.
    edition = RankStore(Path(settings.rank_store)).open(str(spread.edition))
    assert edition.table("user").ids.tolist() == list(range(USERS))
    assert edition_operations.top(settings, spread.edition, "user", 3)[0].pointed_at_by is None
    with pytest.raises(NoGraphError, match="was calculated on Spark"):
        edition_operations.explain(settings, spread.edition, "user", 1, top=3)


def test_spark_starts_from_the_edition_before(
    settings: Settings, activity: Path, tmp_path: Path
) -> None:
    signals = policy(tmp_path / "signals")
    cold = edition_operations.run(settings, folder=activity, signal_folder=signals)
    warm = edition_operations.run(
        settings, folder=str(activity), signal_folder=signals, engine=Engine.SPARK,
        master="local[2]",
    )  # fmt: skip
    assert warm.manifest["parent"] == cold.edition
    assert warm.manifest["solution"]["known_to_prior"] == USERS + SOUNDS + 2
    assert warm.manifest["solution"]["iterations"] <= 2
    assert distance(ranked(settings, cold), ranked(settings, warm)) < 1e-6


@pytest.fixture
def session() -> Iterator[Any]:
    with open_session("local[2]") as opened:
        yield opened


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (("target_type", "planet"), "a type is none of group, set, sound, user"),
        (("source_id", None), "an id is null"),
        (("source_id", 2**62), "an id is above"),
        (("count", float("nan")), "a count is no finite number"),
        (("count", -1.0), "a count is no finite number"),
        (("last_at", "yesterday"), "give a timestamp"),
        (("target_id", "seven"), "ids are integers"),
    ],
)
def test_bad_activity_is_refused(
    session: Any, activity: Path, tmp_path: Path, bad: tuple[str, Any], problem: str
) -> None:
    column, value = bad
    path = activity / "like.parquet"
    rows = parquet.read_table(path).to_pylist()
    if isinstance(value, str) and column != "target_type":
        rows = [row | {column: value} for row in rows]
    rows[5][column] = value
    if column == "count":
        rows = [row | {"count": float(row["count"])} for row in rows]
    parquet.write_table(pa.Table.from_pylist(rows), path)
    reader = Reader(session, str(activity), TYPES, load(policy(tmp_path / "signals")), moment=NOW)
    with pytest.raises(SignalError, match=f"signal like: .*{problem}"):
        reader.read()


def test_a_folder_without_activity_is_refused_and_nothing_written(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(SignalError, match=r"has no file of a signal; give some of follow\.parquet"):
        edition_operations.run(
            settings, folder=str(tmp_path), signal_folder=policy(tmp_path / "signals"),
            engine=Engine.SPARK, master="local[2]",
        )  # fmt: skip
    assert list(RankStore(Path(settings.rank_store)).names()) == []
