"""Snapshots: immutable files of completions, mapped into memory.

    magic (16 bytes) | length of the header (8) | checksum of the header (32)
    header: JSON, with the name, kind, place, length and checksum of each section
    sections, each at a multiple of 64 bytes, with zeros between

Numbers are little-endian. The same phrases make the same bytes, so a file's edition is the
checksum of its header.
"""

import contextlib
import hashlib
import mmap
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from suggest import folding
from suggest.errors import SnapshotError

MAGIC: Final = b"disco suggest 2\n"
_ALIGNMENT: Final = 64
_FIXED: Final = len(MAGIC) + 8 + 32
_EDITION: Final = 16  # digits
_LONGEST_HEADER: Final = 1 << 20
_KINDS: Final = frozenset({"u1", "u2", "u4"})  # of numbers in a section
_REBUILD: Final = "build it anew with `disco suggest build`"
Section = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.uint32]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A snapshot in memory; its pages are shared with every process that maps the same file."""

    path: Path
    edition: str  # names the content: equal editions, equal files
    facts: Mapping[str, Any]  # counts and whatever else the builder wrote down
    content: mmap.mmap | bytes
    places: Mapping[str, tuple[int, int]]  # section -> first byte, end
    sizes: Mapping[str, int]  # section -> bytes of one of its numbers

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.content)


def encode(sections: Mapping[str, Section], facts: Mapping[str, Any]) -> list[bytes]:
    """The file as pieces, one after the other: the same content makes the same bytes."""
    pieces, table, at = [], [], 0
    for name, array in sections.items():
        raw = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        digest = hashlib.sha256(raw).hexdigest()
        table.append([name, array.dtype.str[1:], at, len(raw), digest])
        pieces += [raw, bytes(-len(raw) % _ALIGNMENT)]
        at += len(raw) + (-len(raw) % _ALIGNMENT)
    header = orjson.dumps({"folding": folding.VERSION, "facts": facts, "sections": table})
    header += b" " * (-(_FIXED + len(header)) % _ALIGNMENT)
    digest_of_header = hashlib.sha256(header).digest()
    return [MAGIC, len(header).to_bytes(8, "little"), digest_of_header, header, *pieces]


def edition_of(pieces: Sequence[bytes]) -> str:
    """The edition of a file that `encode` made."""
    return pieces[2].hex()[:_EDITION]


def write(path: Path, pieces: Sequence[bytes | memoryview]) -> None:
    """Write a file at once or not at all; raises `SnapshotError`."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise SnapshotError(
            path, f"cannot be written ({error.strerror})", "name a file that can be"
        ) from error


def load(path: Path) -> Snapshot:
    """Map a file and check every byte of it; raises `SnapshotError`."""
    return _checked(path, _mapped(path))


def in_memory(pieces: Sequence[bytes]) -> Snapshot:
    """The snapshot that `encode` made, without a file."""
    return _checked(Path("(memory)"), b"".join(pieces))


def _checked(path: Path, content: mmap.mmap | bytes) -> Snapshot:
    header, digest = _header(path, content)
    if header.get("folding") != folding.VERSION:
        raise SnapshotError(path, "was built by another version of the project", _REBUILD)
    if not _is_table(header.get("sections")) or not isinstance(header.get("facts"), dict):
        raise SnapshotError(path, "has a header that nothing of ours has written", _REBUILD)
    begin = _FIXED + int.from_bytes(content[len(MAGIC) : len(MAGIC) + 8], "little")
    places, sizes = {}, {}
    for name, kind, at, length, checksum in header["sections"]:
        low, end = begin + at, begin + at + length
        with memoryview(content)[low:end] as section:
            if len(section) != length or hashlib.sha256(section).hexdigest() != checksum:
                raise SnapshotError(path, f"is damaged (section {name})", _REBUILD)
        places[name], sizes[name] = (low, end), int(kind[-1])
    _check_padding(path, content, sorted(places.values()), begin)
    return Snapshot(
        path=path,
        edition=digest[:_EDITION],
        facts=header["facts"],
        content=content,
        places=places,
        sizes=sizes,
    )


def _mapped(path: Path) -> mmap.mmap:
    if sys.byteorder != "little":
        raise SnapshotError(path, "has little-endian numbers", "use a little-endian machine")
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise SnapshotError(
            path,
            f"cannot be read ({error.strerror})",
            "name a file that `disco suggest build` wrote",
        ) from error
    except ValueError:
        raise SnapshotError(path, "is empty", _REBUILD) from None


def _header(path: Path, content: mmap.mmap | bytes) -> tuple[dict[str, Any], str]:
    if content[: len(MAGIC)] != MAGIC:
        raise SnapshotError(
            path, "is no snapshot of this version", "name a file that `disco suggest build` wrote"
        )
    length = int.from_bytes(content[len(MAGIC) : len(MAGIC) + 8], "little")
    raw = content[_FIXED : _FIXED + min(length, _LONGEST_HEADER)]
    digest = hashlib.sha256(raw)
    if digest.digest() != content[_FIXED - 32 : _FIXED]:
        raise SnapshotError(path, "is damaged (header)", _REBUILD)
    try:
        header = orjson.loads(raw)
    except orjson.JSONDecodeError:
        header = None
    if not isinstance(header, dict):
        raise SnapshotError(path, "is damaged (header)", _REBUILD)
    return header, digest.hexdigest()


def _is_table(sections: object) -> bool:
    """Whether it is a list of name, kind, first byte, length and checksum."""
    kinds = (str, str, int, int, str)
    return isinstance(sections, list) and all(
        isinstance(row, list)
        and tuple(map(type, row)) == kinds
        and row[1] in _KINDS
        and min(row[2], row[3]) >= 0
        for row in sections
    )


def _check_padding(
    path: Path, content: mmap.mmap | bytes, places: list[tuple[int, int]], begin: int
) -> None:
    """Nothing stands between the sections, nor behind the last."""
    at = begin
    for low, high in [*places, (len(content), len(content))]:
        if low < at or content[at:low].strip(b"\0") or low - at >= _ALIGNMENT:
            raise SnapshotError(path, "is damaged (between sections)", _REBUILD)
        at = high
    if len(content) % _ALIGNMENT:
        raise SnapshotError(path, "is damaged (its length)", _REBUILD)
