"""`python -m tests.faults`: schedules of faults on services of their own, and the table of it."""

import asyncio
import itertools
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import orjson

from benchmarks import report
from stack import operations as stack_operations
from stack.assembly import Stack
from tests.faults import table
from tests.faults.happenings import HAPPENINGS, Happening
from tests.faults.schedules import LENGTH, Step, schedules
from tests.faults.stage import set_up
from tests.faults.trial import Load, Verdict, undergo, warm_up
from tests.services import ROOT, place

_NAME = "fault-suite"  # of the stack
_WARM_UP = 20.0  # seconds of load before the first fault


@click.command()
@click.option("--schedules", "count", default=50, show_default=True, help="How many schedules.")
@click.option("--seed", default=1, show_default=True, help="What they are drawn from.")
@click.option(
    "--share",
    default=1.0,
    show_default=True,
    help="Share of 200 changes, 200 searches and 500 suggests a second, for slow machines.",
)
@click.option("--minutes", default=240.0, show_default=True, help="Begin no fault after that.")
@click.option("--resume", is_flag=True, help="Go on from where the JSON file ends.")
@click.option("--only", multiple=True, help="Faults with this in their name alone.")
@click.option("--page", type=click.Path(path_type=Path), help="Markdown file to write.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="JSON file to write.")
def main(
    *,
    count: int,
    seed: int,
    share: float,
    minutes: float,
    resume: bool,
    only: tuple[str, ...],
    page: Path | None,
    file: Path | None,
) -> None:
    """Run schedules of faults; exits 1 when something does not hold."""
    given = {"schedules": count, "seed": seed, "share": share}
    options = " ".join(f"--{name} {value:g}" for name, value in given.items())
    load = Load().scaled(share)
    verdicts = table.read(file) if resume and file else []

    def note(verdict: Verdict) -> None:
        """Nothing that was seen is lost, however the run ends."""
        verdicts.append(verdict)
        click.echo(_line(verdict))
        found = table.document(
            verdicts, seed=seed, load=load, machine=report.machine(), commit=report.commit()
        )
        if file:
            file.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
        if page:
            text = table.markdown(found, command=f"make faults FAULTS='{options}'")
            page.write_text(text, encoding="utf-8")

    # To be told to stop must not leave services behind.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: os.kill(os.getpid(), signal.SIGINT))
    steps = itertools.chain.from_iterable(schedules(_chosen(only), seed=seed, length=LENGTH))
    left = itertools.islice(steps, len(verdicts), count * LENGTH)
    stack_operations.up(_NAME, root=ROOT, heap="512m", progress=click.echo)
    try:
        stack = stack_operations.open_stack(_NAME, root=ROOT)
        asyncio.run(_run(stack, left, note, seed=seed, load=load, minutes=minutes))
    finally:
        stack_operations.down(_NAME, root=ROOT, purge=True, progress=click.echo)
    sys.exit(1 if any(one.complaints for one in verdicts) else 0)


def _chosen(only: tuple[str, ...]) -> list[Happening]:
    return [
        one for name, one in HAPPENINGS.items() if not only or any(part in name for part in only)
    ]


async def _run(
    stack: Stack,
    steps: Iterator[Step],
    note: Callable[[Verdict], None],
    *,
    seed: int,
    load: Load,
    minutes: float,
) -> None:
    """Go through the steps until time is up, and note what came of each."""
    deadline = time.monotonic() + 60 * minutes
    with place(stack) as settings, tempfile.TemporaryDirectory() as folder:
        chance = random.Random(seed)
        async with set_up(stack, settings, Path(folder), chance) as stage:
            await warm_up(stage, load, chance, seconds=_WARM_UP)
            for step in steps:
                note(
                    await undergo(
                        stage, step.happening, seconds=step.seconds, load=load, chance=chance
                    )
                )
                if time.monotonic() > deadline:
                    break


def _line(verdict: Verdict) -> str:
    wrong = "; ".join(verdict.complaints)
    return (
        f"{verdict.fault:<40}{verdict.failed:>5} of {verdict.asked:<6}"
        f"{verdict.recovery:6.1f} s {verdict.documents_wrong:>3} wrong  {wrong}"
    )


if __name__ == "__main__":
    main()
