"""How the progress of builds is told, on the terminal and to programs."""

import time
from collections.abc import AsyncIterator
from typing import Any

import click

from cli.output import print_json_line, progress
from indexer.operations import Progress

_PROGRESS_INTERVAL = 2.0


async def follow(states: AsyncIterator[Progress], as_json: bool) -> Progress:
    """Tell of the progress from time to time; the last of it."""
    last = time.monotonic()
    async for state in states:
        if not as_json and time.monotonic() - last >= _PROGRESS_INTERVAL:
            last = time.monotonic()
            progress(progress_line(state))
    return state


def progress_line(state: Progress) -> str:
    """How far a build is."""
    doing = f"{state.phase} {state.turn}" if state.turn else str(state.phase)
    parts = [f"{state.entity}: {'paused, ' if state.is_paused else ''}{doing}"]
    if state.rows:
        parts.append(position(state))
    if state.rate:
        parts.append(f"{state.rate:,.0f}/s")
    if state.eta is not None:
        parts.append(f"{_duration(state.eta)} left")
    if state.waits_for:
        parts.append(f"waits: {state.waits_for}")
    return ", ".join(parts)


def position(state: Progress) -> str:
    """How many rows a build has gone over in its phase."""
    share = ""
    if state.expected:
        percent = min(100, 100 * state.rows // max(state.expected, state.rows))
        share = f" of about {state.expected:,} ({percent} %)"
    return f"{state.rows:,}{share} rows"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def print_state(state: Progress, said: str, as_json: bool) -> None:
    """Print what has become of a build."""
    if as_json:
        print_json_line(document(state))
    else:
        click.echo(f"{state.entity}: {state.index} {said}")


def print_built(state: Progress, as_json: bool) -> None:
    """Print what a build has made."""
    if as_json:
        print_json_line(document(state))
    elif state.copied_from:
        click.echo(f"{state.entity}: copied {state.copied_from} in {state.seconds:.1f} s")
    else:
        rate = state.read / max(state.seconds, 0.001)
        click.echo(
            f"{state.entity}: {state.read:,} documents in {state.seconds:.1f} s ({rate:,.0f}/s)"
        )


def document(state: Progress) -> dict[str, Any]:
    """The progress of a build as programs see it."""
    return {
        "entity": state.entity,
        "index": state.index,
        "copied_from": state.copied_from or None,
        "phase": state.phase,
        "paused": state.is_paused,
        "rows": state.rows,
        "expected": state.expected,
        "documents": state.read,
        "outcomes": state.outcomes,
        "mended": state.mended,
        "rate": round(state.rate, 1),
        "eta_seconds": None if state.eta is None else round(state.eta, 1),
        "seconds": round(state.seconds, 3),
        "waits_for": state.waits_for or None,
        "failure": state.failure or None,
    }
