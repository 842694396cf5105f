"""The door to the stack: start it, stop it, look at it. Commands and tests come in here."""

import shutil
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from stack import assembly, engine_archive, packages, processes, supervisor
from stack.assembly import Stack
from stack.errors import StackError
from stack.packages import Requirement
from stack.service import Progress, Service
from stack.state import StackFolder


@dataclass(frozen=True, kw_only=True)
class Started:
    """What `up` did."""

    name: str  # which stack
    settings_file: Path  # `DISCO_CONFIG` for whoever uses it
    settings: Mapping[str, str]  # what stands in it
    data: Path  # where the services' data lie
    started: tuple[str, ...]  # services that were not up before
    seconds: float  # how long it took


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What `down` did."""

    name: str  # which stack
    stopped: tuple[str, ...]  # services that ran
    purged: bool  # whether the data are gone


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """One service of a stack as it is now."""

    name: str  # which service
    state: str  # up; silent: it runs and does not answer; down
    pid: int | None  # its process
    ports: Mapping[str, int]  # what each is for
    memory: int | None  # resident bytes of the process and its children
    log: Path  # what it printed


@dataclass(frozen=True, kw_only=True)
class Status:
    """A stack as it is now."""

    name: str  # which stack
    up: bool  # whether every service answers
    settings_file: Path  # `DISCO_CONFIG` for whoever uses it
    services: tuple[ServiceStatus, ...]


def up(
    name: str,
    *,
    root: Path,
    progress: Progress,
    heap: str | None = None,
    secure: bool = False,
) -> Started:
    """Start what is not up, after installing what is missing.

    Args:
        name: Which stack.
        root: The folder that holds `.stack/`.
        progress: Gets a line for each step; called from several threads.
        heap: The engine's heap from its next start on, as java's -Xmx takes it.
        secure: Whether the engine of a new stack asks for a password, and speaks TLS alone.

    Raises:
        StackError: Something could not be installed or started. What did start stays up.
    """
    began = time.monotonic()
    folder = StackFolder(name, root=root)
    with folder.locked():
        stack = assembly.make(folder, heap=heap, secure=secure)
        if stack.register.state.data != folder.path:
            progress(
                f"data lie in {stack.register.state.data}, since the services' user "
                f"{stack.account.name!r} cannot enter {folder.path}"
            )
        _install(folder, progress)
        started = _start_all(stack, progress)
        _write_settings(folder, stack)
    return Started(
        name=name,
        settings_file=folder.settings_file,
        settings=stack.settings(),
        data=stack.register.state.data,
        started=tuple(started),
        seconds=time.monotonic() - began,
    )


def plan_up(name: str, *, root: Path) -> list[str]:
    """The steps that `up` would take now, a line each; changes nothing."""
    steps = [f"install {package}" for package in packages.missing(_requirements())]
    if not engine_archive.is_here():
        steps.append(f"fetch Elasticsearch {engine_archive.VERSION} (950 MB)")
    stack = assembly.find(StackFolder(name, root=root))
    if stack is None:
        return [*steps, *(f"make and start {service}" for service in assembly.SERVICE_NAMES)]
    return [*steps, *(f"start {s.name}" for s in stack.services if not supervisor.is_up(s))]


def down(
    name: str,
    *,
    root: Path,
    progress: Progress,
    purge: bool = False,
    only: Collection[str] | None = None,
) -> Stopped:
    """Stop the services that were started for this stack, and no other process.

    Args:
        name: Which stack.
        root: The folder that holds `.stack/`.
        progress: Gets a line for each step.
        purge: Delete the data too.
        only: Names of services; the others stay up. None for all.
    """
    folder = StackFolder(name, root=root)
    if not folder.path.exists():
        return Stopped(name=name, stopped=(), purged=False)
    with folder.locked():
        stack = assembly.find(folder)
        stopped = [] if stack is None else _stop_all(stack, progress, only)
        if purge:
            _purge(folder, stack)
    return Stopped(name=name, stopped=tuple(stopped), purged=purge)


def plan_down(name: str, *, root: Path, purge: bool) -> list[str]:
    """The steps that `down` would take now, a line each; changes nothing."""
    folder = StackFolder(name, root=root)
    stack = assembly.find(folder)
    if stack is None:
        return []
    running = [f"stop {s.name}" for s in stack.services if _running(s)]
    folders = sorted({str(stack.register.state.data), str(folder.path)}) if purge else []
    return [*running, *(f"delete {path}" for path in folders)]


def status(name: str, *, root: Path) -> Status:
    """How the stack is; all its services are down if there is none."""
    folder = StackFolder(name, root=root)
    stack = assembly.find(folder)
    services = () if stack is None else tuple(_status(service) for service in stack.services)
    return Status(
        name=name,
        up=bool(services) and all(service.state == "up" for service in services),
        settings_file=folder.settings_file,
        services=services,
    )


def open_stack(name: str, *, root: Path) -> Stack:
    """A stack that was started before, for those who disturb it on purpose; see `stack.faults`.

    Raises:
        StackError: There is none of that name.
    """
    stack = assembly.find(StackFolder(name, root=root))
    if stack is None:
        raise StackError(
            f"there is no stack {name!r}: start it with `disco stack up --name {name}`"
        )
    return stack


def _install(folder: StackFolder, progress: Progress) -> None:
    packages.install(packages.missing(_requirements()), folder.installation_log, progress)
    packages.install_jdk(folder.installation_log, progress)


def _requirements() -> list[Requirement]:
    """What must be installed; Maven only fetches the engine."""
    return [*packages.SERVICES, *(() if engine_archive.is_here() else (packages.MAVEN,))]


def _start_all(stack: Stack, progress: Progress) -> list[str]:
    started: list[str] = []

    def start(chain: Sequence[Service]) -> None:
        started.extend(s.name for s in chain if supervisor.bring_up(s, progress))

    _side_by_side([partial(start, chain) for chain in stack.chains])
    return started


def _stop_all(stack: Stack, progress: Progress, only: Collection[str] | None) -> list[str]:
    stopped: list[str] = []

    def stop(chain: Sequence[Service]) -> None:
        # A primary ends only when its replica has all it sent, so the replica goes first.
        members = [s for s in reversed(chain) if only is None or s.name in only]
        stopped.extend(s.name for s in members if supervisor.bring_down(s, progress))

    _side_by_side([partial(stop, chain) for chain in stack.chains])
    return stopped


def _side_by_side(tasks: Sequence[Callable[[], None]]) -> None:
    """Run tasks in threads that do not outlive an interrupt; raise what went wrong, all of it."""
    errors: list[Exception] = []

    def guarded(task: Callable[[], None]) -> None:
        try:
            task()
        except Exception as error:  # noqa: BLE001 (raised below, in the caller's thread)
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [error for error in errors if isinstance(error, StackError)]
    for error in errors:
        if error not in expected:
            raise error
    if len(expected) > 1:
        raise StackError("\n".join(str(error) for error in expected))
    if expected:
        raise expected[0]


def _write_settings(folder: StackFolder, stack: Stack) -> None:
    lines = [f'{name} = "{value}"\n' for name, value in stack.settings().items()]
    head = f"# Written by `disco stack up --name {folder.name}`; changes are overwritten.\n"
    folder.write_settings(head + "".join(lines))


def _purge(folder: StackFolder, stack: Stack | None) -> None:
    if stack is not None:
        shutil.rmtree(stack.register.state.data, ignore_errors=True)
    shutil.rmtree(folder.path, ignore_errors=True)


def _running(service: Service) -> bool:
    record = service.register.process(service.name)
    return record is not None and processes.is_running(record)


def _status(service: Service) -> ServiceStatus:
    running = _running(service)
    record = service.register.process(service.name) if running else None
    state = ("up" if service.is_ready() else "silent") if running else "down"
    known = service.register.state.ports
    return ServiceStatus(
        name=service.name,
        state=state,
        pid=record.pid if record else None,
        ports={purpose: known[purpose] for purpose in service.ports if purpose in known},
        memory=_memory(record.pid) if record else None,
        log=service.log,
    )


def _memory(pid: int) -> int | None:
    """Resident bytes of the process and its children; None when it has ended."""
    try:
        process = psutil.Process(pid)
        children = process.children(recursive=True)
        return process.memory_info().rss + sum(map(_resident, children))
    except psutil.Error:
        return None


def _resident(child: psutil.Process) -> int:
    """Resident bytes, or 0 for one that ended meanwhile, as PostgreSQL's workers often do."""
    try:
        return int(child.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
