"""The board: what is wrong is said on it, what is missing has its reason."""

import dataclasses
from datetime import UTC, datetime

import pytest

from core import definitions
from core.settings import Settings
from evaluation.experiment_operations import Comparison, Design, Standing
from evaluation.experiments.sequential import Sequential
from evaluation.online_operations import OnlineFigures
from query_api import variants
from query_api.dashboard import readings
from query_api.dashboard.history import History
from query_api.dashboard.outcomes import Clicks
from query_api.dashboard.panels import Board, board
from query_api.dashboard.sampler import Sample
from query_api.dashboard.services import Found, Index, Queue, Ranks
from query_api.dashboard.tiles import Tile
from query_api.variants import Experiment, Trials

CLOCK = 1_800_000_000.0
QUEUES = {
    "indexer.urgent": Queue(waiting=0, consumers=1),
    "interactions": Queue(waiting=0, consumers=2),
    "indexer.interactive": Queue(waiting=3, consumers=1),
    "indexer.batch": Queue(waiting=0, consumers=1),
    "indexer.dead-letters": Queue(waiting=0, consumers=0),
}
INDEX = Index(
    entity="sound",
    name="disco-sound-1",
    state="catching_up",
    documents=20_000,
    bytes=5_000_000,
    created_at=datetime.fromtimestamp(CLOCK - 7200, tz=UTC),
)
RANKS = Ranks(
    live="20260524T120000000000-aaaaaaaa",
    newest="20260525T120000000000-bbbbbbbb",
    moment=datetime.fromtimestamp(CLOCK - 86_400, tz=UTC),
    iterations=3,
    residuals=[1e-1, 1e-3, 1e-5],
    error_bound=3e-6,
)

FIGURES = OnlineFigures(
    variant="live",
    type=None,
    hour=None,
    searches=1200,
    no_result_rate=0.1,
    click_through=0.42,
    abandonment=0.5,
    mean_clicked_position=2.0,
    mean_reciprocal_clicked_rank=0.31,
    seconds_to_first_click=3.4,
    corrected_click_through=None,
)
COMPARED = Comparison(
    first="live",
    second="wide",
    units=900,
    first_value=0.31,
    second_value=0.36,
    test=Sequential(difference=0.05, low=0.01, high=0.09, p=0.01),
    better="wide",
)
CLICKS = Clicks(
    variants=[FIGURES],
    hours=[
        dataclasses.replace(FIGURES, hour=datetime.fromtimestamp(CLOCK - 3600 * past, tz=UTC))
        for past in (2, 1, 0)
    ],
    standing=Standing(
        design=Design(name="wide-2026", unit="user", shares={"live": 0.5, "wide": 0.5}),
        measure="reciprocal_rank",
        ratio=None,
        comparisons=[COMPARED],
    ),
)


@pytest.fixture(scope="module")
def trials() -> Trials:
    return variants.only_live(definitions.load(Settings().definitions_path))


def shown(
    trials: Trials,
    figures: dict[str, float] | None = None,
    *,
    queues: dict[str, Queue] | None = None,
    ranks: Ranks | None = RANKS,
) -> Board:
    found = Found(
        queues=readings.Reading(value=QUEUES if queues is None else queues),
        indices=readings.Reading(value=[INDEX]),
        ranks=readings.Reading(value=ranks),
    )
    sample = Sample(
        at=100.0,
        clock=CLOCK,
        figures=figures or {},
        processes=[],
        found=found,
        clicks=readings.Reading(value=CLICKS),
        judged=readings.Reading(value=[]),
    )
    return board(sample, History(), trials)


def tile(of: Board, name: str) -> Tile:
    return next(one for one in of.tiles if one.name == name)


@pytest.mark.parametrize(
    ("name", "figures", "alarm"),
    [
        ("Failed searches", {"failed": 0.011}, "above 1.0 %"),
        ("Failed searches", {"failed": 0.01}, ""),
        ("Freshness", {"workers": 1.0, "lag_p99": 1.2}, "above 1.00 s"),
        ("Freshness", {"workers": 1.0, "lag_p99": 0.4}, ""),
    ],
)
def test_what_is_too_much_is_said(
    trials: Trials, name: str, figures: dict[str, float], alarm: str
) -> None:
    assert tile(shown(trials, figures), name).alarm == alarm


def test_queues_without_consumers_and_dead_letters_are_said(trials: Trials) -> None:
    lonely = {name: Queue(waiting=2, consumers=0) for name in QUEUES}
    found = shown(trials, queues=lonely)
    assert tile(found, "Changes that wait").alarm == "nobody consumes"
    assert "dead-letters" in tile(found, "Dead letters").alarm
    quiet = shown(trials)
    assert tile(quiet, "Changes that wait").value == "3"
    assert not any(one.alarm for one in quiet.tiles)


def test_a_queue_that_is_not_declared_has_its_remedy(trials: Trials) -> None:
    missing = tile(shown(trials, queues={}), "Changes that wait").missing
    assert "indexer.interactive" in missing
    assert "start a worker" in missing


def test_what_no_process_tells_names_the_setting(trials: Trials) -> None:
    for name in ("Freshness", "Suggest latency"):
        assert "DISCO_DASHBOARD_METRICS" in tile(shown(trials), name).missing


def test_an_edition_that_is_not_published_is_named(trials: Trials) -> None:
    panel = shown(trials).ranks.value
    assert panel is not None
    assert (panel.live, panel.newer) == (RANKS.live, RANKS.newest)
    assert (panel.age, panel.error) == ("1 d", "3.0e-06")
    assert "disco rank run" in shown(trials, ranks=None).ranks.missing


def test_indices_are_told_in_words(trials: Trials) -> None:
    (row,) = shown(trials).indices.value or ()
    assert (row.state, row.documents, row.size, row.age) == (
        *("catching up", "20,000", "5.0 MB", "2 h"),
    )


def test_every_variant_has_its_row(trials: Trials) -> None:
    (live,) = shown(trials, {"searches live": 2.5, "nothing live": 0.1}).variants
    assert (live.name, live.part, live.searches, live.nothing) == (
        *("live", "all searches", "2.50", "10.0 %"),
    )


def test_what_people_did_has_its_row_and_its_day(trials: Trials) -> None:
    (row,) = shown(trials).clicks.value or ()
    assert (row.variant, row.searches, row.clicked, row.abandoned) == (
        *("live", "1,200", "42.0 %", "50.0 %"),
    )
    assert (row.reciprocal_rank, row.time_to_click, row.corrected) == ("0.31", "3.40 s", "–")
    assert "last 6 hours: at most 42.0 %" in row.line


def test_an_experiment_that_runs_says_how_it_stands(trials: Trials) -> None:
    running = Experiment(name="wide-2026", unit="user", shares={"wide": 0.5})
    found = shown(dataclasses.replace(trials, experiment=running))
    assert list(found.trial) == [
        "Experiment wide-2026 is running, by reciprocal rank.",
        "wide beside live: 900 users, 0.31 became 0.36: wide is better.",
    ]
    other = dataclasses.replace(running, name="other")
    assert shown(dataclasses.replace(trials, experiment=other)).trial == [
        "Experiment other is running."
    ]
    assert not shown(trials).trial
