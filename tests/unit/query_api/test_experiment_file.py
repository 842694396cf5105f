"""An experiment is written into the file of variants and taken out of it; the rest stays."""

from pathlib import Path

import pytest

from core import definitions
from core.settings import Settings
from query_api.experiment_file import ExperimentFile
from query_api.variants import Audience, Experiment, TrialsError

VARIANTS = """# what we try
[variants.wide]
rank = "b"   # the other slot
"""
SHADOW = '[shadow]\nvariant = "wide"\nshare = 0.5\n'
SHARES = Experiment(name="wide-1", unit="session", shares={"wide": 0.25})
BOTH = Experiment(name="both", unit="user", interleave=("live", "wide"), share=0.5)


@pytest.fixture
def file(tmp_path: Path) -> ExperimentFile:
    path = tmp_path / "experiments.toml"
    path.write_text(VARIANTS + SHADOW)
    return ExperimentFile(path, definitions.load(Settings().definitions_path))


@pytest.mark.parametrize("experiment", [SHARES, BOTH])
def test_what_is_written_is_read(file: ExperimentFile, experiment: Experiment) -> None:
    file.write(file.with_experiment(experiment))
    assert file.read().experiment == experiment
    assert file.path.read_text().startswith(VARIANTS + SHADOW.rstrip())
    file.write(file.with_experiment(None))
    assert file.read().experiment is None
    assert file.path.read_text().split() == (VARIANTS + SHADOW).split()
    assert [path.name for path in file.path.parent.iterdir()] == [file.path.name]


def test_an_experiment_with_tables_of_its_own_is_taken_out_whole(file: ExperimentFile) -> None:
    own = '[experiment]\nname = "x"\n[experiment.shares]\nwide = 0.5\n'
    file.write(VARIANTS + own + SHADOW)
    assert file.read().experiment is not None
    file.write(file.with_experiment(None))
    assert file.path.read_text() == VARIANTS + SHADOW


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        (Experiment(name="x", unit="user", shares={"narrow": 0.5}), "no variant 'narrow'"),
        (Experiment(name="x", unit="user", shares={"wide": 1.5}), "less than or equal to 1"),
        (Experiment(name="x", unit="user"), "either shares"),
        (Experiment(name="X!", unit="user", shares={"wide": 0.5}), "experiment.name"),
        (Experiment(name="x", unit="user", interleave=("wide", "wide")), "two different"),
        (Experiment(name="x", unit="user", interleave=("live", "narrow")), "no variant 'narrow'"),
    ],
)
def test_what_the_file_cannot_have_changes_nothing(
    file: ExperimentFile, experiment: Experiment, message: str
) -> None:
    with pytest.raises(TrialsError, match=message) as refused:
        file.with_experiment(experiment)
    assert str(file.path) in str(refused.value)
    assert file.path.read_text() == VARIANTS + SHADOW


def test_people_keep_their_place_in_an_interleaved_experiment() -> None:
    people = [Audience(user=str(number)) for number in range(2_000)]
    inside = [one for one in people if BOTH.interleaved_for(one)]
    assert abs(len(inside) - 1_000) < 120
    assert [one for one in people if BOTH.interleaved_for(one)] == inside
    assert BOTH.interleaved_for(Audience(session="s")) is None
    assert BOTH.variant_for(people[0]) is None
    assert SHARES.interleaved_for(Audience(session="s")) is None
