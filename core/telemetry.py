"""Telemetry: structured logs, and the Prometheus registry that every metric is registered in.

A log message is an event name and fields. A metric's labels never carry query text or ids.
"""

import logging
import sys
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from core.settings import Settings

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # memory, processor time, open files: `process_…`
METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Seconds; fine where promises are made (0.1 to 1 s), coarse above.
LATENCY_BUCKETS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
    *(0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0),
)


# Until logging is configured: results go to standard output, so log lines must not.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["level", "component", "event"]),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
)


def configure_logging(settings: Settings) -> None:
    """Send log lines of `settings.log_level` and above to standard error, as JSON or for people."""
    as_json = settings.log_format == "json" or (
        settings.log_format == "auto" and not sys.stderr.isatty()
    )
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if as_json else _keep,
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.captureWarnings(capture=True)
    logging.getLogger().handlers = [_Libraries(logging.WARNING)]


class _Libraries(logging.Handler):
    """What libraries log, as lines of ours: one a message, without a traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the message with the library's name as component."""
        error = record.exc_info[1] if record.exc_info else None
        told = {} if error is None else {"error": repr(error)}
        log = logger(record.name)
        log.warning("library_warning", message=record.getMessage(), **told)


def logger(name: str) -> Any:
    """A structured logger whose lines carry the component's name."""
    return structlog.get_logger(component=name)


def render_metrics() -> bytes:
    """All metrics of this process in Prometheus' text format."""
    return generate_latest(REGISTRY)


def _keep(_logger: Any, _method: str, fields: Any) -> Any:
    return fields
