from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api import filters
from query_api.filters import Condition
from query_api.problems import Code, QueryError
from query_api.profiles import Filter

VALUE = Filter(field="genre.value", kind="value")
ID = Filter(field="user_id", kind="id")
FLAG = Filter(field="downloadable", kind="flag")
NUMBER = Filter(field="duration_ms", kind="number", unit="milliseconds")
DATE = Filter(field="created_at", kind="date")


def values(text: str, filter_: Filter = VALUE) -> tuple[str, ...]:
    return filters.read("one", text, filter_).values


def refused(text: str, filter_: Filter) -> QueryError:
    with pytest.raises(QueryError) as caught:
        filters.read("one", text, filter_)
    assert (caught.value.code, caught.value.parameter) == (Code.INVALID_VALUE, "filter.one")
    return caught.value


def clause(text: str, filter_: Filter) -> dict[str, Any]:
    return filters.clause(filters.read("one", text, filter_), filter_)


def test_values_are_separated_by_commas() -> None:
    assert values("Techno, House,,Techno") == ("Techno", "House")
    assert values(r"Folk\, World\, & Country,Jazz") == ("Folk, World, & Country", "Jazz")
    assert values(r"a\\,b\\") == ("a\\", "b\\")


@given(
    st.lists(st.text(min_size=1, max_size=20).map(str.strip).filter(bool), min_size=1, max_size=9)
)
def test_whatever_the_values_are_their_text_means_them(some: list[str]) -> None:
    text = ",".join(filters.escaped(value) for value in some)
    assert values(text) == tuple(dict.fromkeys(some))


@given(st.text(), st.sampled_from([VALUE, ID, FLAG, NUMBER, DATE]))
def test_any_text_is_read_or_refused(text: str, filter_: Filter) -> None:
    try:
        condition = filters.read("one", text, filter_)
    except QueryError:
        return
    assert filters.clause(condition, filter_)


@pytest.mark.parametrize(
    ("filter_", "text", "right"),
    [
        (VALUE, ",", "values separated by commas"),
        (VALUE, "x" * 257, "values separated by commas"),
        (VALUE, ",".join(map(str, range(51))), "1 to 50 values"),
        (ID, "ana", "ids (whole numbers)"),
        (ID, "-1", "ids (whole numbers)"),
        (ID, str(2**63), "ids (whole numbers)"),
        (ID, "\u0661", "ids (whole numbers)"),
        (FLAG, "yes", "true or false"),
        (NUMBER, "long", "a number of milliseconds"),
        (NUMBER, "1e3", "a number of milliseconds"),
        (NUMBER, "..", "a range such as 10..20"),
        (NUMBER, "1..2..3", "a range such as 10..20"),
        (NUMBER, "9999999999", "a number of milliseconds"),
        (NUMBER, "NaN", "a number of milliseconds"),
        (DATE, "yesterday", "a date such as 2024"),
        (DATE, "now-7d", "a date such as 2024"),
        (DATE, "2024-13", "a date such as 2024"),
        (DATE, "2023-02-29", "a date such as 2024"),
        (DATE, "9999-12-31", "a date such as 2024"),
        (DATE, "0001-01-01T00:00:00+10:00", "a date such as 2024"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_what_would(
    filter_: Filter, text: str, right: str
) -> None:
    assert right in refused(text, filter_).detail


def test_a_flag_names_both_values() -> None:
    assert refused("yes", FLAG).allowed == ("true", "false")


@pytest.mark.parametrize(
    ("filter_", "text", "made"),
    [
        (ID, "7,8", {"terms": {"user_id": [7, 8]}}),
        (FLAG, "true", {"terms": {"downloadable": [True]}}),
        (NUMBER, "5", {"range": {"duration_ms": {"gte": 5, "lte": 5}}}),
        (NUMBER, "1.5..", {"range": {"duration_ms": {"gte": 1.5}}}),
        (NUMBER, "..-2", {"range": {"duration_ms": {"lte": -2}}}),
        (
            DATE,
            "2024",
            {
                "range": {
                    "created_at": {
                        "gte": "2024-01-01T00:00:00+00:00",
                        "lt": "2025-01-01T00:00:00+00:00",
                    }
                }
            },
        ),
        (
            DATE,
            "2023-12..2024-02-29",
            {
                "range": {
                    "created_at": {
                        "gte": "2023-12-01T00:00:00+00:00",
                        "lt": "2024-03-01T00:00:00+00:00",
                    }
                }
            },
        ),
        (DATE, "..2023-12", {"range": {"created_at": {"lt": "2024-01-01T00:00:00+00:00"}}}),
        (
            DATE,
            "2024-05-01T10:00+02:00..",
            {"range": {"created_at": {"gte": "2024-05-01T08:00:00+00:00"}}},
        ),
    ],
)
def test_what_is_asked_of_the_engine(filter_: Filter, text: str, made: dict[str, Any]) -> None:
    assert clause(text, filter_) == made


def test_several_values_are_alternatives() -> None:
    found = clause("Techno,House", VALUE)["bool"]["should"]
    assert [one["term"]["genre.value"]["value"] for one in found] == ["Techno", "House"]


def test_one_value_of_a_facet_is_asked_for_as_a_filter_asks() -> None:
    one = Condition(name="one", kind="number", values=("..60000",))
    assert filters.value_clause("..60000", NUMBER) == filters.clause(one, NUMBER)
