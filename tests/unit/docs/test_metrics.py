"""docs/metrics.md lists every metric that a process exposes, with type and labels, and no other."""

import importlib
import pkgutil
import re
from dataclasses import dataclass

import pytest
from prometheus_client.registry import Collector

import indexer
import query_api
import suggest
from core.telemetry import REGISTRY
from tests.unit.docs.markdown import page, pages

# A metric's name; settings of the engine and folders are spelt alike, but not with these parts.
_NAME = re.compile(r"\bdisco_(?:indexer|query_api|suggest)_[a-z_]+\b")
_TYPES = ("counter", "gauge", "histogram")
_SUFFIXES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count", "")}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric as Prometheus sees it."""

    name: str  # counters with `_total`
    kind: str
    labels: tuple[str, ...]
    help: str


@pytest.fixture(scope="module")
def metrics() -> dict[str, Metric]:
    """All metrics of ours by name, from every module that may register one."""
    for package in (indexer, query_api, suggest):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    found = [_metric(collector) for collector in set(REGISTRY._collector_to_names)]
    return {one.name: one for one in found if one.name.startswith("disco_")}


def test_the_code_has_metrics(metrics: dict[str, Metric]) -> None:
    assert {name.split("_")[1] for name in metrics} == {"indexer", "query", "suggest"}


def test_every_metric_has_its_row(metrics: dict[str, Metric]) -> None:
    documented = {
        row[0].strip("`"): (row[1], tuple(re.findall(r"`(\w+)`", row[2])), row[3])
        for row in page("docs/metrics.md").rows
        if len(row) == 4 and row[1] in _TYPES
    }
    wanted = {one.name: (one.kind, one.labels, one.help) for one in metrics.values()}
    missing = [_row(metrics[name]) for name in wanted if documented.get(name) != wanted[name]]
    assert not missing, "docs/metrics.md lacks or misstates these rows:\n" + "\n".join(missing)
    assert not documented.keys() - wanted.keys(), "docs/metrics.md has metrics that are gone"


def test_no_page_names_a_metric_that_does_not_exist(metrics: dict[str, Metric]) -> None:
    samples = {f"{one.name}{end}" for one in metrics.values() for end in _SUFFIXES[one.kind]}
    unknown = {
        (str(one.path), name)
        for one in pages()
        for name in _NAME.findall(one.text)
        if name not in samples
    }
    assert not unknown


def _metric(collector: Collector) -> Metric:
    (family,) = collector.describe()  # type: ignore[attr-defined]
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return Metric(
        name=name,
        kind=family.type,
        labels=collector._labelnames,  # type: ignore[attr-defined]
        help=family.documentation,
    )


def _row(one: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{one.name}` | {one.kind} | {labels} | {one.help} |"
