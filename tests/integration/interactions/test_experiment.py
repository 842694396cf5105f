"""An experiment begins, people are answered by two variants in one list, and it is told who won."""

import asyncio
import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import definitions
from core.database import open_pool
from core.operation_log import Actor, OperationLog
from core.settings import Settings
from evaluation import experiment_operations as analysis
from evaluation.experiment_operations import Design
from query_api import experiment_operations as operations
from query_api.experiment_operations import Experiment, ExperimentError
from tests.integration.interactions.conftest import PATIENCE, Fetch
from tests.integration.interactions.test_logging import event, tell
from tests.integration.query_api.serving import served

ACTOR = Actor(name="tests", via="cli")
VARIANTS = '[variants.subtitles]\nprofiles = "subtitles"\n'
BOTH = Experiment(name="both", unit="session", interleave=("live", "subtitles"))
SEARCH = "SELECT * FROM disco.searches WHERE query_id = $1 ORDER BY first"


@pytest.fixture
def trying(logging_settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a file of variants: one finds by the subtitle alone."""
    profile = dict(definitions.load(logging_settings.definitions_path)["sound"].profile)
    changed = profile | {"match": {"words": {"subtitle": 1}}}
    (tmp_path / "subtitles").mkdir()
    (tmp_path / "subtitles" / "sound.search.json").write_text(json.dumps(changed))
    file = tmp_path / "experiments.toml"
    file.write_text(VARIANTS)
    return dataclasses.replace(logging_settings, experiments=str(file))


@pytest.fixture
def _begun(trying: Settings) -> Iterator[None]:
    asyncio.run(operations.start(trying, ACTOR, BOTH))
    yield
    asyncio.run(operations.stop(trying, ACTOR))


def test_beginning_and_ending_are_recorded(trying: Settings) -> None:
    async def run() -> list[tuple[str, str, Any, Any]]:
        planned = await operations.start(trying, ACTOR, BOTH, dry_run=True)
        assert "interleave" in planned
        assert operations.current(trying) is None
        await operations.start(trying, ACTOR, BOTH)
        assert operations.current(trying) == BOTH
        with pytest.raises(ExperimentError, match="both runs"):
            await operations.start(trying, ACTOR, dataclasses.replace(BOTH, name="other"))
        began = await analysis.begun_at(trying, "both")
        assert began is not None
        assert datetime.now(UTC) - began < timedelta(minutes=1)
        assert (await operations.stop(trying, ACTOR)).name == "both"
        with pytest.raises(ExperimentError, match="nothing to end"):
            await operations.stop(trying, ACTOR)
        async with open_pool(trying.database_url, application="disco tests") as primary:
            history = await OperationLog(primary, ACTOR).history(area="experiment", limit=2)
        return [(one.action, one.subject, one.before, one.after) for one in history]

    (stopped, started) = asyncio.run(run())
    assert stopped[:2] == ("experiment.stop", "both")
    assert started[:2] == ("experiment.start", "both")
    assert started[3]["interleave"] == ["live", "subtitles"]
    assert stopped[2] == started[3]


def test_without_a_file_nothing_can_begin(logging_settings: Settings) -> None:
    with pytest.raises(ExperimentError, match="DISCO_EXPERIMENTS"):
        operations.current(logging_settings)


@pytest.mark.usefixtures("_begun", "_stored")
def test_two_variants_answer_in_one_list_and_clicks_say_whose(
    trying: Settings, fetch: Fetch
) -> None:
    with served(trying) as at, httpx.Client(base_url=at, timeout=PATIENCE) as api:
        session = {"Disco-Session": "s1"}
        params: dict[str, str | int] = {"q": "ana lovelace", "type": "sound", "limit": 2}
        pages = [api.get("/v1/search", params=params, headers=session).json()]
        while pages[-1]["next"]:
            params["cursor"] = pages[-1]["next"]
            pages.append(api.get("/v1/search", params=params, headers=session).json())
        first = pages[0]
        assert (first["variant"], first["experiment"]) == ("live+subtitles", "both")
        assert set(first["generations"]) == {"sound"}
        assert len({page["query_id"] for page in pages}) == 1
        hits = [hit["id"] for page in pages for hit in page["hits"]]
        assert sorted(hits) == ["1", "2", "3", "4", "5"], "no hit is repeated or skipped"
        # Who is in no session is in no experiment.
        alone = api.get("/v1/search", params={"q": "rain", "type": "sound"}).json()
        assert (alone["variant"], alone["experiment"]) == ("live", None)
        # What finds nothing tells nothing of either: it is widened by live.
        lost = {"q": "ana lovelaec", "type": "sound"}
        widened = api.get("/v1/search", params=lost, headers=session).json()
        assert (widened["variant"], widened["experiment"]) == ("live", None)
        assert (widened["relaxed"], widened["total"]["value"]) == ("respelled", 5)
        (logged,) = fetch(SEARCH, widened["query_id"], rows=1)
        assert (logged["total"], len(logged["hit_ids"])) == (0, 5), "as typed, it found nothing"
        rows = fetch(SEARCH, first["query_id"], rows=3)
        teams = dict(
            zip(
                [hit for row in rows for hit in row["hit_ids"]],
                [team for row in rows for team in row["teams"]],
                strict=True,
            )
        )
        assert set(teams.values()) == {"first", "second"}
        clicked = next(hit for hit, team in teams.items() if team == "second")
        position = hits.index(clicked) + 1
        tell(api, event(first, entity_id=clicked, position=position))
        fetch("SELECT 1 FROM disco.interactions WHERE query_id = $1", first["query_id"], rows=1)
    design = Design(name="both", unit="session", interleaved=("live", "subtitles"))
    since = datetime.now(UTC) - timedelta(minutes=10)
    standing = asyncio.run(analysis.standing(trying, design, since, "click_through"))
    (one,) = standing.comparisons
    assert (one.units, one.first_value, one.second_value) == (1, 0, 1)
    assert (one.test, one.better) == (None, None)
