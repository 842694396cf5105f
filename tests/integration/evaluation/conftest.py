"""Commands, run in this process: what they load is loaded already."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from cli import main
from core.settings import Settings
from stack.programs import _environment


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
