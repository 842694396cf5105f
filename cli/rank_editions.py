"""`disco rank run` and its neighbours: rank editions are calculated, and looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
import uvloop

from cli.output import (
    DOES_NOT_HOLD,
    OK,
    dry_run_option,
    exit_with,
    json_option,
    print_json,
)
from core.settings import Settings
from core.settings import load as load_settings
from ranker import edition_operations as ranker
from ranker.edition_operations import Drift, Engine, Explanation, RunReport, Standing

_TOP: Final = 20
_edition_argument = click.argument("edition", required=False)


@click.command()
@click.option(
    "--from",
    "folder",
    help="Folder of Parquet files, <signal>.parquet each, instead of the database.",
)
@click.option(
    "--signals",
    "signal_folder",
    type=click.Path(path_type=Path),
    help="Folder of signals.json and SQL files, instead of the project's own.",
)
@click.option("--cold", is_flag=True, help="Do not start from the newest edition.")
@click.option("--deterministic", is_flag=True, help="The same digits in every run; slower.")
@click.option(
    "--engine",
    type=click.Choice([str(one) for one in Engine]),
    default=str(Engine.LOCAL),
    show_default=True,
    help="What calculates; spark, with --from, is for graphs that fit no machine.",
)
@click.option("--master", help="Where Spark runs, such as local[2]; else as it is configured.")
@dry_run_option
@json_option
def run(
    *,
    folder: str | None,
    signal_folder: Path | None,
    cold: bool,
    deterministic: bool,
    engine: str,
    master: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Calculate a rank edition of the whole catalogue into the store; publishes nothing.

    With --dry-run the edition is calculated and compared, and not kept.
    """
    report = ranker.run(
        load_settings(),
        folder=folder,
        signal_folder=signal_folder,
        cold=cold,
        deterministic=deterministic,
        dry_run=dry_run,
        engine=Engine(engine),
        master=master,
    )
    if as_json:
        print_json(report)
    else:
        _print_run(report)


@click.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the editions in the store, the newest first, with the slot that each is in."""
    listed = ranker.list_editions(load_settings())
    if as_json:
        print_json({"editions": listed})
        return
    for one in listed:
        slot = f"slot {one.slot}" if one.slot else ""
        what = f"damaged: {one.problem}" if one.problem else _size(one.manifest)
        click.echo(f"{one.edition}  {what}  {slot}".rstrip())
    if not listed:
        click.echo("no edition yet; calculate one with: disco rank run")


@click.command()
@_edition_argument
@click.option("--type", "kind", default="user", show_default=True, help="Entity type.")
@click.option("--top", type=click.IntRange(min=1), default=_TOP, show_default=True)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw convergence and distribution into this file (SVG).",
)
@json_option
def show(*, edition: str | None, kind: str, top: int, picture: Path | None, as_json: bool) -> None:
    """Show what stands first in EDITION (default: the newest)."""
    settings = load_settings()
    standings = ranker.top(settings, edition, kind, top)
    names = _names(settings, [(one.type, one.id) for one in standings])
    if picture is not None:
        picture.write_text(ranker.picture_of(settings, edition), encoding="utf-8")
    if as_json:
        print_json(
            {
                "edition": ranker.open_edition(settings, edition).name,
                "entities": [
                    {**asdict(one), "title": names.get((one.type, one.id))} for one in standings
                ],
                "picture": picture,
            }
        )
        return
    _print_standings(standings, names)


@click.command()
@click.argument("entity", metavar="TYPE:ID")
@click.option("--edition", help="Another than the newest.")
@click.option("--top", type=click.IntRange(min=1), default=_TOP, show_default=True)
@json_option
def explain(*, entity: str, edition: str | None, top: int, as_json: bool) -> None:
    """Tell which neighbours give an entity, such as user:42, its score, and by which signal."""
    kind, _, digits = entity.replace("/", ":").partition(":")
    if not digits.isdigit():
        raise click.UsageError(f"{entity!r} is no entity; write TYPE:ID, such as user:42")
    settings = load_settings()
    found = ranker.explain(settings, edition, kind, int(digits), top=top)
    keys = [(one.type, one.id) for one in found.contributions]
    names = _names(settings, [(kind, found.id), *keys])
    if as_json:
        document = asdict(found) | {"title": names.get((kind, found.id))}
        for one in document["contributions"]:
            one["title"] = names.get((one["type"], one["id"]))
        print_json(document)
        return
    _print_explanation(found, names)


@click.command()
@click.argument("former")
@click.argument("later")
@json_option
def diff(*, former: str, later: str, as_json: bool) -> None:
    """Compare two editions. Exits 1 if LATER could not be published in place of FORMER."""
    found = ranker.compare(load_settings(), former, later)
    if as_json:
        print_json(found)
    else:
        print_drift(found)
    exit_with(DOES_NOT_HOLD if found.failed else OK)


def _names(settings: Settings, keys: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
    return uvloop.run(ranker.labels_of(settings, keys))


def _size(manifest: Mapping[str, Any]) -> str:
    graph = manifest["graph"]
    seconds = sum(manifest["seconds"].values())
    return f"{graph['nodes']:>12,} entities  {graph['edges']:>13,} edges  {seconds:>8.1f} s"


def _print_run(report: RunReport) -> None:
    manifest = report.manifest
    graph, solution = manifest["graph"], manifest["solution"]
    click.echo(
        f"{graph['nodes']:,} entities, {graph['edges']:,} edges; {solution['iterations']} "
        f"iterations ({solution['method']}), error at most {solution['error_bound']:.1e}"
    )
    for one in manifest["signals"]:
        left = sum(one[name] for name in ("unknown", "own", "capped", "unregarded"))
        click.echo(
            f"  {one['name']:16}{one['used']:>14,} used {left:>12,} left out "
            f"{one['seconds']:>8.2f} s"
        )
    stages = ", ".join(f"{name} {value:.2f} s" for name, value in manifest["seconds"].items())
    click.echo(f"  {stages}")
    print_drift(report.drift)
    changed = ", ".join(f"{count:,} {kind}s" for kind, count in report.ranks_changed.items())
    click.echo(f"another rank than in the edition before: {changed}")
    click.echo(f"written as {report.edition}" if report.edition else "nothing was written")


def print_drift(drift: Drift) -> None:
    """Print how two editions differ, and which gates do not hold."""
    for one in drift.types:
        click.echo(
            f"  {one.type:8}{one.entities:>12,} entities, {one.new:,} new, {one.gone:,} gone, mass "
            f"{one.mass_before:.1%} → {one.mass_after:.1%}, overlap {one.overlap:.3f}"
        )
    for mover in drift.movers[:5]:
        click.echo(f"  {mover.type} {mover.id}: {mover.before:.3g} → {mover.after:.3g}")
    for gate in drift.failed:
        click.echo(f"  gate {gate.name}: {gate.about}: {gate.value:.3g}, the bar is {gate.bar:g}")


def _print_standings(standings: Sequence[Standing], names: Mapping[tuple[str, int], str]) -> None:
    for one in standings:
        title = names.get((one.type, one.id), "")
        edges = "" if one.pointed_at_by is None else f"{one.pointed_at_by:>9,} edges  "
        click.echo(
            f"{one.place:>5}  {one.score:.3e}  rank {one.rank:>3}  {edges}"
            f"{one.type}:{one.id}  {title}".rstrip()
        )


def _print_explanation(found: Explanation, names: Mapping[tuple[str, int], str]) -> None:
    click.echo(
        f"{found.type}:{found.id} {names.get((found.type, found.id), '')}: place {found.place:,}, "
        f"score {found.score:.3e}, rank {found.rank}, {found.neighbours:,} neighbours"
    )
    for name, share in found.signals.items():
        click.echo(f"  {share:>7.1%}  {name}")
    click.echo(f"  {found.jumps:>7.1%}  what everybody gets")
    for one in found.contributions:
        title = names.get((one.type, one.id), "")
        click.echo(f"    {one.share:>7.2%}  {one.signal:18} {one.type}:{one.id}  {title}".rstrip())


COMMANDS: Final = {
    command.name: command
    for command in (run, list_command, show, explain, diff)
    if command.name is not None
}
