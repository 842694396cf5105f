"""The command `disco`: finds each command's module by name, and imports it only when it is used."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import click

from cli import output
from core.errors import DiscoError

#: Command name -> "module:attribute" of its click command. The order is that of the help page.
COMMANDS: Final[Mapping[str, str]] = {
    "stack": "cli.stack:stack",
    "demo": "cli.demo:demo",
    "index": "cli.index:index",
    "verify": "cli.verify:verify",
    "dead-letters": "cli.dead_letters:dead_letters",
    "rank": "cli.rank:rank",
    "suggest": "cli.suggest:suggest",
    "eval": "cli.eval:evaluate",
    "interactions": "cli.interactions:interactions",
    "experiment": "cli.experiment:experiment",
    "queries": "cli.queries:queries",
    "keys": "cli.keys:keys",
    "work": "cli.work:work",
    "serve": "cli.serve:serve",
    "bench": "cli.bench:bench",
    "doctor": "cli.doctor:doctor",
}


class LazyGroup(click.Group):
    """A group whose commands are imported on use, so that one command does not load the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The registered commands whose module exists, in the order of the register."""
        del ctx
        return [name for name, target in COMMANDS.items() if _module_exists(target)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; None if there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module_name, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module_name), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name]} is {command!r}, not a click command")
        return command


def _module_exists(target: str) -> bool:
    return importlib.util.find_spec(target.partition(":")[0]) is not None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="disco", prog_name="disco")
def disco() -> None:
    """Search for a catalogue with a community around it.

    Every command takes --json. Exit codes: 0 done, 1 what was checked does not hold, 2 bad usage,
    3 a service cannot be reached. Settings come from DISCO_* variables or a TOML file.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: What stands behind `disco` on the command line; the process's own if None.

    Returns:
        The exit code.
    """
    try:
        result = disco.main(args=arguments, prog_name="disco", standalone_mode=False)
    except DiscoError as error:
        return output.report(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return output.INTERRUPTED
    return result if isinstance(result, int) else output.OK


def main() -> None:
    """The entry point that the package installs as `disco`."""
    sys.exit(run())


if __name__ == "__main__":
    main()
