"""`disco demo` from the command line to the services and back."""

import json

import pytest

from cli.main import run
from core.settings import Settings


@pytest.fixture
def place(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module's services, as a command finds them."""
    monkeypatch.delenv("DISCO_CONFIG", raising=False)
    monkeypatch.setenv("DISCO_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("DISCO_BROKER_URL", settings.broker_url)


@pytest.fixture
def loaded(place: None, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """Rows of a small catalogue, which a command has loaded."""
    arguments = ["demo", "load", "--entities", "400", "--until", "2026-03-01", "--replace"]
    assert run([*arguments, "--json"]) == 0
    printed = capsys.readouterr()
    assert "loaded sounds: 260 rows" in printed.err
    rows: dict[str, int] = json.loads(printed.out)["rows"]
    return rows


def test_load_prints_what_it_loaded(loaded: dict[str, int]) -> None:
    assert loaded["users"] + loaded["sounds"] + loaded["sets"] + loaded["groups"] == 400


def test_a_second_load_is_refused(
    loaded: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", "load", "--entities", "400"]) == 2
    assert "already holds a catalogue of 400 entities; add --replace" in capsys.readouterr().err


def test_play_prints_a_line_for_each_change(
    loaded: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["demo", "play", "--rate", "200", "--seconds", "0.3", "--seed", "3"]
    assert run([*arguments, "--json"]) == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert len(lines) == 60
    events = [event for line in lines for event in line["events"]]
    assert f"published {len(events)} events" in printed.err
    assert {event["action"] for event in events} <= {"create", "save", "destroy", "refresh"}
    assert run(arguments) == 0
    assert "save.sound/" in capsys.readouterr().out
