"""How commands print what operators did."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from cli.output import print_json
from core.operation_log import Operation


def print_history(
    found: Sequence[Operation], state: Callable[[Mapping[str, Any]], object], *, as_json: bool
) -> None:
    """Print operations, a line each; `state` says what was there before or after, in a word."""
    if as_json:
        print_json(found)
        return
    for one in found:
        click.echo(_line(one, state))
    if not found:
        click.echo("nothing was done so far")


def _line(one: Operation, state: Callable[[Mapping[str, Any]], object]) -> str:
    way = " -> ".join(str(state(side)) for side in (one.before, one.after) if side)
    reasons = (one.override_reason and f"overridden: {one.override_reason}", one.error)
    told = "; ".join(reason for reason in reasons if reason)
    return (
        f"{one.id:>5} {one.started_at:%Y-%m-%d %H:%M:%S} {one.outcome:9} {one.action:14} "
        f"{one.subject:8} {one.actor} ({one.via})  {way}{f'  [{told}]' if told else ''}"
    )
