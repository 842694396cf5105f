"""What every service of the stack can tell and do; the supervisor does the rest."""

import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from stack.account import Account
from stack.processes import MARKER
from stack.state import Register

#: Tells a person what is going on, one line a call.
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How a service's process is started."""

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path  # the working folder
    #: Set when the command starts the real process as a child: an argument of that child alone.
    child_argument: str | None = None


class Service(ABC):
    """One process of the stack, with a folder of its own.

    The folder holds `log` (what the process prints), `data/` (what must not be lost), and what else
    the service wants. Everything in it can be made anew, except `data/`.
    """

    name: ClassVar[str]
    #: What its ports are for, in the words of `stack.json`.
    ports: ClassVar[tuple[str, ...]]
    #: Seconds that a start may take.
    start_deadline: ClassVar[float] = 60
    #: How it is asked to end, and the seconds it may take.
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_deadline: ClassVar[float] = 30
    #: Whether the data are a copy, so that a start that fails may throw them away.
    is_copy: ClassVar[bool] = False

    def __init__(self, register: Register, account: Account) -> None:
        self.register = register
        self.account = account

    @property
    def folder(self) -> Path:
        """Where everything of this service lies."""
        return self.register.state.data / self.name

    @property
    def data(self) -> Path:
        """What must not be lost."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the process prints."""
        return self.folder / "log"

    @property
    def was_ready(self) -> Path:
        """A file that is there once the service was ready with the data that it has."""
        return self.folder / "was-ready"

    def port(self, purpose: str) -> int:
        """The port of that purpose."""
        return self.register.port(purpose)

    def environment(self, **more: str) -> dict[str, str]:
        """The whole environment of the process: nothing of the caller's gets in by accident."""
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "USER": self.account.name,
            "LOGNAME": self.account.name,
            MARKER: str(self.folder),
            **more,
        }

    @abstractmethod
    def prepare(self, progress: Progress) -> None:
        """Make the data unless they exist, and write the configuration. Nothing runs yet."""

    @abstractmethod
    def launch(self) -> Launch:
        """How to start it."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Ask it whether it can serve. Never raises, and answers within a few seconds."""

    def settle(self) -> None:  # noqa: B027 (most have nothing to do)
        """Do what remains once it is ready, and undo what a test may have left behind."""
