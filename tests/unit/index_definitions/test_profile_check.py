"""What can be wrong with a profile, found without a service."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.definitions import Definition, load
from core.settings import Settings
from indexer.profile_check import check_profile, mapped_fields

DEFINITIONS = load(Settings().definitions_path)
Change = Callable[[dict[str, Any]], object]

WRONG: list[tuple[Change, str, str]] = [
    (lambda p: p.pop("weight"), "lacks 'weight'", "docs/definitions.md"),
    (lambda p: p.update(wieght=1), "has an unknown key 'wieght'", "did you mean 'weight'?"),
    (lambda p: p.update(weight=0), "weight is 0", "a positive number"),
    (lambda p: p.update(weight=True), "weight is True", "a positive number"),
    (lambda p: p.update(operator="and"), "operator is 'and'", "'all' or 'any'"),
    (lambda p: p.update(title="titel"), "title names the unknown field 'titel'", "'title'?"),
    (lambda p: p.update(subtitle="title.exact"), "unknown field 'title.exact'", "did you mean"),
    (lambda p: p.update(highlight="title"), "highlight is not a list", "in [ ]"),
    (
        lambda p: p["highlight"].append("license"),
        "highlight names 'license', which is not text",
        "",
    ),
    (lambda p: p["fields"].append("genres"), "fields names the unknown field 'genres'", "'genre'?"),
    (lambda p: p["fields"].append(3), "fields names the unknown field 3", "there are"),
    (lambda p: p.update(match=[]), "match is not an object", "words"),
    (lambda p: p["match"].update(words={}), "match.words names no field", ""),
    (lambda p: p["match"].update(fuzzy={}), "unknown kind 'fuzzy'", "there are exact"),
    (lambda p: p["match"].update(phrase=["title"]), "match.phrase is not an object", ""),
    (lambda p: p["match"]["words"].update(titel=1), "unknown field 'titel'", "'title'?"),
    (lambda p: p["match"]["words"].update(title=0.5), "weight of 'title' is 0.5", "smallest"),
    (lambda p: p["match"]["phrase"].update(title=-1), "weight of 'title' is -1", "positive"),
    (lambda p: p["match"]["words"].update(license=1), "'license', which is keyword", "text field"),
    (lambda p: p["match"]["exact"].update(title=1), "'title', which is text", "a keyword field"),
    (lambda p: p["match"]["prefix"].update(title=1), "no beginnings of words", "prefix"),
    (
        lambda p: p["match"]["words"].update({"title.prefix": 1}),
        "'title.prefix', which is searched by prefix_search",
        "text_search",
    ),
    (lambda p: p.update(filters=["genre"]), "filters is not an object", ""),
    (lambda p: p["filters"].update(genre="genre"), "filters.genre is unclear", '"field"'),
    (
        lambda p: p["filters"].update(genre={"field": "genre", "kind": "value"}),
        "filters.genre: 'genre' is text",
        "a filter of kind 'value' needs",
    ),
    (
        lambda p: p["filters"].update(x={"field": "license", "kind": "number"}),
        "filters.x: 'license' is keyword",
        "",
    ),
    (
        lambda p: p["filters"].update(x={"field": "user_id", "kind": "value"}),
        "filters.x: 'user_id' is long",
        "keyword",
    ),
    (
        lambda p: p["filters"].update(x={"field": "updated_at", "kind": "date"}),
        "filters.x: no hit shows 'updated_at'",
        "fields",
    ),
    (lambda p: p["filters"]["user"].update(facet={}), "filters.user.facet counts ids", ""),
    (lambda p: p["filters"]["genre"].update(facet={"edges": [1]}), "genre.facet has edges", ""),
    (lambda p: p["filters"]["duration"].update(facet={}), "or lacks them", "a number needs"),
    (lambda p: p["filters"]["genre"].update(facet=["most"]), "filters.genre.facet is unclear", ""),
    (lambda p: p.update(sorts=["newest"]), "sorts is not an object", ""),
    (lambda p: p["sorts"].update(x="newest"), "sorts.x is unclear", "order"),
    (
        lambda p: p["sorts"].update(x={"field": "created_at", "order": "desc"}),
        "sorts.x: order is 'desc'",
        "descending",
    ),
    (
        lambda p: p["sorts"].update(x={"field": "title", "order": "ascending"}),
        "sorts.x: 'title' is text",
        "keyword",
    ),
    (
        lambda p: p["sorts"].update(x={"field": "updated_at", "order": "ascending"}),
        "sorts.x: no hit shows 'updated_at'",
        "",
    ),
    (
        lambda p: p["sorts"].update(x={"field": "lenght", "order": "ascending"}),
        "sorts.x names the unknown field 'lenght'",
        "",
    ),
    (
        lambda p: p["filters"].update(x={"field": "license", "kind": "valeu"}),
        "filters.x has an unknown kind 'valeu'",
        "did you mean 'value'?",
    ),
    (
        lambda p: (
            p["filters"].update(x={"field": "digest", "kind": "number"}),
            p["fields"].append("digest"),
        ),
        "filters.x: 'digest' is not indexed",
        "index",
    ),
    (lambda p: p["explore"].pop("heat"), "explore is unclear", "heat"),
    (lambda p: p["explore"].update(windows=1), "explore has an unknown key 'windows'", "there are"),
    (lambda p: p["explore"]["heat"].pop("7d"), "explore.heat is unclear", "24h, 7d, 30d"),
    (lambda p: p["explore"]["heat"].update({"7d": "license"}), "'license' is keyword", "a field"),
    (lambda p: p["explore"].update(active="user_id"), "explore.active: 'user_id' is long", "date"),
    (lambda p: p["explore"].update(genre="genre"), "explore.genre: 'genre' is text", "keyword"),
    (lambda p: p["explore"].update(owner="user"), "explore.owner names the unknown field", ""),
    (lambda p: p["explore"].update(most=0), "explore.most is 0", "from 1 on"),
    (lambda p: p["explore"].update(newness={}), "explore.newness is unclear", "half_life"),
    (
        lambda p: p["explore"]["newness"].update(half_life="1 month"),
        "half_life is '1 month'",
        "30d",
    ),
    (lambda p: p["explore"]["newness"].update(weight=0), "explore.newness.weight is 0", "positive"),
    (lambda p: p["related"].pop("most"), "related is unclear", "owner"),
    (lambda p: p["related"].update(alike={"genre": 0}), "related.alike is unclear", "above 0"),
    (
        lambda p: p["related"]["alike"].update(tag=1),
        "related.alike names the unknown field",
        "tags",
    ),
    (lambda p: p["related"]["together"].pop("field"), "related.together is unclear", "field"),
    (lambda p: p["related"]["together"].update(weight=0), "together.weight is 0", "positive"),
    (lambda p: p["related"].update(owner="users"), "related.owner names the unknown field", ""),
    (lambda p: p["related"].update(most=True), "related.most is True", "from 1 on"),
    (lambda p: p["explore"].update(rank=3), "rank is unclear", "pivot"),
]


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=DEFINITIONS)
def test_the_project_s_own_profiles_are_right(definition: Definition) -> None:
    assert list(check_profile(definition)) == []


@pytest.mark.parametrize(("change", "what", "remedy"), WRONG, ids=[case[1] for case in WRONG])
def test_each_fault_is_named_with_its_remedy(change: Change, what: str, remedy: str) -> None:
    profile = copy.deepcopy(dict(DEFINITIONS["sound"].profile))
    change(profile)
    findings = list(check_profile(replace(DEFINITIONS["sound"], profile=profile)))
    assert len(findings) == 1, findings
    assert what in findings[0].what
    assert remedy in findings[0].remedy


def test_all_faults_are_found() -> None:
    findings = list(check_profile(replace(DEFINITIONS["sound"], profile={})))
    lacking = [one.what for one in findings if one.what.startswith("lacks")]
    assert len(lacking) == 8


def test_a_mapping_that_is_no_mapping_has_no_fields() -> None:
    assert mapped_fields({"properties": ["title"]}) == {}
    assert mapped_fields({}) == {}
