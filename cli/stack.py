"""`disco stack`: the real services on this machine."""

from pathlib import Path

import click

from cli import output
from stack import operations, packages
from stack.operations import ServiceStatus, Started, Status
from stack.state import STACKS_FOLDER

_NAME = click.option(
    "--name",
    default="demo",
    show_default=True,
    help="Which stack; each has its own data and ports.",
)


@click.group()
def stack() -> None:
    """PostgreSQL with a replica, RabbitMQ and Elasticsearch, for the demo and the tests.

    They run on free ports of the loopback address, as an unprivileged user. Data, logs and the
    settings file lie in .stack/NAME/.
    """


@stack.command()
@_NAME
@click.option(
    "--heap", help="The engine's heap, such as 1g or 512m.  [default: as before, else 1g]"
)
@click.option(
    "--secure", is_flag=True, help="The engine of a new stack has TLS and asks for a password."
)
@output.dry_run_option
@output.json_option
def up(*, name: str, heap: str | None, secure: bool, dry_run: bool, as_json: bool) -> None:
    """Start what is not up; install what is missing."""
    if dry_run:
        _print_plan(operations.plan_up(name, root=Path.cwd()), as_json)
        return
    started = operations.up(
        name, root=Path.cwd(), heap=heap, secure=secure, progress=output.progress
    )
    if as_json:
        output.print_json(started)
    else:
        _print_started(started)


@stack.command()
@_NAME
@click.option("--purge", is_flag=True, help="Delete its data, too.")
@output.dry_run_option
@output.json_option
def down(name: str, purge: bool, dry_run: bool, as_json: bool) -> None:
    """Stop what `up` has started, and only that. The data stay."""
    if dry_run:
        _print_plan(operations.plan_down(name, root=Path.cwd(), purge=purge), as_json)
        return
    stopped = operations.down(name, root=Path.cwd(), purge=purge, progress=output.progress)
    if as_json:
        output.print_json(stopped)
    else:
        what = ", ".join(stopped.stopped) or "nothing ran"
        click.echo(f"stack {name} is down: {what}{'; its data are deleted' if purge else ''}")


@stack.command()
@_NAME
@output.json_option
def status(name: str, as_json: bool) -> None:
    """Tell how each service is. Exits 1 unless all are up."""
    found = operations.status(name, root=Path.cwd())
    if as_json:
        output.print_json(found)
    else:
        _print_status(found)
    if not found.up:
        output.exit_with(output.DOES_NOT_HOLD)


@stack.command()
@click.option("--browser", is_flag=True, help="Also the browser that the tests drive.")
@click.option("--monitoring", is_flag=True, help="Also Prometheus, for the tests of its rules.")
@output.dry_run_option
@output.json_option
def install(*, browser: bool, monitoring: bool, dry_run: bool, as_json: bool) -> None:
    """Install the packages that are missing, and start nothing. `up` does it by itself."""
    wanted = [
        *packages.SERVICES,
        *(packages.BROWSER if browser else ()),
        *(packages.MONITORING if monitoring else ()),
    ]
    missing = packages.missing(wanted)
    if not dry_run:
        log = Path.cwd() / STACKS_FOLDER / "installation.log"
        packages.install(missing, log, output.progress)
    _print_plan([f"install {package}" for package in missing], as_json)


def _print_plan(steps: list[str], as_json: bool) -> None:
    if as_json:
        output.print_json({"steps": steps})
    else:
        click.echo("\n".join(steps) or "nothing to do")


def _print_started(started: Started) -> None:
    what = f"started {', '.join(started.started)}" if started.started else "everything was up"
    click.echo(f"stack {started.name} is up after {started.seconds:.1f} s: {what}")
    for name, value in started.settings.items():
        click.echo(f"  {name:<16}{value}")
    click.echo(f"  DISCO_CONFIG={_short(started.settings_file)}")


def _print_status(found: Status) -> None:
    if not found.services:
        click.echo(f"there is no stack {found.name}; `disco stack up --name {found.name}` makes it")
        return
    for service in found.services:
        click.echo(_status_line(service))
    click.echo(f"DISCO_CONFIG={_short(found.settings_file)}")


def _status_line(service: ServiceStatus) -> str:
    ports = ", ".join(str(port) for port in service.ports.values())
    memory = f"{service.memory / 1e6:.0f} MB" if service.memory else "-"
    process = service.pid or "-"
    line = f"{service.name:<20}{service.state:<8}pid {process:<9}{memory:>8}  ports {ports}"
    return line if service.state == "up" else f"{line}  log {_short(service.log)}"


def _short(path: Path) -> Path:
    """The path as a person would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
