"""The store of rank editions: whole or not there, and refused when altered."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.rank_editions import (
    Edition,
    RankStore,
    RankStoreError,
    RankTable,
    Slot,
    Slots,
)

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> RankStore:
    return RankStore(tmp_path / "ranks")


def put(store: RankStore, *, ids: int = 100, at: datetime = AT, mark: str = "") -> Edition:
    arrays: dict[str, NDArray[Any]] = {
        "user.ids.npy": np.arange(0, 2 * ids, 2),
        "user.ranks.npy": (np.arange(ids) % 256).astype(np.uint8),
    }
    return store.put(arrays, {"mark": mark}, at=at)


def test_what_was_put_can_be_opened_by_its_name(store: RankStore) -> None:
    made = put(store)
    assert made.name.startswith("20260301T123000000000-")
    opened = RankStore(store.folder).open(made.name)
    assert opened.types == ["user"]
    assert opened.manifest["mark"] == ""
    assert opened.table("user").of(np.array([0, 1, 2, 198, 199, 10_000, -2])).tolist() == [
        0, 0, 1, 99, 0, 0, 0,
    ]  # fmt: skip
    assert opened.table("sound").of(np.array([1])).tolist() == [0]


def test_an_empty_type_has_no_ranks(store: RankStore) -> None:
    assert put(store, ids=0).table("user").of(np.array([1, 2])).tolist() == [0, 0]


def test_the_newest_comes_first(store: RankStore) -> None:
    assert list(store.names()) == []
    older = put(store, at=AT.replace(second=1))
    newer = put(store, at=AT.replace(second=1, microsecond=1))
    (store.folder / "something else").mkdir()
    assert store.names() == [newer.name, older.name]


@pytest.mark.parametrize("file", ["user.ids.npy", "user.ranks.npy"])
@pytest.mark.parametrize("how", ["truncated", "altered", "removed"])
def test_a_damaged_array_is_refused(store: RankStore, file: str, how: str) -> None:
    made = put(store)
    path = made.folder / file
    content = bytearray(path.read_bytes())
    if how == "removed":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(content[:-1])
    else:
        content[-3] ^= 1
        path.write_bytes(content)
    with pytest.raises(RankStoreError, match=f"{file} is damaged or was altered"):
        store.open(made.name).table("user")


def test_an_altered_manifest_is_refused(store: RankStore) -> None:
    made = put(store, mark="right")
    path = made.folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"right", b"wrong"))
    with pytest.raises(RankStoreError, match=r"manifest\.json is damaged or was altered"):
        store.open(made.name)


@pytest.mark.parametrize("name", ["", "..", "../ranks", "20260301T123000000000-00000000"])
def test_what_is_not_there_is_told(store: RankStore, name: str) -> None:
    put(store)
    with pytest.raises(RankStoreError, match="has no edition"):
        store.open(name)


def test_an_edition_that_cannot_be_written_leaves_nothing(store: RankStore) -> None:
    put(store)
    with pytest.raises(ValueError, match="pickle"):
        store.put({"user.ids.npy": np.array([object()])}, {}, at=AT)
    assert len(store.names()) == 1
    assert [path.name for path in store.folder.iterdir()] == list(store.names())


def test_what_a_killed_run_left_is_no_edition_and_is_swept(store: RankStore) -> None:
    put(store)
    left = store.folder / ".partial.4711"
    left.mkdir()
    (left / "user.ids.npy").write_bytes(b"half")
    assert len(store.names()) == 1
    store.sweep()
    assert not left.exists()
    assert len(store.names()) == 1


def test_a_removed_edition_is_gone_at_once(store: RankStore) -> None:
    made = put(store)
    store.remove(made.name)
    assert list(store.names()) == []
    assert list(store.folder.iterdir()) == []


def test_slots_are_recorded_and_survive(store: RankStore) -> None:
    assert store.slots() == Slots()
    store.record(Slots().with_edition(Slot.B, "one"))
    store.record(store.slots().with_edition(Slot.A, "two"))
    found = RankStore(store.folder).slots()
    assert found == Slots(a="two", b="one")
    assert (found.slot_of("one"), found.slot_of("three")) == (Slot.B, None)
    assert (Slot.A.other, Slot.B.other) == (Slot.B, Slot.A)


def test_a_broken_record_of_slots_is_an_error_not_an_empty_one(store: RankStore) -> None:
    store.record(Slots(a="one"))
    store.slots_file.write_bytes(store.slots_file.read_bytes()[:-3])
    with pytest.raises(RankStoreError, match=r"slots\.json is damaged"):
        store.slots()


def test_a_table_finds_ids_whatever_their_order() -> None:
    table = RankTable(ids=np.array([3, 5, 2**62]), ranks=np.array([7, 8, 9], np.uint8))
    assert table.of(np.array([2**62, 4, 3, 5, 2**63 - 1])).tolist() == [9, 0, 7, 8, 0]
