from pathlib import Path

from stack.errors import CommandError, StartError, tail


def test_the_last_lines_are_those_with_something_in_them(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\n\n\x1b[38;5;87mtwo\x1b[0m\n   \nthree")
    assert tail(log, 2) == ["two", "three"]


def test_the_end_of_a_huge_log_is_read_and_nothing_else(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\xff" * 1_000_000 + b"\nlast\n")
    assert tail(log, 1) == ["last"]


def test_a_start_that_failed_names_the_service_the_log_and_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("first\nno space left\n")
    error = StartError("rabbitmq", "ended while it was starting", log)
    assert str(error) == (
        "rabbitmq ended while it was starting\n"
        f"the last lines of its log {log}:\n"
        "  | first\n"
        "  | no space left"
    )
    assert error.exit_code == 3


def test_a_log_that_is_missing_is_said_to_be_empty(tmp_path: Path) -> None:
    error = CommandError("installing x", 100, tmp_path / "none")
    assert str(error) == f"installing x failed with status 100\nits log {tmp_path}/none is empty"
