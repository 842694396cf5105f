import pytest

from indexer.disk_room import wanted_free

GB = 2**30


@pytest.mark.parametrize(
    ("watermarks", "wanted"),
    [
        ({"high": "90%"}, 100 * GB),
        ({"high": "0.9"}, 100 * GB),
        ({"high": "90%", "high.max_headroom": "150GB"}, 100 * GB),
        ({"high": "90%", "high.max_headroom": "50GB"}, 50 * GB),
        ({"high": "90%", "high.max_headroom": "-1"}, 100 * GB),
        ({"high": "7gb", "high.max_headroom": "5gb"}, 7 * GB),
        ({"high": "1.5tb"}, 1536 * GB),
        ({"high": "100%"}, 0),
    ],
)
def test_what_must_stay_free_of_a_thousand_gigabytes(
    watermarks: dict[str, str], wanted: int
) -> None:
    assert wanted_free(1000 * GB, watermarks, "high") == pytest.approx(wanted, abs=1)


def test_each_watermark_is_its_own() -> None:
    watermarks = {"high": "90%", "flood_stage": "95%", "flood_stage.max_headroom": "100GB"}
    assert wanted_free(1000, watermarks, "flood_stage") == 50
    assert wanted_free(1000, watermarks, "high") == 100
