"""Known items: sounds of the catalogue, looked for by people who nearly know what they are called.

Rows are drawn by a seed and read by the hydration SQL, so they are those that have a document. The
same catalogue and seed give the same queries.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from core.database import open_pool
from core.definitions import Definition
from core.settings import Settings
from evaluation.damage import Damage, Named, damaged
from evaluation.errors import EvaluationError
from evaluation.judgments import LONGEST_QUERY
from evaluation.misspellings import Misspellings

DEPTH: Final = 10  # hits of a query that are looked at
_DRAWN: Final = 3  # times as many rows as queries: some are private, or cannot be damaged
_READ_AT_ONCE: Final = 1_000


class NoItemsError(EvaluationError):
    """The catalogue has nothing with a title and an artist: load it first."""


@dataclass(frozen=True, kw_only=True)
class KnownItem:
    """A query, and what it is meant to find."""

    id: str  # of the sound; also of the query
    named: Named
    damage: Damage
    text: str  # what is typed

    def is_answered_by(self, entity: str, hit: str, title: str, subtitle: str | None) -> bool:
        """Whether a hit is what was meant; another sound of that name and artist is as good."""
        if entity != "sound":
            return False
        called = (title.casefold(), (subtitle or "").casefold())
        return hit == self.id or called == (
            self.named.title.casefold(),
            self.named.artist.casefold(),
        )


@dataclass(frozen=True, kw_only=True)
class Success:
    """How well queries of one kind were answered."""

    queries: int
    success_at_1: float  # share of the queries whose first hit is what was meant
    success_at_10: float
    mrr: float  # mean of 1 / rank of what was meant, 0 beyond the tenth


async def drawn(
    settings: Settings, sounds: Definition, known: Misspellings, *, count: int, seed: int
) -> Sequence[KnownItem]:
    """At most `count` queries, as many of each kind as the rows allow; raises `NoItemsError`."""
    async with open_pool(settings.database_url, application="disco eval", size=1) as pool:
        rows = await pool.fetch(
            f"select id from {sounds.source_table} order by md5($1 || id::text), id limit $2",
            *(str(seed), count * _DRAWN),
        )
        ids = [row["id"] for row in rows]
        read: dict[Any, Named] = {}
        for at in range(0, len(ids), _READ_AT_ONCE):
            statement = sounds.hydrate_by_ids()
            for row in await pool.fetch(statement, ids[at : at + _READ_AT_ONCE]):
                if row["title"] and row["subtitle"]:
                    read[row["id"]] = Named(title=row["title"], artist=row["subtitle"])
    named = {str(one): read[one] for one in ids if one in read}
    if not named:
        raise NoItemsError(
            f"{sounds.source_table} has no public row with a title and an artist; load a "
            "catalogue, such as `disco demo load`"
        )
    return made(named, known, count=count, seed=seed)


def made(
    named: Mapping[str, Named], known: Misspellings, *, count: int, seed: int
) -> Sequence[KnownItem]:
    """Queries for things by id, each of the kind that there are fewest of so far."""
    found: list[KnownItem] = []
    kinds: Counter[Damage] = Counter()
    for entity, one in named.items():
        chance = Random(f"{seed}:{entity}")  # noqa: S311 not for secrets
        for damage in sorted(Damage, key=lambda damage: kinds[damage]):
            if (text := damaged(one, damage, chance, known)) is not None:
                kinds[damage] += 1
                found.append(
                    KnownItem(id=entity, named=one, damage=damage, text=text[:LONGEST_QUERY])
                )
                break
        if len(found) == count:
            break
    return found


def success(items: Sequence[KnownItem], ranks: Mapping[str, int | None]) -> Mapping[str, Success]:
    """By kind of damage, and `all`; `ranks` has the place of what was meant, from 1, by query."""
    kinds: dict[str, list[int | None]] = {"all": []}
    for item in items:
        for kind in ("all", str(item.damage)):
            kinds.setdefault(kind, []).append(ranks[item.id])
    return {
        kind: Success(
            queries=len(places),
            success_at_1=sum(place == 1 for place in places) / len(places),
            success_at_10=sum(place is not None for place in places) / len(places),
            mrr=sum(1 / place for place in places if place) / len(places),
        )
        for kind, places in kinds.items()
        if places
    }
