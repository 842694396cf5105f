"""Brings one service up, or down, whatever state a crash has left it in."""

import shutil

from stack import ports, processes
from stack.errors import StackError, StartError
from stack.loopback import LOOPBACK
from stack.processes import ProcessRecord
from stack.service import Launch, Progress, Service
from stack.waiting import wait_until

#: Seconds in which a service that runs must answer, or it is started again.
GRACE = 8
#: Seconds in which the children of a stopped process must be gone by themselves.
FAREWELL = 5


def is_up(service: Service) -> bool:
    """Whether it runs and answers."""
    record = service.register.process(service.name)
    return record is not None and processes.is_running(record) and service.is_ready()


def bring_up(service: Service, progress: Progress) -> bool:
    """Start the service unless it is up.

    Returns:
        Whether it had to be started.

    Raises:
        StartError: It did not come up.
    """
    if _answers(service):
        service.settle()
        return False
    _end(service, progress)
    try:
        _start(service, progress)
    except StackError as error:
        if not service.is_copy:
            raise
        progress(f"{service.name}: {_first_line(error)}; copying it anew")
        _end(service, progress)
        _forget_data(service)
        _start(service, progress)
    return True


def bring_down(service: Service, progress: Progress) -> bool:
    """Stop the service; its data stay. Returns whether anything ran."""
    return _end(service, progress)


def _answers(service: Service) -> bool:
    record = service.register.process(service.name)
    if record is None or not processes.is_running(record):
        return False
    processes.resume(record)
    return wait_until(service.is_ready, within=GRACE)


def _end(service: Service, progress: Progress) -> bool:
    """End the recorded process, then whatever else was started for this service."""
    record = service.register.process(service.name)
    ran = False
    if record is not None and processes.is_running(record):
        ran = True
        _stop(service, record, progress)
        # What it had started goes with it, if a moment later.
        wait_until(lambda: not processes.marked(service.folder), within=FAREWELL)
    for leftover in processes.marked(service.folder):
        ran = True
        _stop(service, leftover, progress)
    service.register.forget(service.name)
    return ran


def _stop(service: Service, process: ProcessRecord, progress: Progress) -> None:
    if not processes.is_running(process):
        return  # it went with another
    progress(f"{service.name}: stopping process {process.pid}")
    if not processes.stop(process, by=service.stop_signal, within=service.stop_deadline):
        progress(f"{service.name}: had to kill process {process.pid}")


def _start(service: Service, progress: Progress) -> None:
    _make_folder(service, progress)
    _move_from_taken_ports(service, progress)
    progress(f"{service.name}: starting")
    service.prepare(progress)
    launch = service.launch()
    record = processes.spawn(
        launch.command,
        environment=launch.environment,
        folder=launch.folder,
        log=service.log,
        account=service.account,
    )
    service.register.record(service.name, record)
    _await_ready(service, record)
    service.register.record(service.name, _main_process(service, launch, record))
    service.settle()
    service.was_ready.touch()
    progress(f"{service.name}: ready on {_where(service)}")


def _await_ready(service: Service, record: ProcessRecord) -> None:
    """Wait until the service answers; give up early when its process ends."""

    def decided() -> bool:
        return not processes.is_running(record) or service.is_ready()

    in_time = wait_until(decided, within=service.start_deadline, every=0.1)
    if not processes.is_running(record):
        raise StartError(service.name, "ended while it was starting", service.log)
    if not in_time:
        processes.stop(record, by=service.stop_signal, within=service.stop_deadline)
        raise StartError(
            service.name, f"did not answer within {service.start_deadline:g} s", service.log
        )


def _main_process(service: Service, launch: Launch, record: ProcessRecord) -> ProcessRecord:
    if launch.child_argument is None:
        return record
    child = processes.child_of(record, argument=launch.child_argument)
    if child is None:
        raise StartError(service.name, "answers, yet has no process of its own", service.log)
    return child


def _make_folder(service: Service, progress: Progress) -> None:
    """Make the folder; data that never were ready are the ruins of a first start: clear them."""
    service.account.folder(service.folder)
    if service.data.exists() and not service.was_ready.exists():
        progress(f"{service.name}: clearing what an interrupted first start left")
        _forget_data(service)


def _forget_data(service: Service) -> None:
    service.was_ready.unlink(missing_ok=True)
    shutil.rmtree(service.data, ignore_errors=True)


def _move_from_taken_ports(service: Service, progress: Progress) -> None:
    for purpose in service.ports:
        port = service.port(purpose)
        if not ports.is_free(port):
            chosen = service.register.choose_port(purpose)
            progress(f"{service.name}: port {port} is taken by another program, using {chosen}")


def _where(service: Service) -> str:
    return f"{LOOPBACK}:{service.port(service.ports[0])}" if service.ports else "no port"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
