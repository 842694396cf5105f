"""Verification reads in windows: its memory does not grow with the catalogue."""

import gc
import tracemalloc

import pytest

from indexer import operations, verification
from tests.integration.indexer.scene import Scene

_WINDOW = 500
_SMALL, _LARGE = 4_000, 32_000  # rows, in 8 and in 64 windows
# Times the memory for eight times the rows; two numbers of each row alone would make it 1.75.
_ALLOWED = 1.4


async def _grow(scene: Scene, size: int) -> None:
    """Have so many users, each with its document."""
    fetched = await scene.index.services.databases.primary.fetch(
        "insert into users (username, display_name, description) "
        "select 'u' || n, 'User ' || n, repeat('many words ', 50) "
        "from generate_series((select count(*) + 1 from users), $1) as n returning id",
        size,
    )
    ids = [row["id"] for row in fetched]
    for at in range(0, len(ids), 2_000):
        await scene.index.take(*(("user", one) for one in ids[at : at + 2_000]))


async def _peak(scene: Scene, size: int) -> int:
    """Bytes that a verification of so many users takes at its worst moment."""
    await _grow(scene, size)
    gc.collect()
    tracemalloc.start()
    try:
        compared = 0
        async for verdict in operations.verify(scene.index.services, "user", patience=0):
            assert not verdict.differences
            compared = verdict.compared
        assert compared == size
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_eight_times_the_catalogue_takes_the_same_memory(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "WINDOW_ROWS", _WINDOW)
    monkeypatch.setattr(verification, "_PAGE", _WINDOW)
    await _peak(scene, 1_000)  # what is loaded and cached at the first use
    small = await _peak(scene, _SMALL)
    large = await _peak(scene, _LARGE)
    assert large <= small * _ALLOWED, f"{large:,} bytes after {small:,}"
