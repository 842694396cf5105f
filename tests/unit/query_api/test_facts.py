import pytest

from query_api import facts


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(0, "0:00"), (999, "0:01"), (61_000, "1:01"), (3_599_600, "1:00:00"), (7_325_000, "2:02:05")],
)
def test_durations(milliseconds: int, shown: str) -> None:
    assert facts.duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-03-08T23:30:00+00:00", "8 Mar 2026"),
        ("2026-03-08T23:30:00.123456-02:00", "9 Mar 2026"),
    ],
)
def test_dates_are_those_of_utc(moment: str, shown: str) -> None:
    assert facts.date(moment) == shown


def test_a_field_is_shown_by_its_name_and_kind() -> None:
    shown = facts.all_facts(
        {
            "genre": "Jazz",
            "tags": ["a", "b"],
            "user_id": 7,
            "duration_ms": 61_000,
            "sound_count": 1,
            "member_count": 1234,
            "license": "cc-by-sa",
            "verified": True,
            "downloadable": False,
            "city": None,
            "created_at": "2026-01-01T00:00:00+00:00",
        }
    )
    assert [(fact.name, fact.values) for fact in shown] == [
        ("Genre", ("Jazz",)),
        ("Tags", ("a", "b")),
        ("Duration", ("1:01",)),
        ("Sounds", ("1 sound",)),
        ("Members", ("1,234 members",)),
        ("License", ("CC BY-SA",)),
        ("Also", ("Verified",)),
        ("Created", ("1 Jan 2026",)),
    ]


def test_a_list_of_results_leaves_out_what_says_nothing() -> None:
    shown = facts.summary(
        {"license": "all-rights-reserved", "user_handle": "ana", "tags": ["a", "b", "c", "d"]}
    )
    assert [fact.values for fact in shown] == [("a", "b", "c")]


def test_a_list_of_results_says_nothing_twice() -> None:
    fields = {"city": "Berlin", "country": "DE", "genre": "House", "tags": ["house", "deep"]}
    shown = facts.summary(fields, "Berlin, DE")
    assert [fact.values for fact in shown] == [("House",), ("deep",)]


def test_values_lead_to_a_search_for_them() -> None:
    (tags,) = facts.all_facts({"tags": ["drum & bass"]})
    assert tags.links == (("drum & bass", "/?q=drum+%26+bass"),)
