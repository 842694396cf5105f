"""Expositions: what one process tells of its metrics at one moment.

This process's own are read from its registry, another's from the text of its `/metrics`.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from core.telemetry import REGISTRY

Labels = frozenset[tuple[str, str]]
_OURS: Final = ("disco_", "process_")
#: When a process began, in Unix seconds: tells whether two expositions are of the same one.
STARTED: Final = "process_start_time_seconds"


@dataclass(frozen=True, kw_only=True)
class Exposition:
    """The metrics of a process at a moment."""

    at: float  # of the monotonic clock of whoever asked, seconds
    samples: Mapping[str, Mapping[Labels, float]]  # by the sample's name in the text format

    def value(self, name: str) -> float | None:
        """The value of a metric without labels; None if the process has no such metric."""
        return self.samples.get(name, {}).get(frozenset())

    def labels_of(self, name: str, label: str) -> set[str]:
        """All values of a label."""
        return {
            value for labels in self.samples.get(name, ()) for key, value in labels if key == label
        }


def own() -> Exposition:
    """The metrics of this process, now."""
    return _exposition(REGISTRY.collect())


def parse(text: str) -> Exposition:
    """The metrics of a process that has just told them; raises `ValueError` for another format."""
    return _exposition(text_string_to_metric_families(text))


def _exposition(families: Iterable[Metric]) -> Exposition:
    samples: dict[str, dict[Labels, float]] = {}
    for family in families:
        if family.name.startswith(_OURS):
            for one in family.samples:
                samples.setdefault(one.name, {})[frozenset(one.labels.items())] = one.value
    return Exposition(at=time.monotonic(), samples=samples)
