"""`disco work`: the processes that do the work behind the API."""

import asyncio
import signal

import click
import uvloop
from prometheus_client import start_http_server

from cli.output import json_option, print_json_line, progress
from core.settings import Settings, load
from core.telemetry import REGISTRY, configure_logging


@click.group()
def work() -> None:
    """Run a worker in the foreground."""


@work.command()
@click.option("--metrics-port", type=int, default=None, help="Port of /metrics; 0: any free one.")
@json_option
def indexer(metrics_port: int | None, as_json: bool) -> None:
    """Index what changes, until SIGTERM or Ctrl-C, which finish what is at hand first."""
    settings = load()
    configure_logging(settings)
    port = settings.worker_metrics_port if metrics_port is None else metrics_port
    server, _ = start_http_server(port, addr=settings.worker_metrics_host, registry=REGISTRY)
    metrics = f"http://{settings.worker_metrics_host}:{server.server_port}/metrics"
    if as_json:
        print_json_line({"service": "indexer", "metrics": metrics})
    else:
        progress(f"metrics: {metrics}")
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    from indexer import operations  # noqa: PLC0415 - after logging is configured

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await operations.work(settings, stop)
