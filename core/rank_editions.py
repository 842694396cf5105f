"""Rank editions as files: what the ranker writes, and whoever shows or indexes ranks reads.

    <edition>/manifest.json     what was calculated, how, and the checksum of each file
    <edition>/<type>.ids.npy    ids of all entities of a type, ascending
    <edition>/<type>.ranks.npy  the rank of each, 0 to 255
    slots.json                  which edition is in which slot of the documents

An edition is immutable, and its name ends with the checksum of its manifest. It appears at once or
not at all: it is written beside its place, and renamed when it is complete. `core.rank_bucket` has
the same in a bucket of S3.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from core.errors import DiscoError

MANIFEST: Final = "manifest.json"
SLOTS: Final = "slots.json"
HIGHEST_RANK: Final = 255
#: A rank is a logarithm: this many more for twice the score.
RANKS_PER_DOUBLING: Final = 8
Ids = NDArray[np.int64]
Ranks = NDArray[np.uint8]
NAME: Final = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")
_DIGITS: Final = 8
_PARTIAL: Final = ".partial."
_LOCK: Final = ".lock"


class RankStoreError(DiscoError):
    """An edition or the record of the slots is missing, damaged or foreign; what is live stays."""

    exit_code = 2


class BusyStoreError(RankStoreError):
    """Another run writes to the store. Wait for it; two would only take each other's time."""

    exit_code = 1


class Slot(StrEnum):
    """The two places that a document has for a rank."""

    A = "a"
    B = "b"

    @property
    def other(self) -> "Slot":
        """The one that is not this."""
        return Slot.B if self is Slot.A else Slot.A

    @property
    def field(self) -> str:
        """The document's field."""
        return f"rank_{self}"


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Which edition each slot is to hold. None: documents have no rank there."""

    a: str | None = None
    b: str | None = None

    def edition(self, slot: Slot) -> str | None:
        """The edition of a slot."""
        return self.a if slot is Slot.A else self.b

    def slot_of(self, edition: str) -> Slot | None:
        """The slot that an edition is in."""
        return next((slot for slot in Slot if self.edition(slot) == edition), None)

    def with_edition(self, slot: Slot, edition: str | None) -> "Slots":
        """The slots with another edition in one of them."""
        return replace(self, a=edition) if slot is Slot.A else replace(self, b=edition)


@dataclass(frozen=True, kw_only=True, eq=False)
class RankTable:
    """The ranks of one type's entities."""

    ids: Ids
    ranks: Ranks

    def of(self, ids: Ids) -> Ranks:
        """The rank of each id; 0 for those that the edition does not have."""
        if not len(self.ids):
            return np.zeros(len(ids), dtype=np.uint8)
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        found: Ranks = np.where(self.ids[places] == ids, self.ranks[places], 0).astype(np.uint8)
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Edition:
    """An edition whose manifest was checked; files are checked when they are opened."""

    name: str
    folder: Path
    manifest: Mapping[str, Any] = field(repr=False)
    # Puts a file there, checked, whose copy is missing or damaged; None: the folder is all there is
    fetch: Callable[[str, Mapping[str, Any]], None] | None = field(default=None, repr=False)

    @property
    def types(self) -> Sequence[str]:
        """The entity types that it ranks."""
        suffix = ".ids.npy"
        return sorted(
            one.removesuffix(suffix) for one in self.manifest["files"] if one.endswith(suffix)
        )

    def array(self, file: str) -> NDArray[Any]:
        """An array of the edition, mapped into memory. Raises `RankStoreError`."""
        path = self.folder / file
        described = self.manifest["files"].get(file)
        if described is None:
            raise RankStoreError(f"edition {self.name} has no {file}; calculate another")
        try:
            if not is_whole(path, described):
                if self.fetch is None:
                    raise damaged(path)
                self.fetch(file, described)
            mapped: NDArray[Any] = np.load(
                path, mmap_mode="r" if described["bytes"] > 128 else None
            )
        except (OSError, ValueError) as error:
            raise damaged(path, error) from error
        return mapped

    def table(self, kind: str) -> RankTable:
        """The ranks of a type's entities; none of a type that it does not rank."""
        if kind not in self.types:
            return RankTable(ids=np.empty(0, np.int64), ranks=np.empty(0, np.uint8))
        return RankTable(ids=self.array(f"{kind}.ids.npy"), ranks=self.array(f"{kind}.ranks.npy"))


class RankStore:
    """A folder of editions. It is made when something is put into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def about(self) -> str:
        """What the store is called in messages."""
        return str(self.folder)

    @property
    def slots_file(self) -> Path:
        """Where the slots are recorded."""
        return self.folder / SLOTS

    def names(self) -> Sequence[str]:
        """The names of all editions, the newest first."""
        if not self.folder.is_dir():
            return []
        found = (path.name for path in self.folder.iterdir() if path.is_dir())
        return sorted(filter(NAME.fullmatch, found), reverse=True)

    def open(self, name: str) -> Edition:
        """An edition with its manifest checked. Raises `RankStoreError`."""
        folder = self.folder / name
        if not NAME.fullmatch(name) or not folder.is_dir():
            raise RankStoreError(
                f"the store {self.folder} has no edition {name!r}; `disco rank list` tells what it "
                "has"
            )
        path = folder / MANIFEST
        try:
            return Edition(
                name=name, folder=folder, manifest=manifest_in(path.read_bytes(), name, path)
            )
        except OSError as error:
            raise damaged(path, error) from error

    def put(
        self, arrays: Mapping[str, NDArray[Any]], manifest: Mapping[str, Any], *, at: datetime
    ) -> Edition:
        """Write an edition. Arrays are named by file; `manifest` gets their checksums.

        Raises `RankStoreError` if it cannot be written; nothing is left of it then.
        """
        partial = self.folder / f"{_PARTIAL}{os.getpid()}"
        try:
            partial.mkdir(parents=True)
            files = {name: _write_array(partial / name, array) for name, array in arrays.items()}
            content = orjson.dumps({**manifest, "files": files}, option=orjson.OPT_INDENT_2)
            write_whole(partial / MANIFEST, content)
            name = f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{_digits(content)}"
            self._let_appear(partial, name)
        except OSError as error:
            raise RankStoreError(
                f"an edition cannot be written to {self.folder} ({error.strerror or error}); "
                "make room, or set DISCO_RANK_STORE"
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return self.open(name)

    def remove(self, name: str) -> None:
        """Remove an edition, at once: it is renamed first."""
        partial = self.folder / f"{_PARTIAL}{name}"
        (self.folder / name).rename(partial)
        shutil.rmtree(partial, ignore_errors=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else writes editions meanwhile; what killed runs left is removed first.

        Raises:
            BusyStoreError: somebody does.
            RankStoreError: the store cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / _LOCK).open("w")
        except OSError as error:
            raise RankStoreError(
                f"the store {self.folder} cannot be written ({error.strerror}); set "
                "DISCO_RANK_STORE"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyStoreError(
                    f"another run writes to {self.folder}; wait until it is done"
                ) from None
            self.sweep()
            yield

    def sweep(self) -> None:
        """Remove what killed runs left; only for who is alone."""
        for path in self.folder.glob(f"{_PARTIAL}*"):
            shutil.rmtree(path, ignore_errors=True)

    def slots_mark(self) -> Hashable:
        """Something that changes when the slots are recorded anew; it may be a moment old."""
        try:
            status = self.slots_file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino

    def slots(self) -> Slots:
        """What the slots are to hold; nothing before the first publication."""
        try:
            return slots_in(self.slots_file.read_bytes(), self.slots_file)
        except FileNotFoundError:
            return Slots()
        except OSError as error:
            raise damaged(self.slots_file, error) from error

    def record(self, slots: Slots) -> None:
        """Replace the record of the slots in one step."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.slots_file, orjson.dumps(slots))
        except OSError as error:
            raise RankStoreError(f"{self.slots_file} cannot be written ({error})") from error

    def _let_appear(self, partial: Path, name: str) -> None:
        """Give a folder with all files of an edition its name."""
        partial.rename(self.folder / name)
        _sync(self.folder)


def manifest_in(content: bytes, name: str, place: object) -> Mapping[str, Any]:
    """The manifest of an edition, checked by its name; raises `RankStoreError`."""
    if _digits(content) != name.rpartition("-")[2]:
        raise damaged(place)
    try:
        manifest: Mapping[str, Any] = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise damaged(place, error) from error
    return manifest


def slots_in(content: bytes, place: object) -> Slots:
    """The slots that are recorded; raises `RankStoreError`."""
    try:
        return Slots(**orjson.loads(content))
    except (orjson.JSONDecodeError, TypeError) as error:
        raise damaged(place, error) from error


def is_whole(path: Path, described: Mapping[str, Any]) -> bool:
    """Whether a file is there, and what a manifest says of it holds. Raises `OSError`."""
    try:
        fits: bool = path.stat().st_size == described["bytes"]
    except FileNotFoundError:
        return False
    return fits and _sha256(path) == described["sha256"]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file at once or not at all; raises `OSError`."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _write_array(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": path.stat().st_size, "sha256": _sha256(path)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digits(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damaged(place: object, cause: Exception | None = None) -> RankStoreError:
    """The error about a file, or an object, that is not what it should be."""
    reason = f" ({cause})" if cause else ""
    return RankStoreError(
        f"{place} is damaged or was altered{reason}; what is live stays. Restore it from a copy, "
        "or calculate another edition with `disco rank run`"
    )
