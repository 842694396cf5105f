"""What a stack remembers between two commands: its file `stack.json`.

A stack lives in `.stack/<name>/` of the folder it is started in. Its services' data lie there too,
unless the services' user cannot get there (root's home is closed to others): then they lie in a
folder outside, and `stack.json` says where.
"""

import fcntl
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from stack import ports
from stack.errors import StackError, StackNameError
from stack.processes import ProcessRecord

#: Raised when the meaning of `stack.json` changes.
FORMAT: Final = 1
STACKS_FOLDER: Final = Path(".stack")
#: Also the first part of RabbitMQ's node name and of the engine's cluster name.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True, kw_only=True)
class StackState:
    """The content of `stack.json`."""

    name: str  # which stack
    data: Path  # the folder that holds a folder for each service
    password: str  # of PostgreSQL's and RabbitMQ's user, random; of the engine's, if it is secure
    heap: str = "1g"  # the engine's heap, as java's -Xmx takes it
    secure: bool = False  # whether the engine asks for a password, and speaks TLS alone
    ports: Mapping[str, int] = field(default_factory=dict)  # what it is for -> port
    processes: Mapping[str, ProcessRecord] = field(default_factory=dict)  # service -> its process

    def to_json(self, folder: Path) -> dict[str, Any]:
        """The document that `from_json` reads.

        Args:
            folder: The stack's own, where the document will lie.
        """
        data = "." if self.data == folder else str(self.data)
        return {"format": FORMAT, "folder": str(folder), **asdict(self), "data": data}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], folder: Path) -> "StackState":
        """Read what `to_json` made.

        A document that was written for another folder came with a copy of the work tree: its ports
        and processes are those of the original, so they are forgotten.

        Raises:
            KeyError, TypeError, ValueError: It was not made by `to_json`.
        """
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}, not {FORMAT}")
        is_ours = document["folder"] == str(folder)
        processes = {
            name: ProcessRecord(**record) for name, record in document["processes"].items()
        }
        return cls(
            name=document["name"],
            data=folder / document["data"],
            password=document["password"],
            heap=document["heap"],
            secure=document.get("secure", False),
            ports=dict(document["ports"]) if is_ours else {},
            processes=processes if is_ours else {},
        )


class StackFolder:
    """The folder `.stack/<name>/` of one stack."""

    def __init__(self, name: str, *, root: Path) -> None:
        """Name a stack; nothing is made yet.

        Args:
            name: Lower-case letters, digits, hyphens.
            root: The folder that holds `.stack/`.

        Raises:
            StackNameError: The name does not fit.
        """
        if not _NAME.fullmatch(name):
            raise StackNameError(
                f"stack name {name!r} does not fit: use a-z, 0-9 and hyphens, a letter first, "
                "at most 31"
            )
        self.name = name
        self.path = (root / STACKS_FOLDER / name).resolve()

    @property
    def settings_file(self) -> Path:
        """The settings of whoever uses the stack: `DISCO_CONFIG` may point at it."""
        return self.path / "disco.toml"

    @property
    def installation_log(self) -> Path:
        """What apt-get, Maven and the like said."""
        return self.path / "installation.log"

    @property
    def _state_file(self) -> Path:
        return self.path / "stack.json"

    def load(self) -> StackState | None:
        """What the stack remembers; None if there is no such stack.

        Raises:
            StackError: The file is damaged.
        """
        try:
            document = json.loads(self._state_file.read_text(encoding="utf-8"))
            return StackState.from_json(document, self.path)
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StackError(
                f"{self._state_file} is damaged ({error}): delete the folder {self.path}, "
                "and the stack starts anew"
            ) from error

    def save(self, state: StackState) -> None:
        """Write what the stack remembers, all or nothing, for the eyes of the owner."""
        text = json.dumps(state.to_json(self.path), indent=2) + "\n"
        self._write_secret(self._state_file, text)

    def write_settings(self, text: str) -> None:
        """Write the settings file, all or nothing, for the eyes of the owner: it has passwords."""
        self._write_secret(self.settings_file, text)

    def _write_secret(self, target: Path, text: str) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands away from this stack meanwhile; waits for one that is at work."""
        self.path.mkdir(parents=True, exist_ok=True)
        with file_lock(self.path / "lock"):
            yield


class Register:
    """The state of a stack that several threads start services of; each change is saved."""

    def __init__(self, folder: StackFolder, state: StackState) -> None:
        self.folder = folder
        self._state = state
        self._lock = threading.Lock()

    @property
    def state(self) -> StackState:
        """What the stack remembers now."""
        return self._state

    def process(self, service: str) -> ProcessRecord | None:
        """The recorded process of a service, running or not."""
        return self._state.processes.get(service)

    def record(self, service: str, process: ProcessRecord) -> None:
        """Remember the process of a service."""
        with self._lock:
            self._keep(processes={**self._state.processes, service: process})

    def forget(self, service: str) -> None:
        """Remember that a service has no process."""
        with self._lock:
            remaining = {k: v for k, v in self._state.processes.items() if k != service}
            self._keep(processes=remaining)

    def set_heap(self, heap: str) -> None:
        """Remember the engine's heap for its next start."""
        with self._lock:
            self._keep(heap=heap)

    def port(self, purpose: str) -> int:
        """The port for that purpose, as chosen before, else chosen now and kept."""
        with self._lock:
            if purpose in self._state.ports:
                return self._state.ports[purpose]
        return self.choose_port(purpose)

    def choose_port(self, purpose: str) -> int:
        """Choose a free port for that purpose, other than the one it had."""
        with self._lock:
            chosen = ports.choose(
                seed=f"{self._state.data} {purpose}", avoid=set(self._state.ports.values())
            )
            self._keep(ports={**self._state.ports, purpose: chosen})
            return chosen

    def _keep(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)
        self.folder.save(self._state)


def new_state(name: str, *, data: Path, heap: str, secure: bool = False) -> StackState:
    """What a stack remembers before its first start."""
    return StackState(
        name=name, data=data, password=secrets.token_hex(16), heap=heap, secure=secure
    )


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, whatever becomes of it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
