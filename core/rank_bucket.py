"""Rank editions in a bucket of S3, with copies on this machine.

The bucket has what `core.rank_editions` says of a folder, and `run.lock`. Objects cannot be
renamed, so an edition appears with its manifest, which is written last and only if there is none.
Files are copied into a folder when they are asked for, checked, and mapped into memory there.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from core.errors import UsageError
from core.object_lease import Lease, LostLeaseError, TakenError
from core.object_store import SCHEME, Bucket, open_bucket
from core.rank_editions import (
    MANIFEST,
    NAME,
    SLOTS,
    BusyStoreError,
    Edition,
    RankStore,
    RankStoreError,
    Slots,
    damaged,
    is_whole,
    manifest_in,
    slots_in,
    write_whole,
)
from core.settings import Settings

LOCK: Final = "run.lock"
# Workers follow the slots within the second that a publication waits for them.
_LOOK_EVERY: Final = 0.5


class RankBucket(RankStore):
    """A bucket of editions; `folder` has the copies. Its methods raise `ObjectStoreError`, too."""

    def __init__(self, bucket: Bucket, folder: Path, *, renewal: float = 10.0) -> None:
        super().__init__(folder)
        self._bucket = bucket
        self._renewal = renewal
        self._lease: Lease | None = None
        self._mark: str | None = None
        self._looked = -_LOOK_EVERY

    @property
    def about(self) -> str:
        """The address of the bucket."""
        return self._bucket.url

    def names(self) -> Sequence[str]:
        """The names of all editions that have a manifest, the newest first."""
        return sorted(_editions(self._bucket.keys()), reverse=True)

    def open(self, name: str) -> Edition:
        """An edition with its manifest checked; its files are copied when they are asked for."""
        if not NAME.fullmatch(name):
            raise self._unknown(name)
        return Edition(
            name=name,
            folder=self.folder / name,
            manifest=self._manifest(name),
            fetch=partial(self._fetch, name),
        )

    def remove(self, name: str) -> None:
        """Remove an edition, at once: its manifest goes first."""
        keys = [key for key in self._bucket.keys(f"{name}/") if key != _manifest_of(name)]
        self._bucket.delete([_manifest_of(name), *keys])
        self._forget(name)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else, on whichever machine, writes editions meanwhile. Raises `BusyStoreError`."""
        lease = Lease(self._bucket, LOCK, renewal=self._renewal)
        try:
            lease.take()
        except TakenError as error:
            raise BusyStoreError(
                f"another run writes to {self.about} ({error}); wait until it is done"
            ) from None
        with lease.kept():
            self._lease = lease
            try:
                self.sweep()
                yield
            finally:
                self._lease = None

    def sweep(self) -> None:
        """Remove what killed runs left, here and there; only for who is alone."""
        keys = self._bucket.keys()
        whole = _editions(keys)
        names = {key: key.partition("/")[0] for key in keys if "/" in key}
        self._bucket.delete(
            key for key, name in names.items() if NAME.fullmatch(name) and name not in whole
        )
        self._forget_all_but(whole)
        super().sweep()

    def slots_mark(self) -> Hashable:
        """The tag of the record of the slots, as it was half a second ago at most."""
        if time.monotonic() - self._looked >= _LOOK_EVERY:
            self._mark = self._bucket.tag(SLOTS)
            self._looked = time.monotonic()
        return self._mark

    def slots(self) -> Slots:
        """What the slots are to hold; nothing before the first publication."""
        found = self._bucket.read(SLOTS)
        return Slots() if found is None else slots_in(found.content, self._bucket.place(SLOTS))

    def record(self, slots: Slots) -> None:
        """Replace the record of the slots in one step."""
        self._bucket.write(SLOTS, orjson.dumps(slots))

    def _let_appear(self, partial: Path, name: str) -> None:
        files = sorted(path for path in partial.iterdir() if path.name != MANIFEST)
        for path in files:
            self._bucket.upload(f"{name}/{path.name}", path)
        if self._lease is not None:
            try:
                self._lease.renew()
            except LostLeaseError as error:
                raise BusyStoreError(
                    f"another run took {self.about} over while this one stood still ({error}); "
                    "nothing of this one is kept"
                ) from None
        if self._bucket.create(_manifest_of(name), (partial / MANIFEST).read_bytes()) is None:
            raise RankStoreError(f"{self.about} has an edition {name} already; run again")
        super()._let_appear(partial, name)

    def _manifest(self, name: str) -> Mapping[str, Any]:
        """From this machine's copy, or else from the bucket."""
        copy = self.folder / name / MANIFEST
        with contextlib.suppress(OSError, RankStoreError):
            return manifest_in(copy.read_bytes(), name, copy)
        found = self._bucket.read(_manifest_of(name))
        if found is None:
            raise self._unknown(name)
        manifest = manifest_in(found.content, name, self._bucket.place(_manifest_of(name)))
        self._forget_all_but({*self.names(), name})
        with self._copying():
            copy.parent.mkdir(parents=True, exist_ok=True)
            write_whole(copy, found.content)
        return manifest

    def _fetch(self, name: str, file: str, described: Mapping[str, Any]) -> None:
        """Copy a file of an edition, and check it. Raises `RankStoreError`."""
        key = f"{name}/{file}"
        path = self.folder / name / file
        arriving = path.with_name(f".{file}.{os.getpid()}.partial")
        with self._copying():
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                whole = self._bucket.download(key, arriving, described["bytes"]) and is_whole(
                    arriving, described
                )
                if not whole:
                    raise damaged(self._bucket.place(key))
                arriving.replace(path)
            finally:
                arriving.unlink(missing_ok=True)

    def _forget_all_but(self, names: set[str]) -> None:
        """Remove copies of editions that the bucket has no more."""
        for name in set(super().names()) - names:
            self._forget(name)

    def _forget(self, name: str) -> None:
        # Another process may do the same; what is mapped stays readable for who mapped it.
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def _unknown(self, name: str) -> RankStoreError:
        return RankStoreError(
            f"the store {self.about} has no edition {name!r}; `disco rank list` tells what it has"
        )

    @contextmanager
    def _copying(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RankStoreError(
                f"a copy of an edition cannot be written to {self.folder} "
                f"({error.strerror or error}); make room, or set DISCO_RANK_CACHE"
            ) from error


def open_rank_store(settings: Settings) -> RankStore:
    """The store of these settings. Raises `UsageError` for an address that is none."""
    place = settings.rank_store
    if place.startswith(SCHEME):
        return RankBucket(open_bucket(settings, place), Path(settings.rank_cache))
    if "://" in place or place.startswith("s3:"):
        raise UsageError(f"setting rank_store is {place!r}; give a folder, or s3://bucket/prefix")
    return RankStore(Path(place))


def _editions(keys: Sequence[str]) -> set[str]:
    """The names of the editions whose manifest is among the keys."""
    found = (key.removesuffix(f"/{MANIFEST}") for key in keys if key.endswith(f"/{MANIFEST}"))
    return {name for name in found if NAME.fullmatch(name)}


def _manifest_of(name: str) -> str:
    return f"{name}/{MANIFEST}"
