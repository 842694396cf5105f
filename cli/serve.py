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


@serve.command()
@click.option("--host", help="Address to listen on.  [default: setting suggest_host]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on, 0 for any free one.  [default: setting suggest_port]",
)
@output.json_option
def suggest(host: str | None, port: int | None, as_json: bool) -> None:
    """Complete what people type, until SIGTERM or Ctrl-C.

    It follows the snapshot that is published in the store.
    """
    from suggest import operations as suggestions  # noqa: PLC0415 - the query API needs no numba

    settings = _overridden(core_settings.load(), host, port, service="suggest")
    telemetry.configure_logging(settings)
    announce = _announce_suggest_json if as_json else _announce_suggest
    suggestions.serve(settings, on_listening=announce)


def _overridden(
    settings: Settings, host: str | None, port: int | None, *, service: str = "query_api"
) -> Settings:
    changes: dict[str, str | int] = {}
    if host is not None:
        changes[f"{service}_host"] = host
    if port is not None:
        changes[f"{service}_port"] = port
    return dataclasses.replace(settings, **changes)  # type: ignore[arg-type]


def _announce(address: str) -> None:
    output.progress(f"Query API on {address} (search page /, API /v1/search). Ctrl-C stops it.")


def _announce_json(address: str) -> None:
    output.print_json_line({"service": "query-api", "address": address})


def _announce_suggest(address: str) -> None:
    output.progress(f"Suggest service on {address} (GET /v1/suggest?q=…). Ctrl-C stops it.")


def _announce_suggest_json(address: str) -> None:
    output.print_json_line({"service": "suggest", "address": address})
