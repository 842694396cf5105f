"""Alert rules and Grafana's dashboards ask for metrics that there are, and the pages list them."""

import re
from functools import cache
from pathlib import Path

import orjson
import pytest

from core.telemetry import REGISTRY
from tests.unit.docs.markdown import ROOT, page
from tests.unit.docs.metric_registry import metrics

FOLDER = ROOT / "docs" / "operations"
RULES = FOLDER / "alerts.yaml"
DASHBOARDS = sorted((FOLDER / "grafana").glob("*.json"))

_METRIC = re.compile(r"\b(?:disco|process)_[a-z_]+\b")
_SELECTED = re.compile(r"\b((?:disco|process)_[a-z_]+)\{([^}]*)\}")
_GROUPED = re.compile(r"\bby \(([\w, ]+)\)")
_RECORDED = re.compile(r"disco:\w+:\w+")
# Labels that Prometheus adds, and that of a bucket.
_GIVEN = {"instance", "job", "le"}


@cache
def _samples() -> dict[str, set[str]]:
    """Labels by name of the series that our processes expose."""
    ours = {name: set(one.labels) for one in metrics().values() for name in one.samples}
    return ours | {
        sample.name: set()
        for family in REGISTRY.collect()
        if family.name.startswith("process_")
        for sample in family.samples
    }


def _expressions() -> dict[str, str]:
    """What is asked of Prometheus, by where it stands."""
    found = {"alerts.yaml": _rules_text()}
    for path in DASHBOARDS:
        for panel in orjson.loads(path.read_bytes())["panels"]:
            asked = "\n".join(target["expr"] for target in panel["targets"])
            found[f"{path.name}: {panel['title']}"] = asked
    return found


def _rules_text() -> str:
    return RULES.read_text(encoding="utf-8")


def test_there_are_rules_and_dashboards() -> None:
    assert len(re.findall(r"- alert:", _rules_text())) > 10
    assert len(DASHBOARDS) == 3
    assert "process_start_time_seconds" in _samples()


@pytest.mark.parametrize("place", sorted(_expressions()))
def test_every_metric_that_is_asked_for_exists_with_its_labels(place: str) -> None:
    asked = _expressions()[place]
    named = set(_METRIC.findall(asked))
    assert named or _RECORDED.search(asked)
    assert named <= _samples().keys()
    for name, selected in _SELECTED.findall(asked):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selected))
        assert labels <= _samples()[name] | _GIVEN, f"{name} has no labels {labels}"
    known = set().union(*(_samples()[name] for name in named)) | _GIVEN
    grouped = {label for group in _GROUPED.findall(asked) for label in re.split(r",\s*", group)}
    assert grouped <= known


def test_every_recorded_series_that_is_asked_for_is_recorded() -> None:
    recorded = set(re.findall(r"- record: (\S+)", _rules_text()))
    asked = {name for text in _expressions().values() for name in _RECORDED.findall(text)}
    assert recorded == asked


def test_every_alert_is_in_the_page_with_its_severity_and_a_test() -> None:
    alerts = dict(
        re.findall(r"- alert: (\w+)\n.*?labels: \{severity: (\w+)\}", _rules_text(), re.DOTALL)
    )
    documented = {
        row[0].strip("`"): row[1]
        for row in page("docs/metrics.md").rows
        if row[0].startswith("`Disco")
    }
    assert documented == alerts
    tested = set(
        re.findall(r"alertname: (\w+)", (FOLDER / "alerts.test.yaml").read_text(encoding="utf-8"))
    )
    assert tested == alerts.keys()


@pytest.mark.parametrize("path", DASHBOARDS, ids=[path.name for path in DASHBOARDS])
def test_a_dashboard_can_be_imported_anywhere(path: Path) -> None:
    board = orjson.loads(path.read_bytes())
    assert board["uid"].startswith("disco-")
    assert [one["name"] for one in board["templating"]["list"]] == ["datasource"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in board["panels"]:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    assert path.name in page("docs/metrics.md").text
