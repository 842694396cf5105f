"""Quiet logs, and a summary of what the simulation has seen."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.simulation.tally import TALLY

_SEEN = "simulation"  # what a process of several that share the tests hands over at its end


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> Iterator[None]:
    """A schedule makes services fail on purpose: nobody wants to read of it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what this process has seen, if it is one of several."""
    if (handed_over := getattr(session.config, "workeroutput", None)) is not None:
        handed_over[_SEEN] = TALLY.counts()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object | None) -> None:
    """Take what another process has seen."""
    del error
    for subject, schedules, steps in getattr(node, "workeroutput", {}).get(_SEEN, []):
        TALLY.add(subject, schedules=schedules, steps=steps)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many schedules ran."""
    if lines := TALLY.lines():
        terminalreporter.section("simulation")
        for line in lines:
            terminalreporter.line(line)
