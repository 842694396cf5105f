import sys
from pathlib import Path

import pytest

from stack import commands
from stack.errors import CommandError


def test_a_long_step_shows_that_it_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "HEARTBEAT", 0.05)
    lines: list[str] = []
    # It ends when it has been seen at work, and only then.
    seen = tmp_path / "seen"
    program = f"import os\nwhile not os.path.exists({str(seen)!r}): pass\nprint('done')"

    def detail() -> str:
        seen.touch()
        return "half"

    commands.run_long(
        [sys.executable, "-c", program],
        label="working",
        log=tmp_path / "logs" / "log",
        progress=lines.append,
        detail=detail,
    )
    assert lines[0] == "working"
    assert lines[1].startswith("working: ")
    assert lines[1].endswith(" s, half")
    assert (tmp_path / "logs" / "log").read_text().endswith("done\n")


def test_a_step_that_fails_says_what_it_said_last(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as raised:
        commands.run_long(
            [sys.executable, "-c", "import sys; print('no such package'); sys.exit(7)"],
            label="installing x",
            log=tmp_path / "log",
            progress=lambda _: None,
        )
    message = str(raised.value)
    assert message.startswith("installing x failed with status 7\n")
    assert message.endswith("  | no such package")
    assert raised.value.log == tmp_path / "log"


def test_additions_to_the_environment_arrive(tmp_path: Path) -> None:
    commands.run_long(
        [sys.executable, "-c", "import os; print(os.environ['ADDED'], 'PATH' in os.environ)"],
        label="x",
        log=tmp_path / "log",
        progress=lambda _: None,
        more={"ADDED": "yes"},
    )
    assert (tmp_path / "log").read_text().endswith("yes True\n")


def test_the_cache_can_be_put_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCO_CACHE", "/elsewhere")
    assert commands.cache_folder() == Path("/elsewhere")


def test_the_cache_of_a_user_and_of_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCO_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/me/.cache")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert commands.cache_folder() == Path("/home/me/.cache/disco")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert commands.cache_folder() == Path("/var/cache/disco")
