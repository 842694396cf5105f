"""Log lines: an event name and fields, whoever logs."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from core.settings import Settings
from core.telemetry import configure_logging, logger


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process writes to standard error whose logging is configured."""
    root = logging.getLogger()
    handlers = root.handlers
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    configure_logging(Settings(log_format="json"))
    yield stderr
    root.handlers = handlers
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def test_what_a_library_logs_is_one_line_of_json(written: io.StringIO) -> None:
    library = logging.getLogger("somebody.pool")
    library.info("all is well")
    error = ConnectionRefusedError(111, "nobody there")
    library.error("lost %s", "it", exc_info=error)
    [line] = written.getvalue().splitlines()
    told = json.loads(line)
    del told["timestamp"]
    assert told == {
        "component": "somebody.pool",
        "event": "library_warning",
        "level": "warning",
        "message": "lost it",
        "error": "ConnectionRefusedError(111, 'nobody there')",
    }


def test_a_line_of_ours_has_its_component_and_fields(written: io.StringIO) -> None:
    logger("sweep").warning("sweep_postponed", error="away")
    told = json.loads(written.getvalue())
    assert (told["component"], told["event"], told["error"]) == ("sweep", "sweep_postponed", "away")
