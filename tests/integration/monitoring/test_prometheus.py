"""A real Prometheus takes the alert rules, and answers what Grafana's dashboards ask."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from core.settings import Settings
from stack import ports
from tests.integration.query_api.serving import served
from tests.services import ROOT

FOLDER = ROOT / "docs" / "operations"
PATIENCE = 30.0  # seconds
_CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: disco
    static_configs: [{{targets: ["{target}"]}}]
"""


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/usr/bin/promtool", *arguments],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def _await(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "Prometheus did not get there in time"


@pytest.fixture(scope="module")
def prometheus(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of a Prometheus that has our rules and scrapes a query API."""
    folder = tmp_path_factory.mktemp("prometheus")
    port = ports.choose(seed="prometheus")
    with served(settings) as address:
        configuration = folder / "prometheus.yml"
        configuration.write_text(
            _CONFIGURATION.format(
                rules=FOLDER / "alerts.yaml", target=address.removeprefix("http://")
            )
        )
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    "/usr/bin/prometheus",
                    f"--config.file={configuration}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=5) as client:
                _await(lambda: process.poll() is not None or _scraped(client))
                assert process.poll() is None, (folder / "log").read_text()
                yield client
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _scraped(client: httpx.Client) -> bool:
    """Whether the query API was scraped, and every rule evaluated."""
    try:
        answer = client.get("/query", params={"query": 'up{job="disco"} == 1'})
    except httpx.TransportError:
        return False
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:  # it still reads its own files
        return False
    return bool(answer.raise_for_status().json()["data"]["result"]) and all(
        one["health"] != "unknown" for one in _rules(client)
    )


def _rules(client: httpx.Client) -> list[dict[str, str]]:
    groups = client.get("/rules").json()["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_rules_are_sound() -> None:
    checked = _promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "SUCCESS" in checked.stdout


def test_the_rules_alarm_when_they_should_and_only_then() -> None:
    tested = _promtool("test", "rules", "alerts.test.yaml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_a_rule_that_never_holds_would_be_noticed(tmp_path: Path) -> None:
    for name in ("alerts.yaml", "alerts.test.yaml"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("share5m > 0.01", "share5m > 2"))
    tested = _promtool("test", "rules", str(tmp_path / "alerts.test.yaml"))
    assert tested.returncode == 1


def test_every_rule_can_be_evaluated_on_what_a_process_tells(prometheus: httpx.Client) -> None:
    rules = _rules(prometheus)
    assert len(rules) > 15
    assert {one["health"] for one in rules} == {"ok"}, rules


def _asked() -> list[str]:
    boards = [orjson.loads(one.read_bytes()) for one in sorted((FOLDER / "grafana").glob("*.json"))]
    panels = [panel for board in boards for panel in board["panels"]]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_grafana_gets_an_answer_to_all_it_asks(prometheus: httpx.Client) -> None:
    assert len(_asked()) > 30
    for expression in _asked():
        query = expression.replace("$__rate_interval", "1m")
        answer = prometheus.get("/query", params={"query": query}).json()
        assert answer["status"] == "success", (query, answer)
