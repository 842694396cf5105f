"""What can go wrong with the stack, and what to do about it."""

import re
from pathlib import Path

from core.errors import DiscoError

#: How many lines of a log an error shows.
TAIL_LINES = 15
_COLOUR = re.compile("\x1b\\[[0-9;]*m")


class StackError(DiscoError):
    """The stack cannot do what was asked; the message says why and what to do."""

    exit_code = 3


class StackNameError(StackError):
    """A stack's name does not fit: choose one of a-z, 0-9 and hyphens."""

    exit_code = 2


class InstallationError(StackError):
    """Something that the stack needs is missing and could not be installed."""


class CommandError(StackError):
    """A tool that the stack calls failed.

    Attributes:
        log: The file that holds all of its output.
    """

    def __init__(self, label: str, status: int, log: Path, remedy: str = "") -> None:
        self.log = log
        what = f"{label} failed with status {status}"
        super().__init__(join_lines(f"{what}; {remedy}" if remedy else what, describe_log(log)))


class StartError(StackError):
    """A service did not come up, or not in time.

    Attributes:
        service: Which one.
        log: Its log file; the message ends with the last lines of it.
    """

    def __init__(self, service: str, reason: str, log: Path) -> None:
        self.service = service
        self.log = log
        super().__init__(join_lines(f"{service} {reason}", describe_log(log)))


def describe_log(log: Path) -> str:
    """The log's path and its last lines, for the end of an error message."""
    lines = tail(log)
    if not lines:
        return f"its log {log} is empty"
    return "\n".join([f"the last lines of its log {log}:", *(f"  | {line}" for line in lines)])


def tail(log: Path, count: int = TAIL_LINES) -> list[str]:
    """The last lines of a text file, without their ends; none if it is empty or missing."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    lines = _COLOUR.sub("", text).splitlines()
    return [line for line in lines if line.strip()][-count:]


def join_lines(*parts: str) -> str:
    """The parts that are not empty, each on its own line."""
    return "\n".join(part for part in parts if part)
