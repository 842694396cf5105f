"""What needs no engine: judging the room on a disk. The rest is tested on a real one."""

import pytest

from indexer.engine_health import _merge, _note_node
from indexer.health import Chart, Condition

WATERMARKS = {"high": "90%", "flood_stage": "95%"}


@pytest.mark.parametrize(
    ("free", "condition"),
    [
        (11, Condition.OK),
        (10, Condition.WARNING),
        (6, Condition.WARNING),
        (5, Condition.PROBLEM),
        (0, Condition.PROBLEM),
    ],
)
def test_the_less_room_the_worse(free: int, condition: Condition) -> None:
    chart = Chart("Elasticsearch")
    room = {"total_in_bytes": 100, "available_in_bytes": free}
    _note_node(chart, "one", room, {"watermark": WATERMARKS})
    assert chart.observations[0].condition is condition


def test_without_watermarks_there_is_nothing_to_judge() -> None:
    chart = Chart("Elasticsearch")
    room = {"total_in_bytes": 100, "available_in_bytes": 1}
    _note_node(chart, "one", room, {"threshold_enabled": "false", "watermark": WATERMARKS})
    assert chart.observations[0].condition is Condition.OK


def test_what_is_set_wins_over_the_default() -> None:
    disk = {"watermark": {"high": "90%", "flood_stage": "95%"}, "threshold_enabled": "true"}
    _merge(disk, {"watermark": {"high": "10gb"}})
    assert disk == {
        "watermark": {"high": "10gb", "flood_stage": "95%"},
        "threshold_enabled": "true",
    }
