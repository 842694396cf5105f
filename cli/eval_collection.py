"""`disco eval collection`: a judged collection, searched by us and by the engine's defaults."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
import uvloop

from cli.eval_options import seed_option
from cli.output import json_option, print_json, progress
from core import definitions
from core.settings import Settings, load
from evaluation import collection_operations as operations
from evaluation.collection_operations import CollectionResult, JudgedCollection, Part, Rankings

_OURS: Final = "ours"
_DEFAULTS: Final = "defaults"
_DEFAULTS_ON_OURS: Final = "defaults, our fields"
# A quote or a minus is an instruction to a search; in a collection's texts it is punctuation.
_INSTRUCTION: Final = re.compile(r'["“”„]|(?<!\S)-+(?=\w)')
_WIDE: Final = 20  # characters of a column


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(list(operations.FORMATS)),
    default="cranfield",
    show_default=True,
    help="Of the files in DIR.",
)
@seed_option
@json_option
def collection(*, folder: Path, form: str, seed: int, as_json: bool) -> None:
    """Search the judged collection in DIR, and compare ours with the engine's defaults.

    Its documents are indexed in an index of their own, which is deleted at the end, whatever
    happens; nothing else is touched.
    """
    read = operations.FORMATS[form](folder)
    settings = load()
    progress(f"{len(read.documents):,} documents, {len(read.qrels.grades):,} judged queries")
    systems = uvloop.run(_searched(settings, read))
    found = operations.result(read, systems, ours=_OURS, seed=seed)
    print_json(found.document()) if as_json else _show(found)


async def _searched(settings: Settings, read: JudgedCollection) -> Mapping[str, Rankings]:
    # What makes searches takes a second to load; a folder that cannot be read needs none.
    from query_api.operations import temporary_index  # noqa: PLC0415

    known = definitions.load(settings.definitions_path)
    definition = operations.definition(next(iter(known.values())).analysis)
    depth = operations.DEPTH
    texts = {
        query: " ".join(_INSTRUCTION.sub(" ", read.queries[query]).split())
        for query in read.qrels.grades
    }
    async with temporary_index(settings, definition, operations.similarity()) as index:
        await index.fill([operations.indexed(one) for one in read.documents])
        return {
            _DEFAULTS: await index.defaults(texts, operations.PLAIN_FIELDS, depth),
            _DEFAULTS_ON_OURS: await index.defaults(texts, index.words_fields(), depth),
            _OURS: await index.ours(texts, depth),
        }


def _show(found: CollectionResult) -> None:
    click.echo(f"{found.collection}: {found.documents:,} documents")
    for name, part in found.parts.items():
        click.echo(f"\n{name} queries ({part.queries:,})")
        _show_part(part, found.ours)


def _show_part(part: Part, ours: str) -> None:
    measures = next(iter(part.systems.values()))
    click.echo(f"{'':{_WIDE}}" + "".join(f"  {name:>9}" for name in measures))
    for system, values in part.systems.items():
        told = "".join(f"  {value:9.4f}" for value in values.values())
        click.echo(f"{system:{_WIDE}}{told}")
    for system, differences in part.differences.items():
        for name, one in differences.items():
            click.echo(
                f"{ours} - {system:{_WIDE}}  {name:9}  {one.difference:+.4f}  "
                f"[{one.low:+.4f}, {one.high:+.4f}]  "
                f"p {one.p_permutation:.4f} (permutation), {one.p_bootstrap:.4f} (bootstrap)"
            )
