"""What the judged queries bring, by the definitions as they are and by some that are worse."""

import asyncio
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from core import definitions
from core.settings import Settings
from evaluation.judgment_operations import Judged, read_set_file
from query_api.operations import Rankings, rank_offline
from tests.relevance import catalogue

FOLDER = Path(__file__).parent
JUDGMENTS = FOLDER / "judgments.csv"
LIVE = "live"
WORSE = "worse"  # a variant for which a title is no more than any other field
DEPTH = 10  # hits of a query: as deep as the measures look


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The set, and what each variant answers to its queries."""

    settings: Settings  # of the place that the catalogue is in
    judged: Judged
    rankings: Mapping[str, Rankings]  # by variant


@pytest.fixture(scope="session")
def judged() -> Judged:
    return read_set_file(str(JUDGMENTS))


@pytest.fixture(scope="module")
def indexed(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("relevance")
    own = asyncio.run(catalogue.make(settings, folder / "ranks"))
    return dataclasses.replace(own, experiments=str(_experiments(folder)))


@pytest.fixture(scope="module")
def asked(indexed: Settings, judged: Judged) -> Asked:
    found = asyncio.run(rank_offline(indexed, [LIVE, WORSE], judged.texts, depth=DEPTH))
    return Asked(settings=indexed, judged=judged, rankings=found)


def _experiments(folder: Path) -> Path:
    """The file that has the worse variant."""
    (folder / WORSE).mkdir()
    for entity, definition in definitions.load(FOLDER.parents[1] / "index_definitions").items():
        words = dict.fromkeys(definition.profile["match"]["words"], 1)
        worse = {**definition.profile, "match": {"words": words}}
        (folder / WORSE / f"{entity}.search.json").write_bytes(orjson.dumps(worse))
    file = folder / "experiments.toml"
    file.write_text(f'[variants.{WORSE}]\nprofiles = "{WORSE}"\n')
    return file
