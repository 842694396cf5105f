"""What every test gets.

Fixtures of the real services stand in `tests/services.py` and `tests/object_store.py`.
"""

import gc

import hypothesis
import pytest

pytest_plugins = ["tests.services", "tests.object_store"]

# Modules are imported, and tests made of them, for good: to look for garbage among them takes a
# third of the time that this takes, in every process that shares the tests.
gc.disable()


# How long an example takes depends on what else the machine does. `quick` is for `make check`,
# which spares what is marked `thorough` as well; `make test` tries as many as hypothesis would.
_UNHURRIED = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("quick", _UNHURRIED, max_examples=20)
hypothesis.settings.register_profile("thorough", _UNHURRIED)
hypothesis.settings.load_profile("thorough")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write golden files anew")
    parser.addoption(
        "--api-requests", type=int, default=150, help="requests made from the OpenAPI document"
    )
    parser.addoption("--exhaustive", action="store_true", help="also tests that `make test` spares")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes longer than it tells, unless it is asked for."""
    marks = set() if config.getoption("--exhaustive") else {"exhaustive"}
    if config.getoption("--hypothesis-profile") == "quick":
        marks.add("thorough")
    spared = [one for one in items if marks & {mark.name for mark in one.iter_markers()}]
    if spared:
        config.hook.pytest_deselected(items=spared)
        items[:] = [one for one in items if one not in set(spared)]


def pytest_collection_finish() -> None:
    """Collect garbage again, but of what the tests make alone."""
    gc.freeze()
    gc.enable()
