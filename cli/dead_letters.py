"""`disco dead-letters`: events that could not be processed."""

import asyncio
import dataclasses
from collections.abc import Callable

import click

from cli.output import dry_run_option, json_option, print_json_line
from core.settings import load
from indexer import dead_letters as letters
from indexer.dead_letters import DeadLetter

_LIMIT = 1_000_000
_limit_option = click.option("--limit", type=int, default=100, help="Most letters, oldest first.")


@click.group("dead-letters")
def dead_letters() -> None:
    """Events that could not be processed: look at them, send them again, or drop them."""


@dead_letters.command("list")
@_limit_option
@json_option
def list_letters(limit: int, as_json: bool) -> None:
    """List the oldest letters with their reasons."""
    found = asyncio.run(_list(limit))
    for letter in found:
        _print(letter, as_json)
    if not found and not as_json:
        click.echo("no dead letters")


@dead_letters.command()
@click.option("--reason", help="Only letters with this reason.")
@dry_run_option
@json_option
def replay(reason: str | None, dry_run: bool, as_json: bool) -> None:
    """Send letters through the pipeline again."""
    _resolve(reason, dry_run, as_json, again=True)


@dead_letters.command()
@click.option("--reason", help="Only letters with this reason.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@dry_run_option
@json_option
def drop(reason: str | None, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Delete letters for good."""
    if not dry_run and not yes:
        click.confirm(f"Drop all letters{f' with reason {reason}' if reason else ''}?", abort=True)
    _resolve(reason, dry_run, as_json, again=False)


def _resolve(reason: str | None, dry_run: bool, as_json: bool, *, again: bool) -> None:
    def chosen(letter: DeadLetter) -> bool:
        return reason is None or letter.reason == reason

    resolved = asyncio.run(_plan(chosen) if dry_run else _act(chosen, again=again))
    for letter in resolved:
        _print(letter, as_json)
    if not as_json:
        verb = "replayed" if again else "dropped"
        click.echo(f"{len(resolved)} letters {'would be ' if dry_run else ''}{verb}")


async def _list(limit: int) -> list[DeadLetter]:
    return [letter async for letter in letters.letters(load(), limit=limit)]


async def _plan(chosen: Callable[[DeadLetter], bool]) -> list[DeadLetter]:
    return [letter for letter in await _list(_LIMIT) if chosen(letter)]


async def _act(chosen: Callable[[DeadLetter], bool], *, again: bool) -> list[DeadLetter]:
    act = letters.replay if again else letters.drop
    return await act(load(), chosen, limit=_LIMIT)


def _print(letter: DeadLetter, as_json: bool) -> None:
    if as_json:
        print_json_line(dataclasses.asdict(letter))
        return
    click.echo(f"{letter.number}. {letter.routing_key} from {letter.queue}: {letter.reason}")
    click.echo(f"   {letter.detail}")
    click.echo(f"   {letter.size} bytes: {letter.body[:200]}")
