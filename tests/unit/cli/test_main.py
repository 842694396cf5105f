import importlib
import subprocess
import sys

import click
import pytest

from cli import main, output
from core.errors import DiscoError, ServiceUnavailableError, UsageError

EXISTING = [name for name, target in main.COMMANDS.items() if main._module_exists(target)]


@pytest.mark.parametrize("name", EXISTING)
def test_every_registered_module_has_its_command(name: str) -> None:
    module, _, attribute = main.COMMANDS[name].partition(":")
    assert isinstance(getattr(importlib.import_module(module), attribute), click.Command)


@pytest.mark.parametrize("name", EXISTING)
def test_every_command_has_a_help_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([name, "--help"]) == output.OK
    assert f"Usage: disco {name}" in capsys.readouterr().out


def test_help_lists_the_commands_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == output.OK
    listed = capsys.readouterr().out.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.splitlines() if line.startswith("  ")] == EXISTING


def test_an_unknown_command_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["nonsense"]) == output.BAD_USAGE
    assert "No such command 'nonsense'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DiscoError("it differs"), output.DOES_NOT_HOLD),
        (UsageError("no entity 'x'"), output.BAD_USAGE),
        (ServiceUnavailableError("nobody answers"), output.SERVICE_UNAVAILABLE),
        (KeyboardInterrupt(), output.INTERRUPTED),
    ],
)
def test_errors_become_exit_codes(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: failing)
    assert main.run(["stack"]) == code
    if isinstance(error, DiscoError):
        assert capsys.readouterr().err == f"disco: {error}\n"


def test_a_command_that_ends_itself_keeps_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def differing() -> None:
        output.exit_with(output.DOES_NOT_HOLD)

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: differing)
    with pytest.raises(SystemExit) as raised:
        main.run(["verify"])
    assert raised.value.code == output.DOES_NOT_HOLD


def test_help_imports_no_commands_module() -> None:
    """In a process of its own: this one has imported everything already."""
    program = (
        "import sys; from cli import main; main.run(['--version']);"
        "print([m for m in sys.modules if m.startswith(('cli.', 'stack', 'indexer'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "'cli.main'" in done.stdout
    assert "cli.stack" not in done.stdout
    assert "indexer" not in done.stdout
