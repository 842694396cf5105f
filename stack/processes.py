"""Processes that outlive the command that started them, known by a record no other process fits.

A process id alone is not enough: after a crash or a reboot it may belong to somebody else. A record
also has the boot and the moment of the start, so `down` never stops a stranger.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from stack.account import Account
from stack.waiting import wait_until

#: The variable that marks a process as started for one service of one stack. Its value is the
#: service's folder, so processes whose record was lost (a crash between start and record) are
#: found again, and only those.
MARKER = "DISCO_STACK_SERVICE"
#: A log is set aside at a start when it is larger than this many bytes.
LOG_LIMIT = 20_000_000


@dataclass(frozen=True, kw_only=True)
class ProcessRecord:
    """One process for all time."""

    pid: int
    started: int  # clock ticks between the machine's boot and the process's start
    boot: str  # which boot of the machine


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    account: Account,
) -> ProcessRecord:
    """Start a process of its own session, its output appended to `log`, no input.

    Args:
        command: The program and its arguments.
        environment: All of its environment, `MARKER` included.
        folder: Its working folder.
        log: Where its output goes; belongs to the account.
        account: Who it runs as.
    """
    _rotate(log)
    with log.open("ab") as output:
        account.own(log)
        child = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
            **account.process_options(),
        )
    # It is meant to outlive us: let nobody wait for it, or warn that nobody did.
    child.returncode = 0
    record = identify(child.pid)
    # A process that is gone already has no start to read; the record then fits no other either.
    return record or ProcessRecord(pid=child.pid, started=-1, boot=boot_id())


def identify(pid: int) -> ProcessRecord | None:
    """The record of a process that runs now; None if there is none (a zombie does not run)."""
    _reap(pid)
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name, in parentheses, may itself hold spaces and parentheses.
    fields = status.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:
        return None
    return ProcessRecord(pid=pid, started=int(fields[19]), boot=boot_id())


def boot_id() -> str:
    """The kernel's name for the time since the last boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def is_running(record: ProcessRecord) -> bool:
    """Whether that very process still runs."""
    return identify(record.pid) == record


def send(record: ProcessRecord, number: signal.Signals) -> bool:
    """Send a signal to that very process; False if it is gone."""
    if not is_running(record):
        return False
    try:
        os.kill(record.pid, number)
    except ProcessLookupError:
        return False
    return True


def resume(record: ProcessRecord) -> None:
    """Let a paused process go on; does nothing to one that is not."""
    send(record, signal.SIGCONT)


def stop(record: ProcessRecord, *, by: signal.Signals = signal.SIGTERM, within: float) -> bool:
    """End a process: ask with `by`, and after `within` seconds kill it.

    Returns:
        True if it went by itself, False if it had to be killed.
    """
    resume(record)  # a paused process would not hear
    send(record, by)
    if wait_until(lambda: not is_running(record), within=within):
        return True
    send(record, signal.SIGKILL)
    wait_until(lambda: not is_running(record), within=10)
    return False


def child_of(record: ProcessRecord, *, argument: str) -> ProcessRecord | None:
    """The running child that has this argument on its command line; None until there is one."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(record.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if argument in child.cmdline():
                    return identify(child.pid)
    return None


def family(record: ProcessRecord) -> list[ProcessRecord]:
    """The process and all that descend from it; empty if it is gone."""
    if not is_running(record):
        return []
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(record.pid).children(recursive=True)
        found = [identify(child.pid) for child in children]
        return [record, *(child for child in found if child)]
    return [record]


def marked(folder: Path) -> list[ProcessRecord]:
    """Every running process that was started for the service of that folder, eldest first."""
    found = [record for pid in _marked_pids(folder) if (record := identify(pid))]
    return sorted(found, key=lambda record: record.started)


def _marked_pids(folder: Path) -> Iterator[int]:
    wanted = f"{MARKER}={folder}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        # Processes of others cannot be read, and processes end while we look.
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)


def _reap(pid: int) -> None:
    """Let a child of ours that ended vanish; anyone else's processes are not touched."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(f"{log.name}.1"))
