"""Quiet logs, and a summary of what the simulation has seen."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.simulation.tally import TALLY


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> Iterator[None]:
    """A schedule makes services fail on purpose: nobody wants to read of it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many schedules ran."""
    if lines := TALLY.lines():
        terminalreporter.section("simulation")
        for line in lines:
            terminalreporter.line(line)
