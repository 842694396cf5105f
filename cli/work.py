"""`disco work`: the processes that do the work behind the API."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import click
import uvloop
from prometheus_client import start_http_server

from cli.output import json_option, print_json_line, progress
from core.settings import Settings, load
from core.telemetry import REGISTRY, configure_logging


@click.group()
def work() -> None:
    """Run a worker in the foreground."""


_metrics_port = click.option(
    "--metrics-port", type=int, default=None, help="Port of /metrics; 0: any free one."
)


@work.command()
@_metrics_port
@json_option
def indexer(metrics_port: int | None, as_json: bool) -> None:
    """Index what changes, until SIGTERM or Ctrl-C, which finish what is at hand first."""
    settings = _begin("indexer", metrics_port, as_json=as_json)
    from indexer import operations  # noqa: PLC0415 - after logging is configured

    uvloop.run(_until_signal(lambda stop: operations.work(settings, stop)))


@work.command()
@_metrics_port
@json_option
def interactions(metrics_port: int | None, as_json: bool) -> None:
    """Store searches and interactions, until SIGTERM or Ctrl-C."""
    settings = _begin("interactions", metrics_port, as_json=as_json)
    from evaluation import interaction_operations  # noqa: PLC0415 - after logging is configured

    uvloop.run(_until_signal(lambda stop: interaction_operations.work(settings, stop)))


def _begin(service: str, metrics_port: int | None, *, as_json: bool) -> Settings:
    """Configure logging, serve metrics, and say where."""
    settings = load()
    configure_logging(settings)
    port = settings.worker_metrics_port if metrics_port is None else metrics_port
    server, _ = start_http_server(port, addr=settings.worker_metrics_host, registry=REGISTRY)
    metrics = f"http://{settings.worker_metrics_host}:{server.server_port}/metrics"
    if as_json:
        print_json_line({"service": service, "metrics": metrics})
    else:
        progress(f"metrics: {metrics}")
    return settings


async def _until_signal(work_until: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await work_until(stop)
