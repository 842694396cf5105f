"""The plan of Explore, without an engine."""

import json
from typing import Any

import pytest

from query_api import explore_plan
from query_api.explore_parameters import ExploreRequest, explore_request
from query_api.planner import Plan
from query_api.profiles import Profiles, SearchProfile

AS_OF = 1_772_366_400_000
INDICES = {"sound": "sound-1", "user": "user-1", "note": "note-1"}
EXPLORE: dict[str, Any] = {
    "active": "active_at",
    "heat": {"24h": "heat_day", "7d": "heat_week", "30d": "heat_month"},
    "newness": {"field": "created_at", "half_life": "30d", "weight": 2},
    "rank": {"weight": 1, "pivot": 16},
}


def profile(**explore: Any) -> SearchProfile:
    content = {"match": {"words": {"title": 1}}, "explore": EXPLORE | explore}
    return SearchProfile.model_validate(content)


PROFILES: Profiles = {
    "user": profile(),
    "sound": profile(genre="genre.value", owner="user_id", most=2),
    "note": SearchProfile.model_validate({"match": {"words": {"title": 1}}}),
}


def request(**given: str) -> ExploreRequest:
    return explore_request(given, tuple(explore_plan.explored(PROFILES)))


def planned(asked: ExploreRequest) -> Plan:
    return explore_plan.plan_candidates(asked, PROFILES, indices=INDICES, as_of=AS_OF, deadline=2)


def test_only_types_whose_profile_says_so_are_asked() -> None:
    assert planned(request()).indices == ("user-1", "sound-1")
    assert planned(request(type="sound")).indices == ("sound-1",)


@pytest.mark.parametrize(
    ("window", "field", "hours"),
    [("24h", "heat_day", 24), ("7d", "heat_week", 168), ("30d", "heat_month", 720)],
)
def test_a_window_has_its_heat_and_its_beginning(window: str, field: str, hours: int) -> None:
    text = json.dumps(planned(request(window=window, type="user")).body)
    assert f'"field": "{field}"' in text
    assert f'"gte": {AS_OF - hours * 3_600_000}' in text
    assert "script" not in text


def test_a_genre_narrows_after_genres_are_counted() -> None:
    body = planned(request(genre="Dub")).body
    assert body["aggs"]["genres0"]["terms"]["field"] == "genre.value"
    assert "Dub" in json.dumps(body["post_filter"])
    assert "Dub" not in json.dumps(body["query"])
    assert "post_filter" not in planned(request()).body


def test_an_owner_is_told_by_the_sort_values() -> None:
    assert planned(request()).body["sort"][3:] == [
        {"user_id": {"order": "asc", "unmapped_type": "long"}}
    ]
    assert explore_plan.owner_of([4000.5, "sound", 7, 42], PROFILES) == ("sound", 42)
    assert explore_plan.owner_of([4000.5, "user", 42, 0], PROFILES) is None


def test_genres_are_added_up_and_the_commonest_come_first() -> None:
    found = {
        "aggregations": {
            "genres0": {
                "buckets": [{"key": "Dub", "doc_count": 2}, {"key": "Zouk", "doc_count": 3}]
            },
            "genres1": {"buckets": [{"key": "Dub", "doc_count": 2}]},
        }
    }
    assert explore_plan.genres_of(found) == [
        {"value": "Dub", "count": 4},
        {"value": "Zouk", "count": 3},
    ]
    assert explore_plan.genres_of({}) == []


def test_content_is_asked_for_by_type_and_id() -> None:
    keys = [("sound", "7"), ("user", "7"), ("sound", "8")]
    plan = explore_plan.plan_page(keys, PROFILES, indices=INDICES, deadline=2)
    assert plan.indices == ("sound-1", "user-1")
    assert plan.body["size"] == 3
    assert json.dumps(plan.body).count('"_index"') == 2


def test_lists_that_differ_have_other_fingerprints() -> None:
    asked = [request(), request(window="24h"), request(genre="Dub"), request(type="user")]
    assert len({explore_plan.fingerprint(one, PROFILES) for one in asked}) == 4
    assert explore_plan.fingerprint(request(limit="5"), PROFILES) == explore_plan.fingerprint(
        request(), PROFILES
    )
