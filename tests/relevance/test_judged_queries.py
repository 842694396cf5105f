"""What the judged queries bring: in the order that was agreed on, and no worse than floors say."""

from collections.abc import Sequence

import asyncpg
import pytest

from evaluation.qrels import rows
from evaluation.run_operations import Floor, Result, of_rankings, read_floors, side_by_side
from tests.relevance.conftest import FOLDER, JUDGMENTS, LIVE, WORSE, Asked
from tests.relevance.golden import GOLDEN, difference, written

FLOORS = FOLDER / "floors.json"
WORST = 5  # queries that a failure shows
TITLES = """
SELECT 'user:' || id AS doc, display_name AS title FROM users
UNION ALL SELECT 'sound:' || id, title FROM sounds
UNION ALL SELECT 'set:' || id, title FROM sets
UNION ALL SELECT 'group:' || id, name FROM groups
"""


def test_rankings_are_the_ones_that_were_agreed_on(
    asked: Asked, request: pytest.FixtureRequest
) -> None:
    found = written(asked, asked.rankings[LIVE])
    if request.config.getoption("--update"):
        GOLDEN.write_text(found, encoding="utf-8")
    told = difference(GOLDEN.read_text(encoding="utf-8"), found)
    assert not told, told


def test_another_ranking_is_told_with_its_query_and_what_to_do(asked: Asked) -> None:
    live, worse = (written(asked, asked.rankings[name]) for name in (LIVE, WORSE))
    told = difference(live, worse)
    assert not difference(live, live)
    assert "pytest tests/relevance --update" in told
    assert [line for line in told.splitlines() if line.startswith("-   1  ")], told


def test_no_measure_is_below_its_floor(asked: Asked) -> None:
    result = measured(asked)
    below = [one for one in result.floors if one.system == LIVE and not one.holds]
    assert not below, told(result, below)


def test_profiles_for_which_all_fields_are_alike_are_below_every_floor(asked: Asked) -> None:
    result = measured(asked)
    worse = [one for one in result.floors if one.system == WORSE]
    assert len(worse) == len(read_floors(str(FLOORS))) > 0
    assert not [one for one in worse if one.holds], worse


async def test_the_judgments_are_about_this_catalogue(asked: Asked) -> None:
    connection = await asyncpg.connect(asked.settings.database_url)
    try:
        titles = {row["doc"]: row["title"] for row in await connection.fetch(TITLES)}
    finally:
        await connection.close()
    wrong = {
        row.doc: (row.others["title"], titles.get(row.doc))
        for row in rows(str(JUDGMENTS))
        if row.others["title"] != titles.get(row.doc)
    }
    assert not wrong, (
        f"the catalogue is another than was judged (judged, there is): {wrong}; generate it as "
        "before, or judge it anew"
    )


def measured(asked: Asked) -> Result:
    """The variants by the set, with the floors."""
    runs = {
        variant: of_rankings(
            variant,
            {query: [f"{hit.type}:{hit.id}" for hit in hits] for query, hits in found.items()},
        )
        for variant, found in asked.rankings.items()
    }
    floors = read_floors(str(FLOORS))
    return side_by_side(asked.judged, runs, LIVE, ["nDCG@10"], titles={}, floors=floors)


def told(result: Result, below: Sequence[Floor]) -> str:
    """What is below, by which queries, and what to do about it."""
    lines = [f"{one.measure} is {one.value:.4f}, the floor is {one.floor:g}" for one in below]
    for measure in {one.measure for one in below}:
        values = {query: of[measure] for query, of in result.systems[LIVE].queries.items()}
        worst = sorted(values, key=values.__getitem__)[:WORST]
        lines += [f"lowest {measure}:"]
        lines += [f"  {values[query]:.4f}  {query}: {result.texts[query]}" for query in worst]
    lines.append(
        "Search got worse for the judged queries: tests/relevance/rankings.txt has what they "
        "brought before. Lower a floor only for a gain elsewhere that is worth it."
    )
    return "\n".join(lines)
