"""Signals as data: what a policy may say, and what activity weighs by it."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from ranker import signals
from ranker.errors import SignalError
from ranker.signals import Policy, Signal
from tests.unit.ranker.catalogue import policy

DAY = 86_400_000_000


def strengths(signal: Signal, counts: list[float], ages: list[float]) -> list[float]:
    last = np.array([-age * DAY for age in ages]).astype(np.int64)
    found: list[float] = signal.strengths(np.array(counts), last, 0).tolist()
    return found


def signal(**fields: Any) -> Signal:
    return Signal.model_validate({"name": "play", "weight": 1.0, **fields})


@pytest.mark.parametrize(
    ("damping", "expected"),
    [
        ("none", [0, 1, 4, 100]),
        ("sqrt", [0, 1, 2, 10]),
        ("log", [0, 1, 1 + np.log(4), 1 + np.log(100)]),
    ],
)
def test_counts_are_damped(damping: str, expected: list[float]) -> None:
    found = strengths(signal(count=damping), [0, 1, 4, 100], [0, 0, 0, 0])
    assert found == pytest.approx(expected)


def test_a_cap_holds_after_the_damping() -> None:
    assert strengths(signal(count="sqrt", cap=3), [4, 100], [0, 0]) == [2, 3]


def test_half_is_left_after_a_half_life_and_the_future_has_not_faded() -> None:
    found = strengths(signal(half_life_days=30), [8, 8, 8, 8], [0, 30, 60, -30])
    assert found == pytest.approx([8, 4, 2, 8])


def test_without_a_half_life_nothing_fades() -> None:
    assert strengths(signal(), [8], [10_000]) == [8]


def test_our_own_signals_can_be_used_and_every_query_has_its_line() -> None:
    own = signals.load()
    files = {path.stem for path in signals.FOLDER.glob("*.sql")}
    assert {one.name for one in own.signals} == files
    assert [one.name for one in own.signals if one.owns] == ["upload"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "like.sql").write_text("SELECT 1")
    return tmp_path


def write(folder: Path, **fields: Any) -> Path:
    content = {"signals": [{"name": "like", "weight": 1}], **fields}
    (folder / signals.POLICY).write_bytes(orjson.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"signals": []}, "signals"),
        ({"signals": [{"name": "like"}]}, "weighs nothing"),
        ({"signals": [{"name": "like", "weight": -1}]}, "weight"),
        ({"signals": [{"name": "like", "weight": "NaN"}]}, "weight"),
        ({"signals": [{"name": "../like", "weight": 1}]}, "name"),
        ({"signals": [{"name": "like", "weight": 1, "halflife": 3}]}, "halflife"),
        ({"signals": [{"name": "like", "weight": 1}] * 2}, "like stands there twice"),
        ({"damping": 1.0}, "damping"),
        ({"teleport": {"user": -1}}, "teleport.user"),
        ({"gates": {"most_moved": 2}}, "gates.most_moved"),
    ],
)
def test_a_mistake_is_named(folder: Path, fields: dict[str, Any], named: str) -> None:
    with pytest.raises(SignalError, match=named):
        signals.load(write(folder, **fields))


def test_a_signal_without_its_query_is_an_error(folder: Path) -> None:
    write(folder, signals=[{"name": "repost", "weight": 1}])
    with pytest.raises(SignalError, match=r"repost\.sql"):
        signals.load(folder)


def test_a_manifest_tells_a_changed_query(folder: Path) -> None:
    before = signals.load(write(folder)).as_document()
    (folder / "like.sql").write_text("SELECT 2")
    after = signals.load(folder).as_document()
    assert before["signals"][0]["sql_sha256"] != after["signals"][0]["sql_sha256"]
    assert Policy.model_validate({**before, "signals": [{"name": "like", "weight": 1}]}) == policy(
        {"name": "like"}
    )
