"""Commands, run in this process: what they load is loaded already; and a variant to compare."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from cli import main
from core.settings import Settings
from stack.programs import _environment

PROFILE = orjson.loads(Path("index_definitions/sound.search.json").read_bytes())


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Disco = Callable[..., Ended]


@pytest.fixture
def disco(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Disco:
    """Runs one command with the settings of the module's place."""
    for name, value in _environment(settings).items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        code = main.run(arguments)
        told = capsys.readouterr()
        return Ended(code=code, out=told.out, err=told.err)

    return run


@pytest.fixture
def blind(disco: Disco, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variant `blind` that does not look at titles; named after what `disco` sets."""
    (tmp_path / "blind").mkdir()
    weak = {**PROFILE, "match": {"words": {"description": 1.0}}}
    (tmp_path / "blind" / "sound.search.json").write_bytes(orjson.dumps(weak))
    (tmp_path / "experiments.toml").write_text('[variants.blind]\nprofiles = "blind"\n')
    monkeypatch.setenv("DISCO_EXPERIMENTS", str(tmp_path / "experiments.toml"))
