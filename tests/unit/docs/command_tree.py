"""The command line as a tree, and what is wrong with a line that calls it."""

import re
import shlex
from collections.abc import Iterator
from functools import cache

import click

from cli.main import disco

# Where a call ends: the shell goes on, or the reader is told that more follows.
_ENDS = frozenset({"|", ">", ">>", "<", "&&", "||", ";", "&", "…", "..."})
_HELP = frozenset({"-h", "--help"})


@cache
def commands() -> dict[str, click.Command]:
    """Every command that does something, by what is typed: `disco index list`."""
    return dict(_walk("disco", disco))


def options(command: click.Command) -> set[str]:
    """The options of a command, `--help` left out: all have it."""
    names = (name for parameter in command.params for name in _names(parameter))
    return {name for name in names if name.startswith("-")}


def complaint(call: str) -> str | None:
    """What is wrong with `disco …` as a page writes it; None if it could be typed.

    `[OPTIONAL]` arguments and options, `one|other` choices and capital placeholders are what
    pages write, so they are understood.
    """
    words = [word for word in _words(call) if word not in {"[", "]"}]
    node: click.Command = disco
    for position, word in enumerate(words[1:], start=1):
        if not isinstance(node, click.Group):
            return _wrong_option(node, words[position:])
        if word.startswith("-"):
            return _wrong_option(node, words[position:])
        choices = word.split("|")
        found = [_child(node, choice) for choice in choices]
        if any(one is None for one in found):
            return f"there is no command {' '.join(words[: position + 1])}"
        node = found[0] if found[0] is not None else node
    return None


def _words(call: str) -> list[str]:
    plain = re.sub(r"\s#.*", "", call).replace("[", " ").replace("]", " ")
    try:
        words = shlex.split(plain)
    except ValueError:  # an apostrophe in prose
        words = plain.split()
    for position, word in enumerate(words):
        if word in _ENDS:
            return words[:position]
        if word.endswith(";"):
            return [*words[:position], word.rstrip(";")]
    return words


def _wrong_option(command: click.Command, words: list[str]) -> str | None:
    known = options(command) | _HELP | ({"--version"} if command is disco else set())
    for word in words:
        for choice in word.split("|"):
            name = choice.partition("=")[0]
            if name.startswith("-") and name not in known:
                return f"{command.name} has no option {name}"
    return None


def _walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(_context(command)):
        child = _child(command, name)
        assert child is not None
        yield from _walk(f"{path} {name}", child)


def _child(group: click.Group, name: str) -> click.Command | None:
    return group.get_command(_context(group), name)


def _context(command: click.Command) -> click.Context:
    return click.Context(command)


def _names(parameter: click.Parameter) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts]
