"""`disco demo` on the command line, as far as it needs no service."""

import json
from pathlib import Path

import pytest

from cli.main import run
from demo.player import WEIGHTS
from tests.unit.demo import small_data


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings of services that are not there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCO_CONFIG", raising=False)
    monkeypatch.delenv("DISCO_DEMO_DATA", raising=False)
    monkeypatch.setenv("DISCO_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/none")
    monkeypatch.setenv("DISCO_BROKER_URL", "amqp://guest:guest@127.0.0.1:1/")


def test_play_can_be_rehearsed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "play", "--rate", "5", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["rate"] == 5
    assert set(plan["shares"]) == set(WEIGHTS)
    assert sum(plan["shares"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["demo", "load"],
        ["demo", "load", "--entities", "500", "--dry-run"],
        ["demo", "play", "--seconds", "1"],
    ],
)
def test_a_database_that_is_not_there(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 3
    assert "PostgreSQL at 127.0.0.1:1/none does not answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["demo", "load", "--entities", "5"], "use 100 or more"),
        (["demo", "load", "--size", "XXL"], "'XXL' is not one of"),
        (["demo", "load", "--until", "soon"], "'soon' does not match"),
        (["demo", "play", "--rate", "0"], "0 is not in the range"),
        (["demo", "import", "/nowhere/at/all"], "/nowhere/at/all: no such folder"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_bad_files_are_named_before_the_database_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small_data.write(tmp_path / "data", tags=[("one", "techno")])
    assert run(["demo", "import", str(folder), "--dry-run"]) == 2
    assert "tags.dat, line 2: tagID is 'one'" in capsys.readouterr().err
