"""Every metric that some process of ours exposes, as Prometheus sees it."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from prometheus_client.metrics import MetricWrapperBase

import evaluation
import indexer
import query_api
import suggest
from core.telemetry import REGISTRY

TYPES = ("counter", "gauge", "histogram")
_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "counter": ("",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count", ""),
}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric as Prometheus sees it."""

    name: str  # counters with `_total`
    kind: str
    labels: tuple[str, ...]
    help: str

    @property
    def samples(self) -> set[str]:
        """The names that its series have."""
        return {f"{self.name}{end}" for end in _SUFFIXES[self.kind]}


@cache
def metrics() -> Mapping[str, Metric]:
    """All metrics of ours by name, from every module that may register one."""
    for package in (evaluation, indexer, query_api, suggest):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    collectors = set(REGISTRY._collector_to_names)
    found = [_metric(one) for one in collectors if isinstance(one, MetricWrapperBase)]
    return {one.name: one for one in found if one.name.startswith("disco_")}


def _metric(collector: MetricWrapperBase) -> Metric:
    (family,) = collector.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return Metric(
        name=name,
        kind=family.type,
        labels=tuple(collector._labelnames),
        help=family.documentation,
    )
