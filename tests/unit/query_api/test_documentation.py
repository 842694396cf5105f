"""docs/http.md leaves out nothing that a client or an operator meets."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from starlette.routing import Route

from core.settings import Settings
from core.telemetry import REGISTRY
from query_api.answers import SearchAnswer
from query_api.app import create_app
from query_api.parameters import SearchParameters
from query_api.problems import KINDS, Code

TEXT = (Path(__file__).parents[3] / "docs" / "http.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", Code)
def test_every_problem_is_described_with_its_status(code: Code) -> None:
    assert f"| `{code}` | {KINDS[code].status} |" in TEXT


@pytest.mark.parametrize("name", [*SearchParameters.model_fields, *SearchAnswer.model_fields])
def test_every_parameter_and_field_is_described(name: str) -> None:
    assert f"| `{name}" in TEXT or f", `{name}`" in TEXT


def test_every_address_is_described() -> None:
    routes = [route for route in create_app(Settings()).routes if isinstance(route, Route)]
    private = {"/static/{name}", "/{permalink:path}"}  # the pages' own
    for route in routes:
        if route.path not in private:
            method = "GET" if "GET" in (route.methods or ()) else "POST"
            path = route.path.replace("{", "<").replace("}", ">")
            assert f"| `{method} {path}` |" in TEXT


def test_every_metric_is_described() -> None:
    names = {name for name in metric_names(REGISTRY) if name.startswith("disco_query_api")}
    assert len(names) >= 5
    for name in names:
        assert f"| `{name}" in TEXT


def metric_names(registry: CollectorRegistry) -> set[str]:
    return {metric.name for metric in registry.collect()}
