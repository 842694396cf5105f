"""`disco suggest`: completions while somebody types."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import output
from core.settings import load as load_settings
from suggest import operations
from suggest.operations import BuildReport

if TYPE_CHECKING:
    from suggest.engine import Engine

_CHUNK = 1 << 16  # bytes of standard input that are answered together
_FEW = 10  # beginnings that are answered sooner without machine code


@click.group()
def suggest() -> None:
    """Build completions, and ask for them."""


@suggest.command()
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="File of lines text<TAB>weight[<TAB>type[<TAB>target[<TAB>permalink]]].",
)
@click.option(
    "--output", "target", type=click.Path(path_type=Path), help="File to write, with --from."
)
@click.option(
    "--first-word", is_flag=True, help="Texts are found by their beginnings, not by each word."
)
@click.option(
    "--ranks",
    metavar="EDITION",
    help="Rank edition for the weights, instead of the live one; `none`: no ranks.",
)
@click.option("--force", is_flag=True, help="Even with far fewer phrases than are published.")
@output.dry_run_option
@output.json_option
def build(
    *,
    source: Path | None,
    target: Path | None,
    first_word: bool,
    ranks: str | None,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Build a snapshot of the database's phrases into the store, or of a file into another.

    The same phrases make the same bytes. What is built is served once it is published.
    """
    if source is None:
        if target is not None or first_word:
            raise click.UsageError("--output and --first-word belong to --from FILE")
        import uvloop  # noqa: PLC0415 - a query needs no event loop, and somebody waits for it

        settings = load_settings()
        report = uvloop.run(
            operations.build_from_database(settings, force=force, dry_run=dry_run, ranks=ranks)
        )
        target = operations.open_store(settings).path_of(report.edition)
    else:
        if ranks is not None:
            raise click.UsageError("--ranks belongs to the database; a file has its weights")
        if target is None and not dry_run:
            raise click.UsageError("give --output FILE, or --dry-run to see what would be built")
        report = operations.build_file(
            source, None if dry_run else target, word_starts=not first_word
        )
    if as_json:
        output.print_json(report)
    else:
        _print_report(report, target, dry_run=dry_run)


@suggest.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("prefixes", metavar="[PREFIX]...", nargs=-1)
@click.option(
    "--limit",
    type=click.IntRange(1, operations.MOST_RESULTS),
    default=operations.DEFAULT_LIMIT,
    show_default=True,
    help="Most completions of each.",
)
@click.option("--type", "types", multiple=True, help="Only this entity type; can be repeated.")
@click.option("--no-fuzzy", is_flag=True, help="Do not make up for slips of the finger.")
@output.json_option
def query(
    *,
    file: Path,
    prefixes: tuple[str, ...],
    limit: int,
    types: tuple[str, ...],
    no_fuzzy: bool,
    as_json: bool,
) -> None:
    """Complete each PREFIX from a snapshot file, or each line of standard input.

    Prints a line of JSON for each, as soon as it is known, also without --json.
    """
    del as_json  # each answer is a line of JSON anyway
    engine = operations.open_file(file, types, few=0 < len(prefixes) <= _FEW)
    chunks = [[os.fsencode(prefix) for prefix in prefixes]] if prefixes else _lines_of_stdin()
    well = _answer(engine, chunks, limit=limit, types=types, fuzzy=not no_fuzzy)
    output.exit_with(output.OK if well else output.BAD_USAGE)


@suggest.command("list")
@output.json_option
def list_command(as_json: bool) -> None:
    """List the snapshots in the store, the newest first."""
    entries = operations.open_store(load_settings()).entries()
    if as_json:
        output.print_json({"snapshots": entries})
        return
    for entry in entries:
        mark = "published" if entry.published else ""
        click.echo(
            f"{entry.edition}  {entry.written_at:%Y-%m-%d %H:%M:%S}  {entry.size / 1e6:>9,.1f} MB  "
            f"{entry.facts['phrases']:>12,} phrases  {mark}".rstrip()
        )


@suggest.command()
@click.argument("snapshot")
@output.dry_run_option
@output.json_option
def publish(snapshot: str, dry_run: bool, as_json: bool) -> None:
    """Have SNAPSHOT served: an edition of the store, or a file, which is taken into it.

    The services that follow the store change to it within a second, and drop no request.
    """
    store = operations.open_store(load_settings())
    former = store.published()
    edition = operations.publish(store, snapshot, dry_run=dry_run)
    _print_change(edition, former, dry_run=dry_run, as_json=as_json)


@suggest.command()
@output.dry_run_option
@output.json_option
def rollback(dry_run: bool, as_json: bool) -> None:
    """Have the snapshot served that was published before."""
    store = operations.open_store(load_settings())
    former = store.published()
    edition = store.rollback_target() if dry_run else store.rollback()
    _print_change(edition, former, dry_run=dry_run, as_json=as_json)


def _print_change(edition: str, former: str | None, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        output.print_json({"published": edition, "former": former, "dry_run": dry_run})
    else:
        done = "would be published" if dry_run else "is published"
        click.echo(f"{edition} {done}, in place of {former or 'none'}")


def _answer(engine: "Engine", chunks: Any, **options: Any) -> bool:
    """Print all answers; returns whether every beginning could be read."""
    out = sys.stdout.buffer
    before, well = 0, True
    for lines in chunks:
        for answers, bad in operations.answer_lines(engine, lines, **options):
            out.write(answers)
            for number in bad:
                well = False
                output.progress(
                    f"disco: line {before + number + 1} is not UTF-8, so it has no completions; "
                    "convert it"
                )
        out.flush()
        before += len(lines)
    return well


def _lines_of_stdin() -> Iterator[Sequence[bytes]]:
    """The lines that have come so far, whenever some have."""
    rest = b""
    while chunk := os.read(sys.stdin.fileno(), _CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield [line.removesuffix(b"\r") for line in lines]
    if rest:
        yield [rest]


def _print_report(report: BuildReport, target: Path | None, *, dry_run: bool) -> None:
    facts = report.facts
    click.echo(
        f"{facts['phrases']:,} phrases of {facts['entities']:,} entities, {facts['keys']:,} keys, "
        f"{report.size / 1e6:,.1f} MB, edition {report.edition}"
    )
    for name, count in facts["types"].items():
        click.echo(f"  {name or '(no type)':20} {count:>12,}")
    if report.sources:
        click.echo(f"  ranks in the weights: {facts.get('rank_edition', 'none')}")
    for found in report.sources:
        skipped = f", {found.skipped:,} left out" if found.skipped else ""
        click.echo(f"  from {found.source:15} {found.phrases:>12,}{skipped}")
    for sample in report.samples:
        click.echo(f"  {sample.typed:20} {' · '.join(sample.texts)}")
        if sample.before and sample.before != sample.texts:
            click.echo(f"  {'':20} before: {' · '.join(sample.before)}")
    click.echo("nothing was written" if dry_run else f"written to {target}")
    if report.sources and report.position is None and not dry_run:
        output.progress(
            "disco: the broker does not answer, or DISCO_SUGGEST_OVERLAY_PHRASES is 0: what "
            "changes until a service begins to follow is in the next build"
        )
