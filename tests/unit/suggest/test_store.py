from pathlib import Path

import pytest

from suggest import operations, snapshot
from suggest.errors import SnapshotError
from suggest.positions import Position
from suggest.store import Store, StoreError, mark_of
from tests.unit.suggest.conftest import Pieces


@pytest.fixture
def store(folder: Path) -> Store:
    return Store(folder)


def test_an_empty_store_serves_nothing(store: Store) -> None:
    assert store.published() is None
    assert store.entries() == []
    assert mark_of(store.pointer) is None
    with pytest.raises(StoreError, match="published before"):
        store.rollback()


def test_publish_and_roll_back(store: Store, pieces: Pieces) -> None:
    first, second, third = (store.put(pieces(text)) for text in ("one", "two", "three"))
    for edition in (first, second, third):
        store.publish(edition)
        assert store.published() == edition
    assert store.rollback_target() == second
    assert store.rollback() == second
    assert store.rollback() == first
    with pytest.raises(StoreError):
        store.rollback()
    assert store.published() == first
    # Rolled back is not forgotten.
    store.publish(third)
    assert store.rollback() == first


def test_a_snapshot_ends_at_a_position(store: Store, pieces: Pieces) -> None:
    edition = store.put(pieces("one"))
    assert store.position_of(edition) is None
    for offset in (7, 9):  # built again, of the same phrases: less has happened since
        store.put(pieces("one"), Position(offset, "x"))
        assert store.position_of(edition) == Position(offset, "x")
    assert store.position_of(store.put(pieces("two"))) is None


def test_a_publication_changes_the_mark(store: Store, pieces: Pieces) -> None:
    store.publish(store.put(pieces("one")))
    before = mark_of(store.pointer)
    store.publish(store.put(pieces("two")))
    assert mark_of(store.pointer) != before


def test_entries_tell_what_is_published(store: Store, pieces: Pieces) -> None:
    first, second = store.put(pieces("one")), store.put(pieces("two", "three"))
    store.publish(first)
    (store.folder / "broken.snapshot").write_bytes(b"nothing")
    entries = {entry.edition: entry for entry in store.entries()}
    assert set(entries) == {first, second}
    assert entries[first].published
    assert not entries[second].published
    assert entries[second].facts["phrases"] == 2
    assert entries[second].size == store.path_of(second).stat().st_size


def test_the_same_content_is_written_once(store: Store, pieces: Pieces) -> None:
    edition = store.put(pieces("one"))
    written = store.path_of(edition).stat().st_mtime_ns
    assert store.put(pieces("one")) == edition
    assert store.path_of(edition).stat().st_mtime_ns == written


@pytest.mark.parametrize("edition", ["0123456789abcdef", "../one", "", "/etc/passwd"])
def test_what_is_not_there_cannot_be_published(store: Store, pieces: Pieces, edition: str) -> None:
    store.publish(store.put(pieces("one")))
    before = store.published()
    with pytest.raises(StoreError, match="disco suggest list"):
        store.publish(edition)
    assert store.published() == before


def test_a_damaged_file_cannot_be_published(store: Store, pieces: Pieces) -> None:
    store.publish(first := store.put(pieces("one")))
    second = store.put(pieces("two"))
    store.path_of(second).write_bytes(b"x" + store.path_of(second).read_bytes()[1:])
    with pytest.raises(SnapshotError):
        store.publish(second)
    assert store.published() == first


def test_a_rollback_to_a_damaged_file_is_refused(store: Store, pieces: Pieces) -> None:
    store.publish(first := store.put(pieces("one")))
    store.publish(second := store.put(pieces("two")))
    content = bytearray(store.path_of(first).read_bytes())
    content[-70] ^= 1
    store.path_of(first).write_bytes(content)
    with pytest.raises(SnapshotError):
        store.rollback()
    assert store.published() == second


def test_a_pointer_of_rubbish_is_named(store: Store) -> None:
    store.folder.mkdir()
    store.pointer.write_bytes(b"\xff\xfe")
    with pytest.raises(StoreError, match="remove it"):
        store.published()


def test_a_file_is_taken_into_the_store(store: Store, tmp_path: Path, pieces: Pieces) -> None:
    file = tmp_path / "names.snapshot"
    snapshot.write(file, pieces("one"))
    dry = operations.publish(store, str(file), dry_run=True)
    assert store.published() is None
    assert not store.folder.exists()
    assert operations.publish(store, str(file)) == dry
    file.unlink()
    assert store.published() == dry
    assert operations.publish(store, dry) == dry
    with pytest.raises(StoreError):
        operations.publish(store, "nothing", dry_run=True)
