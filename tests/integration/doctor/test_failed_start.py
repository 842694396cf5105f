"""A command that cannot start says why and what to do, and its exit code tells programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli import output
from core.settings import Settings
from stack import ports

DISCO = Path(sys.executable).with_name("disco")
DEADLINE = 60.0  # seconds


@pytest.mark.parametrize(
    ("service", "setting"),
    [
        ("PostgreSQL", "DISCO_DATABASE_URL"),
        ("RabbitMQ", "DISCO_BROKER_URL"),
        ("Elasticsearch", "DISCO_ENGINE_URL"),
    ],
)
def test_a_worker_names_the_service_that_is_away(
    settings: Settings, service: str, setting: str
) -> None:
    scheme = {"PostgreSQL": "postgresql", "RabbitMQ": "amqp", "Elasticsearch": "http"}[service]
    nowhere = f"{scheme}://127.0.0.1:{ports.choose(seed='nobody')}/x"
    done = _run(settings, ["work", "indexer", "--metrics-port", "0"], {setting: nowhere})
    assert done.returncode == output.SERVICE_UNAVAILABLE
    assert f"disco: {service} at " in done.stderr
    assert setting in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_explains_queues_of_another_delivery_limit(fresh_settings: Settings) -> None:
    # Any command that declares the queues; this one ends by itself.
    assert _run(fresh_settings, ["dead-letters", "list"], {}).returncode == output.OK
    done = _run(
        fresh_settings,
        ["work", "indexer", "--metrics-port", "0"],
        {"DISCO_DELIVERY_LIMIT": str(fresh_settings.delivery_limit + 1)},
    )
    assert done.returncode == output.BAD_USAGE
    assert "restore DISCO_DELIVERY_LIMIT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refused_password_is_no_traceback(settings: Settings) -> None:
    user, _, address = settings.database_url.rpartition("@")
    assert user
    wrong = f"postgresql://postgres:wrong@{address}"
    done = _run(settings, ["verify"], {"DISCO_DATABASE_URL": wrong})
    assert done.returncode == output.SERVICE_UNAVAILABLE
    assert "password authentication failed" in done.stderr
    assert "Traceback" not in done.stderr


def _run(
    settings: Settings, arguments: list[str], changed: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    ours = {
        f"DISCO_{name.upper()}": str(getattr(settings, name))
        for name in ("database_url", "replica_url", "broker_url", "engine_url", "index_prefix")
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("DISCO_")}
    return subprocess.run(
        [str(DISCO), *arguments],
        env={**others, **ours, **changed},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )
