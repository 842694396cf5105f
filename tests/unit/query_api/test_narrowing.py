"""Filters and sorts as links."""

from query_api.filters import Condition
from query_api.narrowing import Choice, Narrowing, address, counted, narrowing
from query_api.profiles import Profiles, SearchProfile

SOUND = SearchProfile.model_validate(
    {
        "match": {"words": {"title": 1}},
        "filters": {
            "genre": {"field": "genre", "kind": "value", "facet": {}},
            "license": {"field": "license", "kind": "value", "facet": {}},
            "downloadable": {"field": "downloadable", "kind": "flag", "facet": {}},
            "user": {"field": "user_id", "kind": "id"},
            "duration": {
                "field": "duration_ms",
                "kind": "number",
                "unit": "milliseconds",
                "facet": {"edges": [120000, 600000]},
            },
        },
        "sorts": {
            "newest": {"field": "created_at", "order": "descending"},
            "title": {"field": "title", "order": "ascending"},
        },
    }
)
PROFILES: Profiles = {"sound": SOUND}


def shown(
    given: dict[str, str],
    *conditions: Condition,
    **found: list[tuple[str, int]],
) -> Narrowing:
    counts = {
        name: [{"value": value, "count": count} for value, count in values]
        for name, values in found.items()
    }
    return narrowing(given, PROFILES, conditions, counts)


def genre(*values: str) -> Condition:
    return Condition(name="genre", kind="value", values=values)


def test_all_facets_of_the_type_are_asked_for() -> None:
    assert counted(PROFILES) == ("genre", "license", "downloadable", "duration")


def test_a_link_adds_its_value_and_takes_back_what_is_chosen() -> None:
    given = {"q": "rain", "filter.genre": "Dub", "cursor": "x"}
    (group,) = shown(given, genre("Dub"), genre=[("House", 3), ("Dub", 2)]).groups
    assert group.choices == (
        Choice(label="Dub", address="/?q=rain", current=True, count=2),
        Choice(label="House", address="/?q=rain&filter.genre=Dub%2CHouse", count=3),
    )


def test_a_comma_within_a_value_is_not_one_between_two() -> None:
    (group,) = shown({}, genre=[("Folk, World", 3)]).groups
    assert group.choices[0].address == "/?filter.genre=Folk%5C%2C+World"


def test_what_is_chosen_can_be_taken_back_one_by_one_and_together() -> None:
    given = {"type": "sound", "filter.genre": "Dub,House", "sort": "title"}
    found = shown(given, genre("Dub", "House"))
    assert [one.label for one in found.active] == ["Genre: Dub", "Genre: House"]
    assert found.active[0].address == "/?type=sound&filter.genre=House&sort=title"
    assert found.nothing == "/?type=sound"


def test_values_are_told_in_words() -> None:
    found = shown(
        {},
        license=[("cc-by-sa", 1)],
        downloadable=[("true", 1), ("false", 2)],
        duration=[("..120000", 1), ("120000..600000", 2), ("600000..", 3)],
    )
    assert [[choice.label for choice in group.choices] for group in found.groups] == [
        ["CC BY-SA"],
        ["Yes", "No"],
        ["up to 2:00", "2:00 to 10:00", "10:00 and more"],
    ]


def test_no_more_values_than_can_be_overlooked_but_all_that_are_chosen() -> None:
    values = [(f"G{number}", 50 - number) for number in range(20)]
    (group,) = shown({"filter.genre": "g19"}, genre("g19"), genre=values).groups
    assert len(group.choices) == 8
    assert (group.choices[0].label, group.choices[0].current) == ("G19", True)


def test_orders_and_the_present_one_in_words() -> None:
    found = shown({"q": "rain", "sort": "title"})
    assert [(one.label, one.current) for one in found.orders] == [
        ("Best", False),
        ("Newest", False),
        ("A to Z", True),
    ]
    assert found.orders[0].address == "/?q=rain"
    assert found.order == "A to Z"
    assert shown({}).order == "Newest first"
    assert [one.label for one in shown({}).orders] == ["Newest", "A to Z"]


def test_an_address_has_no_blanks() -> None:
    assert address({"q": "", "type": "sound"}, sort=None) == "/?type=sound"
    assert address({}) == "/"
