"""`disco verify`: does the index hold what the database holds?"""

import time
from collections.abc import Sequence

import click
import uvloop

from cli.output import (
    DOES_NOT_HOLD,
    OK,
    exit_with,
    json_option,
    print_json_line,
)
from core.settings import Settings, load
from indexer.operations import Verdict, definitions_of, generations_of, open_indexer
from indexer.operations import verify as run_verify


@click.command()
@click.argument("entities", nargs=-1)
@click.option("--repair", is_flag=True, help="Send a refresh event for each difference.")
@click.option(
    "--patience", type=float, default=5.0, help="Seconds that a change may be on its way."
)
@click.option("--standby", is_flag=True, help="Compare the generations that are not live, too.")
@click.option("--dry-run", is_flag=True, help="With --repair: send nothing.")
@json_option
def verify(
    *,
    entities: tuple[str, ...],
    repair: bool,
    patience: float,
    standby: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Compare every row of the database with every document of the live index.

    Lists each entity that is missing, a ghost or stale. Exits 1 if there is any.
    """
    settings = load()
    names = list(definitions_of(settings, entities))
    verdicts = uvloop.run(
        _verify(
            settings,
            names,
            repair=repair and not dry_run,
            patience=patience,
            standby=standby,
            as_json=as_json,
        )
    )
    exit_with(DOES_NOT_HOLD if any(verdict.kinds for verdict in verdicts) else OK)


async def _verify(
    settings: Settings,
    names: Sequence[str],
    *,
    repair: bool,
    patience: float,
    standby: bool,
    as_json: bool,
) -> list[Verdict]:
    verdicts = []
    async with open_indexer(settings) as services:
        for entity in names:
            for generation in await generations_of(services, entity, live_only=not standby):
                began = time.monotonic()
                verdict = Verdict(entity=entity, index=generation.index)
                async for verdict in run_verify(
                    services, entity, generation=generation, repair=repair, patience=patience
                ):
                    _print_differences(verdict, as_json)
                _print_summary(verdict, time.monotonic() - began, as_json)
                verdicts.append(verdict)
    return verdicts


def _print_differences(verdict: Verdict, as_json: bool) -> None:
    for one in verdict.differences:
        if as_json:
            print_json_line(
                {
                    "entity": one.entity,
                    "id": str(one.id),
                    "difference": one.kind,
                    "index": verdict.index,
                }
            )
        else:
            click.echo(f"{one.entity} {one.id}: {one.kind}")


def _print_summary(verdict: Verdict, seconds: float, as_json: bool) -> None:
    rate = verdict.compared / seconds if seconds else 0.0
    if as_json:
        print_json_line(
            {
                "entity": verdict.entity,
                "index": verdict.index,
                "compared": verdict.compared,
                "differences": verdict.kinds.total(),
                "kinds": verdict.kinds,
                "repaired": verdict.repaired,
                "seconds": round(seconds, 3),
                "per_second": round(rate),
            }
        )
        return
    found = ", ".join(f"{count} {kind}" for kind, count in verdict.kinds.items()) or "no difference"
    repaired = f", {verdict.repaired} sent for repair" if verdict.repaired else ""
    click.echo(
        f"{verdict.entity}: {verdict.compared:,} compared in {seconds:.1f} s "
        f"({rate:,.0f}/s): {found}{repaired}"
    )
