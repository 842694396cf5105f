"""Variants: who gets which, and what is wrong with a file of them."""

import json
from collections import Counter
from pathlib import Path

import pytest

from core.definitions import Definition, DefinitionError, load
from core.settings import Settings
from query_api import variants
from query_api.trials import FollowedTrials
from query_api.variants import Audience, Experiment, TrialsError

USERS = [Audience(user=str(number), session=f"s{number}") for number in range(20_000)]


@pytest.fixture(scope="module")
def definitions() -> dict[str, Definition]:
    return load(Settings().definitions_path)


def shares(experiment: Experiment) -> dict[str | None, float]:
    counted = Counter(experiment.variant_for(one) for one in USERS)
    return {name: count / len(USERS) for name, count in counted.items()}


def test_everybody_keeps_his_variant() -> None:
    experiment = Experiment(name="names", unit="user", shares={"a": 0.3, "b": 0.3})
    first = [experiment.variant_for(one) for one in USERS[:500]]
    assert first == [experiment.variant_for(one) for one in USERS[:500]]
    moved = [Audience(user=one.user, session="another") for one in USERS[:500]]
    assert first == [experiment.variant_for(one) for one in moved]


def test_shares_are_what_the_file_says() -> None:
    found = shares(Experiment(name="names", unit="session", shares={"a": 0.1, "b": 0.25}))
    assert found["a"] == pytest.approx(0.1, abs=0.01)
    assert found["b"] == pytest.approx(0.25, abs=0.01)
    assert found["live"] == pytest.approx(0.65, abs=0.015)


def test_a_share_that_grows_keeps_its_people() -> None:
    small = Experiment(name="names", unit="user", shares={"a": 0.1})
    large = Experiment(name="names", unit="user", shares={"a": 0.5})
    had_it = [one for one in USERS if small.variant_for(one) == "a"]
    assert had_it
    assert all(large.variant_for(one) == "a" for one in had_it)


def test_another_experiment_draws_other_people() -> None:
    one = Experiment(name="one", unit="user", shares={"a": 0.5})
    other = Experiment(name="other", unit="user", shares={"a": 0.5})
    both = sum(one.variant_for(who) == other.variant_for(who) == "a" for who in USERS)
    assert both / len(USERS) == pytest.approx(0.25, abs=0.02)


def test_who_cannot_be_told_apart_is_in_no_experiment() -> None:
    experiment = Experiment(name="names", unit="user", shares={"a": 1.0})
    assert experiment.variant_for(Audience(session="s")) is None


@pytest.fixture
def folder(tmp_path: Path, definitions: dict[str, Definition]) -> Path:
    """A folder with a changed profile of sounds."""
    changed = dict(definitions["sound"].profile) | {"weight": 3.0}
    (tmp_path / "wide").mkdir()
    (tmp_path / "wide" / "sound.search.json").write_text(json.dumps(changed))
    return tmp_path


GOOD = """
[variants.wide]
profiles = "wide"
[variants.next]
generations = {sound = "ready"}
[experiment]
name = "names-1"
unit = "session"
shares = {wide = 0.25}
[shadow]
variant = "next"
share = 0.5
"""


def test_a_file_says_what_is_tried(folder: Path, definitions: dict[str, Definition]) -> None:
    (folder / "experiments.toml").write_text(GOOD)
    read = variants.read(folder / "experiments.toml", definitions)
    assert list(read.variants) == ["live", "wide", "next"]
    wide, live = read.variants["wide"], read.live
    assert wide.profiles["sound"].weight == 3.0
    assert wide.profiles["user"] == live.profiles["user"]
    assert read.variants["next"].generations == {"sound": "ready"}
    assert read.experiment == Experiment(name="names-1", unit="session", shares={"wide": 0.25})
    assert read.shadow is not None
    assert (read.shadow.variant, read.shadow.share) == ("next", 0.5)


def test_a_variant_may_have_ranks_of_another_edition(
    tmp_path: Path, definitions: dict[str, Definition]
) -> None:
    file = tmp_path / "experiments.toml"
    file.write_text('[variants.ranks]\nrank = "b"')
    read = variants.read(file, definitions)
    fields = {
        name: {profile.rank.field for profile in one.profiles.values() if profile.rank}
        for name, one in read.variants.items()
    }
    assert fields == {"live": {"rank"}, "ranks": {"rank_b"}}
    live, other = read.live.profiles["sound"], read.variants["ranks"].profiles["sound"]
    assert live.digest != other.digest, "their pages would be taken for those of one search"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("variants = 3", "variants"),
        ("[variants.live]", "rename it"),
        ("[variants.Wide]\n", "Wide"),
        ('[variants.a]\nprofiles = "nowhere"', "holds no"),
        ('[variants.a]\ngenerations = {song = "ready"}', "no entity type 'song'"),
        ('[variants.a]\nrank = "c"', "rank"),
        ("[variants.a]\nweight = 2", "weight"),
        ('[shadow]\nvariant = "a"\nshare = 0.1', "there is no variant 'a'"),
        ('[variants.a]\n[shadow]\nvariant = "a"\nshare = 1.5', "share"),
        ('[variants.a]\n[experiment]\nname = "x"\nshares = {a = 0.6, b = 0.6}', "variant 'b'"),
        (
            '[variants.a]\n[variants.b]\n[experiment]\nname="x"\nshares = {a = 0.6, b = 0.6}',
            "more than 1",
        ),
        ("[variants.a", "not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    tmp_path: Path, definitions: dict[str, Definition], text: str, words: str
) -> None:
    file = tmp_path / "experiments.toml"
    file.write_text(text)
    with pytest.raises(TrialsError, match=words) as caught:
        variants.read(file, definitions)
    assert str(tmp_path) in str(caught.value)


def test_a_profile_that_does_not_fit_its_mapping_is_refused(
    folder: Path, definitions: dict[str, Definition]
) -> None:
    (folder / "wide" / "sound.search.json").write_text('{"match": {"words": {"no_such_field": 1}}}')
    (folder / "experiments.toml").write_text(GOOD)
    with pytest.raises(DefinitionError, match="no_such_field"):
        variants.read(folder / "experiments.toml", definitions)


def test_a_file_is_followed_and_a_bad_one_changes_nothing(
    folder: Path, definitions: dict[str, Definition], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("query_api.trials._LOOK_EVERY", 0.0)
    file = folder / "experiments.toml"
    file.write_text(GOOD)
    trials = FollowedTrials(file, definitions)
    assert trials.current().shadow is not None
    file.write_text(GOOD.partition("[shadow]")[0])
    assert trials.current().shadow is None
    file.write_text("[variants.live]")
    assert list(trials.current().variants) == ["live", "wide", "next"]
    file.unlink()
    assert trials.current().experiment is not None
    file.write_text(GOOD)
    assert trials.current().shadow is not None


def test_without_a_file_there_is_the_live_variant(definitions: dict[str, Definition]) -> None:
    trials = FollowedTrials(None, definitions).current()
    assert list(trials.variants) == ["live"]
    assert trials.experiment is None
    assert trials.shadow is None
