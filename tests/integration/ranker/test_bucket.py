"""Rank editions in a bucket of a real object store: the promises of the folder hold there, too."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.object_lease import Lease, LostLeaseError
from core.object_store import Bucket, ObjectStoreError, open_bucket
from core.rank_bucket import LOCK, RankBucket, open_rank_store
from core.rank_editions import (
    BusyStoreError,
    Edition,
    RankStore,
    RankStoreError,
    Slot,
    Slots,
)
from core.settings import Settings
from indexer.splice import RankView
from tests.object_store import SECRET

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
RENEWAL = 0.3


@pytest.fixture
def store(in_bucket: Settings) -> RankStore:
    return open_rank_store(in_bucket)


@pytest.fixture
def elsewhere(bucket: Bucket, tmp_path: Path) -> RankBucket:
    """The same store on another machine."""
    return RankBucket(bucket, tmp_path / "other-cache", renewal=RENEWAL)


def put(
    store: RankStore, *, ids: int = 100, at: datetime = AT, rank: int = 7, mark: str = ""
) -> Edition:
    arrays: dict[str, NDArray[Any]] = {
        "user.ids.npy": np.arange(0, 2 * ids, 2),
        "user.ranks.npy": np.full(ids, rank, np.uint8),
    }
    return store.put(arrays, {"mark": mark}, at=at)


def test_what_was_put_can_be_read_on_another_machine(
    store: RankStore, elsewhere: RankBucket
) -> None:
    assert list(elsewhere.names()) == []
    older = put(store, at=AT.replace(second=1))
    newer = put(store, at=AT.replace(second=1, microsecond=1))
    assert elsewhere.names() == [newer.name, older.name]
    opened = elsewhere.open(newer.name)
    assert opened.types == ["user"]
    table = opened.table("user")
    assert table.of(np.array([0, 1, 198])).tolist() == [7, 0, 7]
    assert isinstance(table.ids, np.memmap)
    assert opened.folder.is_relative_to(elsewhere.folder)


def test_a_copy_is_read_without_the_store(
    store: RankStore, elsewhere: RankBucket, bucket: Bucket
) -> None:
    name = put(store).name
    elsewhere.open(name).table("user")
    bucket.delete(bucket.keys())
    assert elsewhere.open(name).table("user").of(np.array([2])).tolist() == [7]


def test_pieces_of_a_large_file_come_in_order(
    store: RankStore, elsewhere: RankBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = put(store, ids=10_000).name
    monkeypatch.setattr("core.object_store._PIECE", 1_000)
    ids = elsewhere.open(name).table("user").ids
    assert ids.tolist() == list(range(0, 20_000, 2))


def test_a_file_of_several_parts_arrives_whole(bucket: Bucket, tmp_path: Path) -> None:
    content = np.random.default_rng(1).bytes(70 << 20)
    (tmp_path / "sent").write_bytes(content)
    bucket.upload("large", tmp_path / "sent")
    assert bucket.download("large", tmp_path / "received", len(content))
    assert (tmp_path / "received").read_bytes() == content


@pytest.mark.parametrize("how", ["truncated", "longer", "altered", "removed"])
def test_a_damaged_object_is_refused_and_what_was_copied_stays(
    store: RankStore, elsewhere: RankBucket, bucket: Bucket, how: str
) -> None:
    name = put(store).name
    key = f"{name}/user.ranks.npy"
    found = bucket.read(key)
    assert found is not None
    content = bytearray(found.content)
    content[-3] ^= 1
    damages: dict[str, Callable[[], None]] = {
        "removed": lambda: bucket.delete([key]),
        "truncated": lambda: bucket.write(key, found.content[:-1]),
        "longer": lambda: bucket.write(key, found.content + b"x"),
        "altered": lambda: bucket.write(key, bytes(content)),
    }
    damages[how]()
    if how == "longer":  # what the manifest speaks of is there, and right
        assert elsewhere.open(name).table("user").of(np.array([2])).tolist() == [7]
    else:
        with pytest.raises(RankStoreError, match=r"s3://.*user\.ranks\.npy is damaged"):
            elsewhere.open(name).table("user")
    assert store.open(name).table("user").of(np.array([2])).tolist() == [7]


def test_a_damaged_copy_is_fetched_anew(store: RankStore) -> None:
    made = put(store)
    path = made.folder / "user.ranks.npy"
    path.write_bytes(path.read_bytes()[:-1])
    (made.folder / "manifest.json").write_bytes(b"{}")
    assert store.open(made.name).table("user").of(np.array([2])).tolist() == [7]


def test_an_altered_manifest_is_refused(
    store: RankStore, elsewhere: RankBucket, bucket: Bucket
) -> None:
    name = put(store, mark="right").name
    key = f"{name}/manifest.json"
    found = bucket.read(key)
    assert found is not None
    bucket.write(key, found.content.replace(b"right", b"wrong"))
    with pytest.raises(RankStoreError, match=r"s3://.*manifest\.json is damaged or was altered"):
        elsewhere.open(name)


@pytest.mark.parametrize("name", ["", "..", "../ranks", "20260301T123000000000-00000000"])
def test_what_is_not_there_is_told(store: RankStore, name: str) -> None:
    put(store)
    with pytest.raises(RankStoreError, match="has no edition"):
        store.open(name)


def test_a_removed_edition_is_gone_and_its_copies_go_with_the_next_one(
    store: RankStore, elsewhere: RankBucket, bucket: Bucket
) -> None:
    first = put(store, at=AT.replace(second=1)).name
    assert elsewhere.open(first).table("user").ids.size
    store.remove(first)
    assert keys(bucket) == set()
    assert not (store.folder / first).exists()
    second = put(store, at=AT.replace(second=2)).name
    elsewhere.open(second)
    assert [path.name for path in elsewhere.folder.iterdir()] == [second]


def test_a_run_that_is_killed_while_it_uploads_leaves_no_edition(
    store: RankStore, in_bucket: Settings, bucket: Bucket, elsewhere: RankBucket
) -> None:
    whole = put(store).name
    program = (
        "import os, signal, sys\n"
        "from datetime import UTC, datetime\n"
        "import numpy as np\n"
        "from core import settings\n"
        "from core.object_store import Bucket\n"
        "from core.rank_bucket import open_rank_store\n"
        "store = open_rank_store(settings.load())\n"
        "upload = Bucket.upload\n"
        "def last(*arguments):\n"
        "    upload(*arguments)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Bucket.upload = last\n"
        "arrays = {'user.ids.npy': np.arange(9), 'user.ranks.npy': np.zeros(9, np.uint8)}\n"
        "with store.alone():\n"
        "    store.put(arrays, {}, at=datetime.now(UTC))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment(in_bucket), check=False, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL
    left = {key for key in keys(bucket) if key.endswith(".npy") and not key.startswith(whole)}
    assert len(left) == 1, "it was killed in the middle"
    assert list(elsewhere.names()) == [whole]
    with elsewhere.alone():  # its lock is taken over, and what it left removed
        assert keys(bucket) == {
            LOCK,
            f"{whole}/manifest.json",
            f"{whole}/user.ids.npy",
            f"{whole}/user.ranks.npy",
        }
    assert LOCK not in keys(bucket)


def keys(bucket: Bucket) -> set[str]:
    return set(bucket.keys())


def environment(settings: Settings) -> dict[str, str]:
    names = (
        "rank_store",
        "rank_cache",
        "object_store_url",
        "object_store_access_key",
        "object_store_secret",
    )
    return dict(os.environ) | {f"DISCO_{name.upper()}": getattr(settings, name) for name in names}


def test_two_runs_at_once_are_one_too_many(bucket: Bucket, elsewhere: RankBucket) -> None:
    first = RankBucket(bucket, elsewhere.folder / "first", renewal=RENEWAL)
    with (
        first.alone(),
        pytest.raises(BusyStoreError, match=r"another run writes to s3://.*, process"),
        elsewhere.alone(),
    ):
        pass
    with elsewhere.alone():
        pass


def test_a_lock_has_one_holder_however_many_want_it(bucket: Bucket) -> None:
    for _ in range(3):
        with ThreadPoolExecutor(8) as pool:
            tags = list(pool.map(lambda n: bucket.create("one", b"%d" % n), range(8)))
        (tag,) = [one for one in tags if one is not None]
        assert bucket.replace("one", b"again", tag) is not None
        assert bucket.replace("one", b"too late", tag) is None
        bucket.delete(["one"])
        assert bucket.replace("one", b"gone", tag) is None


def test_who_stood_still_too_long_learns_of_it_and_publishes_nothing(
    bucket: Bucket, elsewhere: RankBucket, tmp_path: Path
) -> None:
    # It never renews by itself: as if the process had been stopped.
    slow = RankBucket(bucket, tmp_path / "slow", renewal=3_600)
    with slow.alone(), elsewhere.alone():
        with pytest.raises(BusyStoreError, match="nothing of this one is kept"):
            put(slow)
        assert LOCK in keys(bucket)
    assert list(elsewhere.names()) == []


def test_a_lease_that_was_taken_over_is_lost(bucket: Bucket) -> None:
    gone, later = (Lease(bucket, "lease", renewal=RENEWAL) for _ in range(2))
    gone.take()
    gone.renew()
    later.take()
    with pytest.raises(LostLeaseError):
        gone.renew()
    later.renew()


def test_slots_are_recorded_and_seen_by_who_follows_them(
    store: RankStore, elsewhere: RankBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.rank_bucket._LOOK_EVERY", 0.0)
    view = RankView(elsewhere)
    assert view.tables().slots == Slots()
    name = put(store).name
    store.record(Slots(a=name))
    ids = np.array([2, 3])
    assert view.tables().of("user", Slot.A).of(ids).tolist() == [7, 0]
    other = put(store, rank=9, at=AT.replace(second=40)).name
    store.record(store.slots().with_edition(Slot.B, other))
    assert view.tables().of("user", Slot.B).of(ids).tolist() == [9, 0]
    assert view.tables().slots == Slots(a=name, b=other)


def test_a_look_at_the_slots_is_at_most_half_a_second_old(
    store: RankStore, elsewhere: RankBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr("core.rank_bucket.time.monotonic", lambda: now)
    before = elsewhere.slots_mark()
    store.record(Slots(a="one"))
    now += 0.4
    assert elsewhere.slots_mark() == before
    now += 0.2
    assert elsewhere.slots_mark() != before


def test_a_broken_record_of_slots_or_a_damaged_edition_leaves_the_ranks_as_they_are(
    store: RankStore, elsewhere: RankBucket, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.rank_bucket._LOOK_EVERY", 0.0)
    name = put(store).name
    store.record(Slots(a=name))
    view = RankView(elsewhere)
    before = view.tables()
    bucket.write("slots.json", b'{"a": ')
    assert view.tables() is before
    other = put(store, at=AT.replace(second=40), rank=9).name
    bucket.write(f"{other}/user.ranks.npy", b"not what it was")
    store.record(Slots(a=other))
    assert view.tables() is before
    bucket.write("slots.json", b"{}x")
    with pytest.raises(RankStoreError, match=r"slots\.json is damaged"):
        store.slots()


def test_an_object_store_that_goes_away_leaves_the_ranks_as_they_are(
    store: RankStore, in_bucket: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.rank_bucket._LOOK_EVERY", 0.0)
    store.record(Slots(a=put(store).name))
    view = RankView(RankBucket(open_bucket(in_bucket, in_bucket.rank_store), tmp_path / "view"))
    before = view.tables()
    looks = 0

    def away(*_: object) -> None:
        nonlocal looks
        looks += 1
        raise ObjectStoreError("it does not answer")

    monkeypatch.setattr(Bucket, "tag", away)
    assert view.tables() is before
    assert view.tables() is before
    assert looks == 1, "it is left alone for a while"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"object_store_url": "http://127.0.0.1:1"}, "cannot read"),
        ({"object_store_secret": "wrong" + SECRET}, "cannot read"),
        ({"rank_store": "s3://no-such-bucket/ranks"}, "there is no bucket"),
    ],
)
def test_what_cannot_be_reached_is_an_error_that_tells_no_secret(
    in_bucket: Settings, changes: dict[str, Any], problem: str
) -> None:
    store = open_rank_store(dataclasses.replace(in_bucket, **changes))
    with pytest.raises(ObjectStoreError, match=problem) as caught:
        store.slots()
    shown = f"{caught.value!r}{caught.value.__cause__!r}{store!r}{store.__dict__!r}"
    assert SECRET not in shown
    assert caught.value.exit_code == 3
