from typing import Any

from query_api import facets, filters
from query_api.profiles import Profiles


def told(profiles: Profiles, **found: Any) -> dict[str, list[tuple[str, int]]]:
    response = {"aggregations": found}
    answer = facets.told(tuple(found), profiles, response)
    return {name: [(one["value"], one["count"]) for one in some] for name, some in answer.items()}


def test_values_come_as_the_engine_orders_them(profiles: Profiles) -> None:
    buckets = [{"key": "rain", "doc_count": 3}, {"key": "sun", "doc_count": 1}]
    assert told(profiles, tag={"values": {"buckets": buckets}}) == {
        "tag": [("rain", 3), ("sun", 1)]
    }


def test_flags_and_years_are_told_as_filters_take_them(profiles: Profiles) -> None:
    flags = [{"key": 1, "key_as_string": "true", "doc_count": 4}]
    years = [
        {"key": 0, "key_as_string": "2023", "doc_count": 1},
        {"key": 1, "key_as_string": "2024", "doc_count": 2},
    ]
    answer = told(
        profiles, verified={"values": {"buckets": flags}}, created={"values": {"buckets": years}}
    )
    assert answer == {"verified": [("true", 4)], "created": [("2024", 2), ("2023", 1)]}


def test_ranges_are_filters_and_empty_ones_are_left_out(profiles: Profiles) -> None:
    body = facets.counted(("duration",), profiles, INDICES, {}, ())["duration"]
    ranges = body["aggs"]["values"]["filters"]["filters"]
    assert list(ranges) == ["..60000", "60000..600000", "600000.."]
    duration = profiles["sound"].filters["duration"]
    for text, clause in ranges.items():
        assert clause == filters.clause(filters.read("duration", text, duration), duration)
    counts = {text: {"doc_count": at} for at, text in enumerate(ranges)}
    assert told(profiles, duration={"values": {"buckets": counts}}) == {
        "duration": [("60000..600000", 1), ("600000..", 2)]
    }


def test_a_chosen_value_is_told_however_rare(profiles: Profiles) -> None:
    found = {
        "values": {"buckets": [{"key": "Rain", "doc_count": 9}]},
        "chosen": {"buckets": {"rain": {"doc_count": 9}, "hail": {"doc_count": 1}}},
    }
    assert told(profiles, tag=found) == {"tag": [("Rain", 9), ("hail", 1)]}


def test_only_types_that_declare_a_facet_are_counted_by_it(profiles: Profiles) -> None:
    body = facets.counted(("tag", "type"), profiles, INDICES, {}, ())
    assert body["tag"]["filter"]["bool"]["filter"] == [{"terms": {"_index": ["disco-sound-1"]}}]
    assert body["type"]["filter"]["bool"]["filter"] == []


def test_what_was_not_counted_is_empty(profiles: Profiles) -> None:
    assert facets.told(("tag",), profiles, {}) == {"tag": []}


INDICES = {entity: f"disco-{entity}-1" for entity in ("user", "sound", "note")}
