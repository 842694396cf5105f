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
            "filters": {
                "verified": {"field": "verified", "kind": "flag", "facet": {}},
                "created": {"field": "created_at", "kind": "date", "facet": {}},
            },
            "sorts": {"newest": {"field": "created_at", "order": "descending"}},
            "fields": ["city", "verified", "created_at"],
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
            "filters": {
                "user": {"field": "user_id", "kind": "id"},
                "tag": {"field": "tags.value", "kind": "value", "facet": {"most": 5}},
                "duration": {
                    "field": "duration_ms",
                    "kind": "number",
                    "unit": "milliseconds",
                    "facet": {"edges": [60000, 600000]},
                },
                "created": {"field": "created_at", "kind": "date", "facet": {}},
            },
            "sorts": {
                "newest": {"field": "created_at", "order": "descending"},
                "popular": {"field": "rank", "order": "descending"},
            },
            "fields": ["tags", "duration_ms", "user_id", "created_at"],
        }
    )
    note = SearchProfile.model_validate(
        {"match": {"words": {"title": 1}}, "operator": "any", "weight": 0.5}
    )
    return {"user": user, "sound": sound, "note": note}
