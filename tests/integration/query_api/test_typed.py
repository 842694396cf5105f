"""Phrases, minus words, and the spellings that people mix."""

from collections.abc import Sequence

import httpx
import pytest

from tests.integration.query_api.catalogue import sound
from tests.integration.query_api.conftest import Write
from tests.integration.query_api.reading import identities, page

DOCUMENTS = [
    sound(1, "Drum and Bass"),
    sound(2, "Bass and Drum", description="A radio edit."),
    sound(3, "Drum and Bass (Remix)"),
    sound(4, "Café del Mar feat. José"),
    sound(5, "Symphony No. 40"),
    sound(6, "夜に駆ける"),
    sound(7, "Party 🎉 Time"),
]


@pytest.fixture(scope="module", autouse=True)
def _documents(write: Write) -> None:
    write(DOCUMENTS)


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("bass drum", [1, 2, 3]),
        ('"drum and bass"', [1, 3]),
        ("“bass and drum”", [2]),
        ("bass -remix", [1, 2]),
        ('bass -"radio edit" -remix', [1]),
        ('bass -"edit radio" -remix', [1, 2]),
        ('-remix "drum and bass"', [1]),
        ('bass " -', [1, 2, 3]),
        ('bass "!" -!', [1, 2, 3]),
        ("-remix", [3]),
        ("bass" + " -remix" * 8 + ' "drum" -and' * 20, [1, 2]),
        ("cafe jose", [4]),
        ("CAFÉ ft. José", [4]),
        ("café ft jose", [4]),
        ("symphony 40", [5]),
        ("夜に", [6]),
        ('"夜に駆ける"', [6]),
        ("party 🎉", [7]),
    ],
)
def test_what_is_found(api: httpx.Client, q: str, found: Sequence[int]) -> None:
    assert sorted(identities(page(api, q))) == [("sound", str(one)) for one in found]


def test_what_is_left_out_is_not_counted(api: httpx.Client) -> None:
    answer = page(api, "bass -remix", type="sound")
    assert answer["total"] == {"value": 2, "relation": "eq"}
