"""The snapshot store: a folder of snapshots, and a pointer to the one that is served.

    <edition>.snapshot    the files; never changed
    <edition>.position    where in the stream of changes the snapshot ends; of one from the database
    published             a line an edition: those that were published, the one that is served last

Any number of services may watch one folder. The pointer is replaced in one step, so that they see
the former or the next, and nothing between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from suggest import snapshot
from suggest.errors import SnapshotError, SuggestError
from suggest.positions import Position

POINTER: Final = "published"
SUFFIX: Final = ".snapshot"
POSITION: Final = ".position"
REMEMBERED: Final = 20  # editions that can be gone back through


class StoreError(SuggestError):
    """The store lacks the edition, or one to go back to. `disco suggest list` tells what it has."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A snapshot in the store."""

    edition: str
    published: bool  # whether it is the one that is served
    written_at: datetime
    size: int  # bytes
    facts: dict[str, Any]  # what the builder wrote down


class Store:
    """One folder. It is made when something is put into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pointer = folder / POINTER

    def published(self) -> str | None:
        """The edition that is served; None if nothing was published yet."""
        history = self._history()
        return history[-1] if history else None

    def published_facts(self) -> Mapping[str, Any]:
        """What the builder wrote down of the snapshot that is served; nothing if there is none."""
        edition = self.published()
        if edition is None or not self.path_of(edition).exists():
            return {}
        return snapshot.load(self.path_of(edition)).facts

    def path_of(self, edition: str) -> Path:
        """Where the snapshot of an edition is, or would be."""
        return self.folder / f"{edition}{SUFFIX}"

    def existing(self, edition: str) -> Path:
        """The file of an edition; raises `StoreError` if there is none."""
        path = self.path_of(edition)
        if Path(edition).name != edition or not path.is_file():
            raise StoreError(
                f"the store {self.folder} has no edition {edition!r}; "
                "`disco suggest list` tells what it has"
            )
        return path

    def position_of(self, edition: str) -> Position | None:
        """Where in the stream of changes a snapshot ends; None if that is not known."""
        try:
            return Position.parse((self.folder / f"{edition}{POSITION}").read_text("ascii"))
        except (OSError, UnicodeDecodeError):
            return None

    def put(self, pieces: Sequence[bytes], position: Position | None = None) -> str:
        """Write a snapshot unless it is there; returns its edition. Raises `SnapshotError`.

        Of two positions of the same content the later one counts: less has happened since.
        """
        edition = snapshot.edition_of(pieces)
        if position is not None:
            file = self.folder / f"{edition}{POSITION}"
            snapshot.write(file, [f"{position}\n".encode("ascii")])
        if not self.path_of(edition).exists():
            snapshot.write(self.path_of(edition), pieces)
        return edition

    def add(self, file: Path) -> str:
        """Take a snapshot file into the store; returns its edition. Raises `SnapshotError`."""
        found = snapshot.load(file)
        if not self.path_of(found.edition).exists():
            with memoryview(found.content) as content:
                snapshot.write(self.path_of(found.edition), [content])
        return found.edition

    def entries(self) -> Sequence[Entry]:
        """What is there, the newest first; a file that cannot be used is left out."""
        published = self.published()
        entries = [self._entry(path, published) for path in self.folder.glob(f"*{SUFFIX}")]
        usable = [entry for entry in entries if entry is not None]
        return sorted(usable, key=lambda entry: entry.written_at, reverse=True)

    def publish(self, edition: str) -> None:
        """Have an edition served. Raises `StoreError`, or `SnapshotError` for a bad file."""
        snapshot.load(self.existing(edition))
        history = [one for one in self._history() if one != edition]
        self._point([*history, edition])

    def rollback_target(self) -> str:
        """The edition that was served before; raises `StoreError` if there is none."""
        for edition in reversed(self._history()[:-1]):
            if self.path_of(edition).exists():
                return edition
        raise StoreError(f"the store {self.folder} has no edition that was published before")

    def rollback(self) -> str:
        """Have the edition before served again; returns it."""
        edition = self.rollback_target()
        snapshot.load(self.path_of(edition))
        history = self._history()
        self._point(history[: history.index(edition) + 1])
        return edition

    def _history(self) -> list[str]:
        try:
            return self.pointer.read_text(encoding="ascii").split()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(
                f"{self.pointer} cannot be read ({error}); remove it, and publish anew"
            ) from error

    def _point(self, history: Sequence[str]) -> None:
        content = "".join(f"{edition}\n" for edition in history[-REMEMBERED:])
        snapshot.write(self.pointer, [content.encode("ascii")])

    def _entry(self, path: Path, published: str | None) -> Entry | None:
        try:
            found = snapshot.load(path)
            written = path.stat().st_mtime
        except (SnapshotError, OSError):
            return None
        return Entry(
            edition=found.edition,
            published=found.edition == published,
            written_at=datetime.fromtimestamp(written, tz=UTC),
            size=found.size,
            facts=dict(found.facts),
        )


def mark_of(pointer: Path) -> tuple[int, int] | None:
    """Something that changes with the pointer; None if there is none."""
    try:
        status = pointer.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
