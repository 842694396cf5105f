from typing import Any

import pytest

from query_api import engine_search
from query_api.answers import SearchAnswer, hit_answer, search_answer
from query_api.cursors import Cursor
from query_api.problems import Code, QueryError
from query_api.profiles import Profiles

COUNTED = {"tag": [{"value": "rain", "count": 3}]}
BEGIN = Cursor(
    fingerprint="f",
    query_id="q1",
    position=0,
    variant="wide",
    experiment="names",
    indices={"sound": "disco-sound-1"},
    after=(),
)


def engine_hit(**changes: Any) -> dict[str, Any]:
    source = {
        "type": "sound",
        "title": "Rain & Thunder",
        "artist": "Ana",
        "permalink": "/ana/rain",
        "tags": ["rain"],
        "secret": "never returned",
    }
    hit = {"_id": "42", "_score": 1.5, "_source": source, "sort": [1.5, "sound", 42]}
    return hit | changes


def test_a_hit_has_the_names_of_the_api_whatever_its_fields_are_called(profiles: Profiles) -> None:
    assert hit_answer(engine_hit(), profiles) == {
        "type": "sound",
        "id": "42",
        "title": "Rain & Thunder",
        "subtitle": "Ana",
        "permalink": "/ana/rain",
        "score": 1.5,
        "highlight": {},
        "fields": {
            "tags": ["rain"],
            "duration_ms": None,
            "user_id": None,
            "created_at": None,
        },
    }


def test_only_fields_of_the_profile_are_returned(profiles: Profiles) -> None:
    assert "never returned" not in str(hit_answer(engine_hit(), profiles))


def test_highlights_are_named_like_the_hit_and_joined(profiles: Profiles) -> None:
    highlight = {
        "artist": ["<em>Ana</em>"],
        "tags": ["<em>rain</em>", "<em>rain</em>y"],
        "title": ["<em>Rain</em> <em></em>&amp; Thunder"],
    }
    answer = hit_answer(engine_hit(highlight=highlight), profiles)
    assert answer["highlight"] == {
        "title": "<em>Rain</em> &amp; Thunder",
        "subtitle": "<em>Ana</em>",
        "tags": "<em>rain</em> … <em>rain</em>y",
    }


def test_a_highlight_that_marks_nothing_is_left_out(profiles: Profiles) -> None:
    highlight = {"title": ["Rain <em></em>&amp; Thunder"]}
    assert hit_answer(engine_hit(highlight=highlight), profiles)["highlight"] == {}


def test_a_hit_that_nothing_ranks_scores_zero(profiles: Profiles) -> None:
    assert hit_answer(engine_hit(_score=None), profiles)["score"] == 0.0


def test_an_answer_fits_its_schema(profiles: Profiles) -> None:
    response = {
        "took": 4,
        "timed_out": False,
        "hits": {"total": {"value": 10_000, "relation": "gte"}, "hits": [engine_hit()]},
    }
    answer = search_answer(response, profiles, made_by=BEGIN, next_cursor="c", counted=COUNTED)
    checked = SearchAnswer.model_validate(answer)
    assert (checked.query_id, checked.variant, checked.experiment) == ("q1", "wide", "names")
    assert checked.generations == {"sound": "disco-sound-1"}
    assert checked.total.relation == "gte"
    assert [one.count for one in checked.facets["tag"]] == [3]
    assert (checked.suggestion, checked.relaxed) == (None, None)
    assert checked.next == "c"


def test_the_engine_leaves_out_the_list_of_no_hits(profiles: Profiles) -> None:
    response = {"took": 1, "timed_out": False, "hits": {"total": {"value": 0, "relation": "eq"}}}
    assert (
        search_answer(response, profiles, made_by=BEGIN, next_cursor=None, counted={})["hits"] == []
    )


def test_an_explained_hit_fits_its_schema(profiles: Profiles) -> None:
    scores = {"sound words title": 2.5, "sound exact title.exact": 8.0}
    response = {
        "took": 1,
        "timed_out": False,
        "hits": {
            "total": {"value": 1, "relation": "eq"},
            "hits": [engine_hit(matched_queries=scores)],
        },
    }
    answer = search_answer(
        response, profiles, made_by=BEGIN, next_cursor=None, counted={}, explain=True
    )
    (hit,) = SearchAnswer.model_validate(answer).hits
    assert [(one.signal, one.match, one.field, one.value) for one in hit.explanation or ()] == [
        ("text", "exact", "title.exact", 8.0),
        ("text", "words", "title", 2.5),
        ("type", None, None, 1.0),
    ]


@pytest.mark.parametrize("lack", [{"timed_out": True}, {"_shards": {"failed": 1}}])
def test_a_partial_answer_says_so(profiles: Profiles, lack: dict[str, Any]) -> None:
    total = {"value": 7, "relation": "eq"}
    complete = {"took": 1, "timed_out": False, "hits": {"total": total, "hits": [engine_hit()]}}
    for response, partial in ((complete, False), (complete | lack, True)):
        answer = search_answer(response, profiles, made_by=BEGIN, next_cursor=None, counted={})
        assert answer["partial"] is partial
        assert answer["total"] == {"value": 7, "relation": "gte" if partial else "eq"}
        assert engine_search.answerable(response) == response
    empty = complete | lack | {"hits": {"total": total}}
    with pytest.raises(QueryError) as caught:
        engine_search.answerable(empty)
    assert caught.value.code is Code.DEADLINE_EXCEEDED
