"""What commands print, and how they end.

Results go to standard output: prose for people, or JSON with `--json` (one document, or one line an
item for streams). Progress and problems go to standard error.
"""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any, NoReturn, TypeVar

import click
import orjson

from core.errors import DiscoError

OK = 0
DOES_NOT_HOLD = 1
BAD_USAGE = 2
SERVICE_UNAVAILABLE = 3
INTERRUPTED = 130

F = TypeVar("F", bound=Callable[..., Any])

_INDENTED = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
_LINE = orjson.OPT_NON_STR_KEYS


def json_option(command: F) -> F:
    """The `--json` flag that every command takes, passed on as `as_json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print JSON instead of prose, for programs."
    )(command)


def dry_run_option(command: F) -> F:
    """The `--dry-run` flag of every command that changes something, passed on as `dry_run`."""
    return click.option(
        "--dry-run", is_flag=True, help="Print what would be done, and do nothing."
    )(command)


def print_json(document: Any) -> None:
    """Print one JSON document. Takes dataclasses, dates, paths and whatever else orjson takes."""
    click.echo(orjson.dumps(document, default=_plain, option=_INDENTED).decode())


def print_json_lines(items: Iterable[Any]) -> None:
    """Print one JSON document a line, flushed as it comes, so that a reader need not wait."""
    for item in items:
        print_json_line(item)


def print_json_line(item: Any) -> None:
    """Print one item of a stream as a line of JSON."""
    click.echo(orjson.dumps(item, default=_plain, option=_LINE).decode())


def print_text(pieces: Iterable[str]) -> None:
    """Print pieces of text as they come; ends the command when the reader has seen enough."""
    try:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        exit_with(OK)


def _plain(value: Any) -> str:
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def progress(message: str) -> None:
    """Tell a person what is going on. Goes to standard error, so that results stay clean."""
    click.echo(message, err=True)


def exit_with(code: int) -> NoReturn:
    """End the command with one of the exit codes above."""
    sys.exit(code)


def report(error: DiscoError) -> int:
    """Print an error of ours to standard error.

    Returns:
        The exit code that its class asks for.
    """
    click.echo(f"disco: {error}", err=True)
    return error.exit_code
