"""Profiles that the query API's unit tests search with; fixed, so that tuning breaks no test."""

import pytest

from query_api.profiles import Profiles, SearchProfile


@pytest.fixture
def profiles() -> Profiles:
    user = SearchProfile.model_validate(
        {
            "match": {
                "exact": {"title.exact": 12},
                "phrase": {"title": 4},
                "words": {"title": 4, "city": 1.5},
                "prefix": {"title.prefix": 2},
            },
            "highlight": ["title", "city"],
            "fields": ["city", "verified"],
            "weight": 1.2,
        }
    )
    sound = SearchProfile.model_validate(
        {
            "subtitle": "artist",
            "match": {
                "exact": {"title.exact": 8, "artist.exact": 3},
                "phrase": {"title": 4, "artist": 2},
                "words": {"title": 4, "artist": 3, "tags": 2},
                "prefix": {"title.prefix": 2, "artist.prefix": 1.5},
            },
            "highlight": ["title", "artist", "tags"],
            "filters": {"user": {"field": "user_id", "kind": "value"}},
            "fields": ["tags", "duration_ms"],
        }
    )
    note = SearchProfile.model_validate(
        {"match": {"words": {"title": 1}}, "operator": "any", "weight": 0.5}
    )
    return {"user": user, "sound": sound, "note": note}
