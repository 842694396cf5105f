"""`disco serve`: the services that answer over HTTP."""

import dataclasses

import click

from cli import output
from core import settings as core_settings
from core import telemetry
from core.settings import Settings
from query_api import operations


@click.group()
def serve() -> None:
    """Run one of the HTTP services in the foreground."""


@serve.command("query-api")
@click.option("--host", help="Address to listen on.  [default: setting query_api_host]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on, 0 for any free one.  [default: setting query_api_port]",
)
@output.json_option
def query_api(host: str | None, port: int | None, as_json: bool) -> None:
    """Answer searches, and serve the search page, until SIGTERM or Ctrl-C."""
    settings = _overridden(core_settings.load(), host, port)
    telemetry.configure_logging(settings)
    operations.serve(settings, on_listening=_announce_json if as_json else _announce)


def _overridden(settings: Settings, host: str | None, port: int | None) -> Settings:
    changes: dict[str, str | int] = {}
    if host is not None:
        changes["query_api_host"] = host
    if port is not None:
        changes["query_api_port"] = port
    return dataclasses.replace(settings, **changes)  # type: ignore[arg-type]


def _announce(address: str) -> None:
    output.progress(f"Query API on {address} (search page /, API /v1/search). Ctrl-C stops it.")


def _announce_json(address: str) -> None:
    output.print_json_line({"service": "query-api", "address": address})
