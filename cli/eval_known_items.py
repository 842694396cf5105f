"""`disco eval known-items`: what search forgives people who nearly know what they look for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click
import uvloop

from cli.output import json_option, print_json, progress
from core import definitions
from core.errors import UsageError
from core.settings import Settings, load
from evaluation import known_item_operations as operations
from evaluation.known_item_operations import KnownItem, Misspellings, Success

if TYPE_CHECKING:
    from query_api.operations import Rankings

_ENTITY: Final = "sound"
_LIVE: Final = "live"
_WIDE: Final = 10  # characters of a column

Results = Mapping[str, Mapping[str, Success]]  # system -> kind -> how well


@click.command("known-items")
@click.option(
    "--queries", "count", type=click.IntRange(1, 100_000), default=2_000, show_default=True
)
@click.option("--seed", default=1, show_default=True, help="Another: other queries.")
@click.option(
    "--misspellings",
    "file",
    metavar="FILE",
    help="`$word`, then its misspellings, a line each, as aspell has them.",
)
@json_option
def known_items(*, count: int, seed: int, file: str | None, as_json: bool) -> None:
    """Look for sounds by damaged titles and artists, by ours and by the engine's defaults.

    Queries are made from rows that are public, drawn by the seed. Both systems search the live
    indices, which have to be built from the same rows.
    """
    settings = load()
    known = operations.read_misspellings(file) if file else {}
    items, results = uvloop.run(_searched(settings, known, count, seed))
    if as_json:
        print_json({"queries": len(items), "seed": seed, "systems": results})
    else:
        _show(results)


async def _searched(
    settings: Settings, known: Misspellings, count: int, seed: int
) -> tuple[Sequence[KnownItem], Results]:
    # What makes searches takes a second to load; a list that cannot be read needs none.
    from query_api.operations import rank_by_defaults, rank_offline  # noqa: PLC0415

    read = definitions.load(settings.definitions_path)
    if _ENTITY not in read:
        raise UsageError(
            f"{settings.definitions_path} has no {_ENTITY}s, which are what is looked for; set "
            "DISCO_DEFINITIONS"
        )
    items = await operations.drawn(settings, read[_ENTITY], known, count=count, seed=seed)
    progress(f"{len(items):,} queries")
    texts = {item.id: item.text for item in items}
    depth = operations.DEPTH
    found = {
        "defaults": await rank_by_defaults(settings, texts, depth=depth),
        "ours": (await rank_offline(settings, (_LIVE,), texts, depth=depth))[_LIVE],
    }
    return items, {
        system: operations.success(items, _ranks(items, rankings))
        for system, rankings in found.items()
    }


def _ranks(items: Sequence[KnownItem], rankings: "Rankings") -> Mapping[str, int | None]:
    """The place of what was meant, from 1, by query."""
    ranks: dict[str, int | None] = {}
    for item in items:
        right = (
            place
            for place, hit in enumerate(rankings[item.id], start=1)
            if item.is_answered_by(hit.type, hit.id, hit.title, hit.subtitle)
        )
        ranks[item.id] = next(right, None)
    return ranks


def _show(results: Results) -> None:
    told = ("damage", "queries", "system", "success@1", "success@10", "MRR")
    click.echo("  ".join(f"{one:>{_WIDE}}" for one in told))
    for kind in next(iter(results.values())):
        for system, kinds in results.items():
            one = kinds[kind]
            values = (one.success_at_1, one.success_at_10, one.mrr)
            cells = (kind, f"{one.queries:,}", system, *(f"{value:.4f}" for value in values))
            click.echo("  ".join(f"{cell:>{_WIDE}}" for cell in cells))
