from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api import parameters, wording
from query_api.filters import Condition
from query_api.parameters import SearchRequest, read_search
from query_api.problems import Code, QueryError
from query_api.profiles import SearchProfile


def profile(**parts: Any) -> SearchProfile:
    return SearchProfile.model_validate({"match": {"words": {"title": 1}}} | parts)


NEWEST = {"newest": {"field": "created_at", "order": "descending"}}
LONGEST = {"longest": {"field": "duration_ms", "order": "descending"}}
CREATED = {"created": {"field": "created_at", "kind": "date"}}
GENRE = {"genre": {"field": "genre.value", "kind": "value", "facet": {}}}
VERIFIED = {"verified": {"field": "verified", "kind": "flag", "facet": {}}}
ENTITIES = {
    "user": profile(filters=CREATED | VERIFIED, sorts=NEWEST),
    "sound": profile(filters=CREATED | GENRE, sorts=NEWEST | LONGEST),
    "set": profile(filters=CREATED, sorts=NEWEST),
}
ALL = tuple(ENTITIES)


def refused(query_string: bytes) -> QueryError:
    with pytest.raises(QueryError) as caught:
        read_search(query_string, ENTITIES)
    return caught.value


def test_nothing_given_is_everything_with_defaults() -> None:
    assert read_search(b"", ENTITIES) == SearchRequest(text="", entities=ALL, limit=20)


def test_all_given() -> None:
    asked = read_search(b"q=drum+%26+bass&type=set,sound&limit=5&cursor=abc", ENTITIES)
    assert asked == SearchRequest(
        text="drum & bass", entities=("sound", "set"), limit=5, cursor="abc"
    )


def test_the_order_and_repetition_of_types_mean_nothing() -> None:
    expected = read_search(b"type=user,sound", ENTITIES)
    assert read_search(b"type=sound,user,sound", ENTITIES) == expected
    assert read_search(b"type=+sound+,%20user,", ENTITIES) == expected


def test_blank_parameters_count_as_not_given() -> None:
    assert read_search(
        b"q=&type=&sort=&facets=&limit=&cursor=&filter.genre=", ENTITIES
    ) == read_search(b"", ENTITIES)


@pytest.mark.parametrize(
    ("given_name", "nearest"),
    [("typ", "type"), ("Q", "q"), ("curser", "cursor"), ("limits", "limit"), ("query", "q")],
)
def test_an_unknown_parameter_is_refused_with_the_nearest_name(
    given_name: str, nearest: str
) -> None:
    error = refused(f"q=rain&{given_name}=1".encode())
    assert error.code is Code.UNKNOWN_PARAMETER
    assert error.parameter == given_name
    assert f"Did you mean '{nearest}'?" in error.detail
    assert error.allowed == (
        *("q", "type", "sort", "facets", "limit", "cursor", "relax", "explain", "variant"),
    )


def test_an_unknown_parameter_is_refused_even_when_it_is_blank() -> None:
    assert refused(b"offset=").code is Code.UNKNOWN_PARAMETER


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "many", "1e2", "9" * 5000])
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    error = refused(f"limit={limit}".encode())
    assert (error.code, error.parameter) == (Code.INVALID_VALUE, "limit")
    assert error.allowed == ("a whole number from 1 to 100",)


def test_an_unknown_type_is_refused_with_the_types_there_are() -> None:
    error = refused(b"type=sound,sets")
    assert (error.code, error.parameter) == (Code.INVALID_VALUE, "type")
    assert error.allowed == ALL
    assert "Did you mean 'set'?" in error.detail


def test_the_longest_query_is_taken_and_a_longer_one_refused() -> None:
    assert len(read_search(b"q=" + b"a" * 512, ENTITIES).text) == 512
    error = refused(b"q=" + b"a" * 513)
    assert (error.code, error.parameter) == (Code.INVALID_VALUE, "q")
    assert "512" in error.detail


def test_a_repeated_parameter_is_refused() -> None:
    error = refused(b"type=sound&type=user")
    assert (error.code, error.parameter) == (Code.REPEATED_PARAMETER, "type")


def test_filters_leave_the_types_that_have_them_all() -> None:
    asked = read_search(b"filter.genre=Techno,House&filter.created=2024", ENTITIES)
    assert asked.entities == ("sound",)
    assert asked.conditions == (
        Condition(name="created", kind="date", values=("2024",)),
        Condition(name="genre", kind="value", values=("Techno", "House")),
    )
    assert read_search(b"filter.created=2024", ENTITIES).entities == ALL


def test_a_filter_given_twice_takes_the_values_of_both() -> None:
    together = read_search(b"filter.genre=Techno,House", ENTITIES)
    assert (
        read_search(b"filter.genre=Techno&filter.genre=&filter.genre=House", ENTITIES) == together
    )


@pytest.mark.parametrize(
    ("query_string", "parameter", "nearest"),
    [
        (b"filter.gener=x", "filter.gener", "filter.genre"),
        (b"filter.gener=", "filter.gener", "filter.genre"),
        (b"type=user&filter.verfied=true", "filter.verfied", "filter.verified"),
        (b"filter.=x", "filter.", ""),
    ],
)
def test_an_unknown_filter_is_refused_with_the_nearest_name(
    query_string: bytes, parameter: str, nearest: str
) -> None:
    error = refused(query_string)
    assert (error.code, error.parameter) == (Code.UNKNOWN_PARAMETER, parameter)
    assert f"Did you mean '{nearest}" in error.detail
    assert set(error.allowed) <= {"filter.genre", "filter.created", "filter.verified"}


def test_a_filter_of_another_type_is_refused_with_those_of_this_one() -> None:
    error = refused(b"type=user&filter.genre=Techno")
    assert error.code is Code.UNKNOWN_PARAMETER
    assert error.allowed == ("filter.created", "filter.verified")


def test_filters_that_no_type_has_together_are_refused() -> None:
    error = refused(b"filter.genre=Techno&filter.verified=true")
    assert (error.code, error.parameter) == (Code.INVALID_VALUE, "filter.verified")


def test_a_sort_is_one_that_all_searched_types_have() -> None:
    assert read_search(b"sort=newest", ENTITIES).sort == "newest"
    assert read_search(b"sort=longest&type=sound", ENTITIES).sort == "longest"
    assert read_search(b"sort=longest&filter.genre=Techno", ENTITIES).sort == "longest"
    error = refused(b"sort=longest")
    assert (error.code, error.parameter) == (Code.INVALID_VALUE, "sort")
    assert error.allowed == ("relevance", "newest")
    assert "'newest'" in refused(b"sort=newst").detail


def test_facets_are_those_of_the_types_that_are_asked_for() -> None:
    assert read_search(b"facets=genre,+type,genre,", ENTITIES).facets == ("genre", "type")
    error = refused(b"facets=genres")
    assert (error.code, error.parameter) == (Code.INVALID_VALUE, "facets")
    assert error.allowed == ("type", "verified", "genre")
    assert refused(b"facets=genre&type=set").allowed == ("type",)


def test_types_are_counted_beside_those_that_are_asked_for() -> None:
    assert read_search(b"facets=type&type=set", ENTITIES).beside == ("user", "sound")
    assert read_search(b"facets=type&type=sound&filter.genre=x", ENTITIES).beside == ()
    assert read_search(b"type=set", ENTITIES).beside == ()


def test_a_flood_of_parameters_is_refused() -> None:
    assert refused(b"&".join(b"a%d=1" % n for n in range(100))).code is Code.BAD_REQUEST


@pytest.mark.parametrize(
    ("typed", "searched"),
    [
        ("  two   words \t\n", "two words"),
        ("nul\x00byte", "nul byte"),
        ("\u202eright to left", "right to left"),
        ("Bjo\u0308rk", "Björk"),
        ("\ufffd\ufffd", ""),
        ("👩\u200d🎤 sings", "👩\u200d🎤 sings"),
        ("title:rain AND (x OR y)~2", "title:rain AND (x OR y)~2"),
    ],
)
def test_what_is_searched_for(typed: str, searched: str) -> None:
    assert wording.clean(typed) == searched


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("word " * 100, " ".join(["word"] * 64)),
        ("夜" * 100, "夜" * 64),
        ("🎧" * 100, "🎧" * 64),
        ("한국어 " * 30, ("한국어 " * 22)[:-3]),
        ("letters" * 70, "letters" * 70),
    ],
)
def test_words_beyond_the_limit_do_not_count(typed: str, kept: str) -> None:
    assert parameters.shortened(wording.clean(typed)) == kept


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = wording.clean(text)
    assert wording.clean(once) == once


@given(st.binary(max_size=2000))
def test_any_query_string_is_read_or_refused(query_string: bytes) -> None:
    try:
        asked = read_search(query_string, ENTITIES)
    except QueryError:
        return
    assert asked.entities
    assert set(asked.entities).isdisjoint(asked.beside)
    assert 1 <= asked.limit <= 100
    assert "\x00" not in asked.text
