from typing import Any

import pytest

from core import definitions, settings
from core.definitions import Definition, DefinitionError
from query_api import profiles
from query_api.profiles import SearchProfile

MAPPINGS = {
    "properties": {
        "title": {"type": "text", "fields": {"exact": {"type": "keyword"}}},
        "subtitle": {"type": "text"},
        "secret": {"type": "keyword"},
        "length": {"type": "long"},
    }
}


def defined(entity: str = "sound", **profile: Any) -> dict[str, Definition]:
    full = {"match": {"words": {"title": 1}}} | profile
    definition = Definition(
        entity=entity,
        source_table="sounds",
        mappings=MAPPINGS,
        analysis={},
        hydrate_sql="",
        dependents_sql=None,
        profile=full,
    )
    return {entity: definition}


def refusal(**profile: Any) -> str:
    with pytest.raises(DefinitionError) as caught:
        profiles.read(defined(**profile))
    return str(caught.value)


def test_the_projects_own_profiles_can_be_used() -> None:
    own = definitions.load(settings.Settings().definitions_path)
    assert set(profiles.read(own)) == set(own)


def test_the_weightiest_type_comes_first() -> None:
    both = defined("sound", weight=1) | defined("user", weight=2) | defined("note", weight=1)
    assert list(profiles.read(both)) == ["user", "note", "sound"]


def test_an_unknown_key_is_refused_by_its_name() -> None:
    assert "sound.search.json: wieght" in refusal(wieght=2)


@pytest.mark.parametrize(
    ("profile", "where"),
    [
        ({"match": {}}, "match.words"),
        ({"match": {"words": {}}}, "match.words"),
        ({"match": {"words": {"title": 0}}}, "match.words.title"),
        ({"weight": -1}, "weight"),
        ({"operator": "most"}, "operator"),
        ({"filters": {"a": {"field": "title", "kind": "fuzzy"}}}, "filters.a.kind"),
    ],
)
def test_a_wrong_value_is_refused_by_its_place(profile: dict[str, Any], where: str) -> None:
    assert f"sound.search.json: {where}: " in refusal(**profile)


@pytest.mark.parametrize(
    "profile",
    [
        {"match": {"words": {"titel": 1}}},
        {"match": {"words": {"title": 1}, "exact": {"titel": 2}}},
        {"highlight": ["titel"]},
        {"fields": ["titel"]},
        {"title": "titel"},
        {"filters": {"t": {"field": "titel", "kind": "value"}}},
    ],
)
def test_a_field_that_the_mapping_lacks_is_refused(profile: dict[str, Any]) -> None:
    assert "titel" in refusal(**profile)


@pytest.mark.parametrize(
    "profile",
    [
        {"filters": {"one": {"field": "secret", "kind": "value"}}},
        {"sorts": {"one": {"field": "secret", "order": "ascending"}}},
    ],
)
def test_what_no_hit_shows_can_neither_narrow_nor_order(profile: dict[str, Any]) -> None:
    assert ": no hit shows 'secret'" in refusal(**profile)
    profiles.read(defined(**profile, fields=["secret"]))


@pytest.mark.parametrize(
    ("kind", "facet", "problem"),
    [
        ("id", {}, "ids say nothing"),
        ("number", {}, "edges are what a number needs"),
        ("value", {"edges": [1]}, "edges are what a number needs"),
        ("number", {"edges": [2, 1]}, "edges have to rise"),
    ],
)
def test_a_facet_that_cannot_be_counted_is_refused(
    kind: str, facet: dict[str, Any], problem: str
) -> None:
    filters = {"one": {"field": "length", "kind": kind, "facet": facet}}
    assert problem in refusal(filters=filters, fields=["length"])


@pytest.mark.parametrize(
    ("where", "one", "other"),
    [
        (
            "filters",
            {"field": "length", "kind": "number"},
            {"field": "length", "kind": "id"},
        ),
        (
            "sorts",
            {"field": "length", "order": "ascending"},
            {"field": "length", "order": "descending"},
        ),
    ],
)
def test_a_name_means_the_same_in_all_types(
    where: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    both = defined("sound", fields=["length"], **{where: {"x": one}}) | defined(
        "user", fields=["length"], **{where: {"x": other}}
    )
    with pytest.raises(DefinitionError, match=rf"user\.search\.json: {where}\.x"):
        profiles.read(both)


def test_a_variant_s_rank_is_what_it_sorts_by() -> None:
    popular = {"popular": {"field": "rank", "order": "descending"}}
    ranked = SearchProfile.model_validate(
        {"match": {"words": {"title": 1}}, "sorts": popular, "rank": {"weight": 1, "pivot": 1}}
    )
    assert profiles.ranked_by({"a": ranked}, "rank_b")["a"].sorts["popular"].field == "rank_b"


def test_sub_fields_are_known() -> None:
    words = {"words": {"title": 1}, "exact": {"title.exact": 1}}
    assert profiles.read(defined(match=words))["sound"].match.exact == {"title.exact": 1}


def test_a_digest_changes_with_the_profile_alone() -> None:
    one, same, other = (profiles.read(defined(weight=w))["sound"] for w in (1, 1, 2))
    assert one.digest == same.digest
    assert one.digest != other.digest
