"""How a plan has ranks count."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from core import definitions
from query_api import planner, profiles
from query_api.parameters import SearchRequest
from query_api.profiles import SearchProfile

OWN = Path(__file__).resolve().parents[3] / "index_definitions"
MATCH = {"match": {"words": {"title": 1}}}


def query(profile: SearchProfile, text: str = "rain") -> str:
    asked = SearchRequest(text=text, entities=("sound",), limit=5)
    made = planner.plan(asked, {"sound": profile}, indices={"sound": "disco-sound-1"}, deadline=1.0)
    return json.dumps(made.body["query"])


def test_a_profile_without_rank_has_no_script() -> None:
    assert "script" not in query(SearchProfile.model_validate(MATCH))


def test_the_rank_is_that_of_the_live_slot_unless_the_profile_names_one() -> None:
    rank = {"weight": 0.5, "pivot": 16}
    live = query(SearchProfile.model_validate({**MATCH, "rank": rank}))
    named = query(SearchProfile.model_validate({**MATCH, "rank": {**rank, "field": "rank_b"}}))
    assert '"params": {"field": "rank", "weight": 0.5, "pivot": 16.0}' in live
    assert named == live.replace('"field": "rank"', '"field": "rank_b"')


def test_the_script_is_one_for_all_searches() -> None:
    profile = SearchProfile.model_validate({**MATCH, "rank": {"weight": 2, "pivot": 3}})
    other = SearchProfile.model_validate({**MATCH, "rank": {"weight": 5, "pivot": 7}})
    sources = {
        json.loads(query(one, text))["bool"]["must"][0]["function_score"]["functions"][0][
            "script_score"
        ]["script"]["source"]
        for one in (profile, other)
        for text in ("rain", "sun")
    }
    assert len(sources) == 1


@pytest.mark.parametrize(
    "rank",
    [{"weight": 0, "pivot": 1}, {"weight": 1, "pivot": 0}, {"weight": 1},
     {"weight": 1, "pivot": 1, "field": "digest"}],
)  # fmt: skip
def test_a_rank_that_makes_no_sense_is_refused(rank: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SearchProfile.model_validate({**MATCH, "rank": rank})


def test_our_own_profiles_use_it() -> None:
    own = profiles.read(definitions.load(OWN))
    assert all(profile.rank is not None for profile in own.values())
    assert all(one.ranked for one in definitions.load(OWN).values())
