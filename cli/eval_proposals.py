"""`disco eval judgments propose`: queries worth judging, from the log of searches."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import click
import uvloop

from cli.output import dry_run_option, json_option, print_json, progress
from cli.periods import since_option
from core.errors import UsageError
from core.operation_log import Actor
from core.overlap import rank_biased_overlap
from core.settings import Settings, load
from evaluation import judgment_operations
from evaluation.judgment_operations import Query

_LIVE: Final = "live"
_LOOKED_AT: Final = 10  # times as many frequent queries as are wanted, to find those that differ
_MOST_LOOKED_AT: Final = 1_000
_DEPTH: Final = 10  # results of a query
_LEAST: Final = 2  # searches below which a text says nothing


@click.command()
@click.argument("name", metavar="SET")
@click.option(
    "--from",
    "source",
    type=click.Choice(["top", "failing", "differing"]),
    default="top",
    show_default=True,
    help="Frequent; frequent and never clicked for; frequent and answered differently.",
)
@click.option("--variant", help="What differs from live, for --from differing.")
@since_option
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most queries."
)
@dry_run_option
@json_option
def propose(
    *,
    name: str,
    source: str,
    variant: str | None,
    since: datetime,
    limit: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put queries that people search for into SET, to be judged; it is made if there is none.

    Queries that SET has stay as they are.
    """
    if (source == "differing") != (variant is not None):
        raise UsageError("--variant NAME and --from differing go together; give both, or neither")
    settings = load()
    texts = _texts(settings, source, since, limit, variant)
    queries = {query.id: query for query in map(Query.of, texts)}
    new = uvloop.run(_put(settings, name, list(queries.values()), dry_run=dry_run))
    if as_json:
        print_json(
            {"set": name, "proposed": new, "known": len(queries) - len(new), "dry_run": dry_run}
        )
        return
    for query in new:
        click.echo(query.text)
    progress(
        f"{'would put' if dry_run else 'put'} {len(new):,} queries into {name}; "
        f"{len(queries) - len(new):,} were there"
    )


def _texts(
    settings: Settings, source: str, since: datetime, limit: int, variant: str | None
) -> Sequence[str]:
    # What reads the log takes a second to load, and no other command about judgments needs it.
    from evaluation import online_operations as log  # noqa: PLC0415

    until = datetime.now(UTC)
    if source == "failing":
        failing = log.failing_queries(settings, since, until, limit, least=_LEAST)
        found = uvloop.run(failing)
    else:
        wide = limit if variant is None else min(limit * _LOOKED_AT, _MOST_LOOKED_AT)
        found = uvloop.run(log.top_queries(settings, since, until, wide))
    texts = [one.text for one in found if one.text.strip()]
    return texts if variant is None else _differing(settings, texts, variant, limit)


def _differing(settings: Settings, texts: Sequence[str], variant: str, limit: int) -> Sequence[str]:
    """Those that the variant answers otherwise than live, the most so first."""
    from query_api.operations import rank_offline  # noqa: PLC0415 - it takes a second, too

    asked = {str(place): text for place, text in enumerate(texts)}
    found = uvloop.run(rank_offline(settings, (_LIVE, variant), asked, depth=_DEPTH))
    overlaps: Mapping[str, float] = {
        query: rank_biased_overlap(found[_LIVE][query], found[variant][query]) for query in asked
    }
    differing = sorted((query for query in asked if overlaps[query] < 1), key=overlaps.__getitem__)
    return [asked[query] for query in differing[:limit]]


async def _put(
    settings: Settings, name: str, queries: Sequence[Query], *, dry_run: bool
) -> Sequence[Query]:
    """The queries that are new to the set."""
    async with judgment_operations.open_judgments(settings, Actor.of_this_process()) as judgments:
        return await judgments.propose(name, queries, dry_run=dry_run)
