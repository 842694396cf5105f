import dataclasses
import json
from pathlib import Path

import pytest

from cli import main, output
from core.settings import Settings, sources

FIELDS = [field.name for field in dataclasses.fields(Settings)]


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder, and an environment, that set nothing."""
    monkeypatch.chdir(tmp_path)
    for name in FIELDS:
        monkeypatch.delenv(f"DISCO_{name.upper()}", raising=False)
    monkeypatch.delenv("DISCO_CONFIG", raising=False)
    return tmp_path


def test_it_lists_every_setting_with_value_default_meaning_and_source(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (no_settings / "disco.toml").write_text('index_prefix = "shop"\nlog_level = "debug"\n')
    monkeypatch.setenv("DISCO_LOG_LEVEL", "error")
    assert main.run(["doctor", "--settings", "--json"]) == output.OK
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)["settings"]}
    assert list(rows) == FIELDS
    assert rows["index_prefix"] == {
        "variable": "DISCO_INDEX_PREFIX",
        "key": "index_prefix",
        "value": "shop",
        "source": "disco.toml",
        "default": "disco",
        "meaning": "First part of every index and alias name.",
    }
    assert (rows["log_level"]["value"], rows["log_level"]["source"]) == ("error", "DISCO_LOG_LEVEL")
    assert (rows["prefetch"]["value"], rows["prefetch"]["source"]) == (12_000, "default")


def test_it_hides_what_is_secret(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del no_settings
    monkeypatch.setenv("DISCO_DATABASE_URL", "postgresql://disco:tiger@db/disco")
    monkeypatch.setenv("DISCO_ENGINE_PASSWORD", "tiger")
    monkeypatch.setenv("DISCO_CURSOR_SECRET", "tiger")
    for arguments in (["--settings"], ["--settings", "--json"]):
        assert main.run(["doctor", *arguments]) == output.OK
        told = capsys.readouterr().out
        assert "tiger" not in told
        assert "postgresql://disco:***@db/disco" in told


def test_it_lists_them_although_one_is_wrong(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del no_settings
    monkeypatch.setenv("DISCO_PREFECH", "100")
    assert main.run(["doctor", "--settings"]) == output.BAD_USAGE
    told = capsys.readouterr()
    assert all(f"DISCO_{name.upper()}" in told.out for name in FIELDS)
    assert "DISCO_PREFECH" in told.err
    assert "'prefetch'" in told.err


def test_a_source_is_named_for_every_setting(tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.write_text("prefetch = 10\n")
    found = sources({"DISCO_LOG_FORMAT": "json"}, file=file)
    assert list(found) == FIELDS
    assert found["prefetch"] == str(file)
    assert found["log_format"] == "DISCO_LOG_FORMAT"
    assert {v for k, v in found.items() if k not in {"prefetch", "log_format"}} == {"default"}
