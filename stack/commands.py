"""Tools that take long: their output goes to a log, and a person sees that they are at work."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stack.errors import CommandError
from stack.service import Progress
from stack.state import file_lock

#: Seconds between two signs of life of a long step.
HEARTBEAT: Final = 10


def cache_folder() -> Path:
    """Where what is fetched once a user is kept, outside every work tree.

    `DISCO_CACHE` if it is set. For root a folder that the services' user can read: root's home is
    closed to it.
    """
    if named := os.environ.get("DISCO_CACHE"):
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/cache/disco")
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "disco"


@contextmanager
def machine_lock(purpose: str) -> Iterator[None]:
    """One at a time for this user, whichever stack it is for."""
    folder = cache_folder()
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # others read the engine here, whatever the caller's umask
    with file_lock(folder / f"{purpose}.lock"):
        yield


def run_long(
    command: Sequence[str],
    *,
    label: str,
    log: Path,
    progress: Progress,
    more: Mapping[str, str] | None = None,
    detail: Callable[[], str] | None = None,
) -> None:
    """Run a tool to its end.

    Args:
        command: The tool and its arguments.
        label: What it does, for the progress lines.
        log: Where its output is appended.
        progress: Gets a line at the start, and one every `HEARTBEAT` seconds.
        more: Additions to our own environment.
        detail: How far it is, asked for each of those lines.

    Raises:
        CommandError: It failed; the message ends with what it said last.
    """
    progress(label)
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with log.open("ab") as output:
        output.write(f"\n$ {' '.join(command)}\n".encode())
        output.flush()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(more or {})},
        )
        try:
            _watch(child, label, started, progress, detail)
        except BaseException:
            child.terminate()
            child.wait()
            raise
    if child.returncode != 0:
        raise CommandError(label, child.returncode, log)


def _watch(
    child: "subprocess.Popen[bytes]",
    label: str,
    started: float,
    progress: Progress,
    detail: Callable[[], str] | None,
) -> None:
    while True:
        try:
            child.wait(HEARTBEAT)
        except subprocess.TimeoutExpired:
            so_far = f", {detail()}" if detail else ""
            progress(f"{label}: {time.monotonic() - started:.0f} s{so_far}")
        else:
            return
