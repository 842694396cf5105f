"""What the project's own definitions promise each other, and what their documentation says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from core.definitions import ANALYSIS_FILE, COMMON_FIELDS, Definition, load
from core.settings import Settings
from indexer.mapping_check import check_mapping
from indexer.profile_check import FILTER_KINDS, check_profile, mapped_fields

FOLDER = Settings().definitions_path
DEFINITIONS = load(FOLDER)
ANALYSIS: dict[str, dict[str, Any]] = json.loads((FOLDER / ANALYSIS_FILE).read_text("utf-8"))
PAGE = (Path(__file__).parents[3] / "docs" / "definitions.md").read_text(encoding="utf-8")
# What the engine has without being told, in every distribution of it.
BUILT_IN = {
    "char_filter": set[str](),
    "filter": {"cjk_width", "asciifolding", "decimal_digit", "arabic_normalization", "lowercase"},
}
# Sub-fields mean the same in every entity type.
SUB_FIELDS: dict[str, dict[str, Any]] = {
    "exact": {"type": "keyword", "normalizer": "name"},
    "prefix": {"type": "text", "analyzer": "prefix", "search_analyzer": "prefix_search"},
    "text": {"type": "text", "analyzer": "text", "search_analyzer": "text_search"},
    "value": {"type": "keyword"},
}
LONG_TEXTS = frozenset({"description", "user_handle", "sounds"})
LONG_TEXT = {"type": "text", "analyzer": "text_long", "search_analyzer": "text_search"}

each = pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=DEFINITIONS)


@each
def test_mapping_and_profile_keep_the_rules(definition: Definition) -> None:
    assert list(check_mapping(definition)) == []
    assert list(check_profile(definition)) == []


@each
def test_common_fields_come_first_and_in_one_order(definition: Definition) -> None:
    names = list(definition.mappings["properties"])
    assert set(names[: len(COMMON_FIELDS)]) == COMMON_FIELDS
    assert names[: len(COMMON_FIELDS)] == list(DEFINITIONS["user"].mappings["properties"])[:8]


@each
def test_all_text_is_analysed_alike(definition: Definition) -> None:
    """Fields that are searched as one must have words made in one way."""
    for name, field in mapped_fields(definition.mappings).items():
        if "." in name:
            wanted = SUB_FIELDS[name.partition(".")[2]]
            assert wanted.items() <= field.items(), name
        elif field["type"] == "text":
            wanted = LONG_TEXT if name in LONG_TEXTS else SUB_FIELDS["text"]
            assert wanted.items() <= field.items(), name


@each
def test_no_long_value_can_have_a_document_refused(definition: Definition) -> None:
    """What people write has an upper limit as a keyword; the rest is constrained in its table."""
    constrained = {"type", "license", "kind", "country"}
    for name, field in mapped_fields(definition.mappings).items():
        if field["type"] == "keyword" and name not in constrained:
            assert field["ignore_above"] <= 1024, name


def test_every_part_of_the_analysis_is_used() -> None:
    chains = [*ANALYSIS["analyzer"].values(), *ANALYSIS["normalizer"].values()]
    for kind in ("char_filter", "filter"):
        used = {part for chain in chains for part in chain.get(kind, [])}
        assert used - BUILT_IN[kind] == set(ANALYSIS[kind])


def test_every_word_is_folded_alike_whether_written_or_searched() -> None:
    """One filter more on one side, and nothing with its letters is found any more."""
    folding = ["lower", "asciifolding", "decimal_digit", "arabic_normalization", "leading_zeros"]
    for name, chain in ANALYSIS["analyzer"].items():
        filters = chain["filter"]
        begin = filters.index("lower")
        assert filters[begin : begin + len(folding)] == folding, name
        assert chain["char_filter"][0] == "signs", name


def test_no_sign_is_mapped_twice() -> None:
    signs = [
        rule.partition("=>")[0].strip() for rule in ANALYSIS["char_filter"]["signs"]["mappings"]
    ]
    assert len(signs) == len(set(signs))


@pytest.mark.parametrize("kind", ["analyzer", "normalizer"])
def test_the_page_names_what_fields_and_queries_can_name(kind: str) -> None:
    missing = {name for name in ANALYSIS[kind] if f"`{name}`" not in PAGE}
    assert not missing


def test_the_page_has_the_common_fields_the_sub_fields_and_the_filters() -> None:
    names = {*COMMON_FIELDS, *(f".{name}" for name in SUB_FIELDS if name != "text"), *FILTER_KINDS}
    assert not {name for name in names if f"`{name}`" not in PAGE}


def test_the_page_has_the_dependents() -> None:
    section = PAGE.partition("## Dependents SQL")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)\.dependents\.sql`", section))
    assert named == {one.entity for one in DEFINITIONS.values() if one.dependents_sql}


def test_the_page_s_profile_is_one_and_has_every_key() -> None:
    section = PAGE.partition("## Search profile")[2]
    profile = json.loads(section.partition("```json\n")[2].partition("```")[0])
    sound = DEFINITIONS["sound"]
    assert set(profile) == set(sound.profile)
    assert set(profile["match"]) == set(sound.profile["match"])
    assert not {key for key in profile if f"`{key}`" not in section}


@pytest.mark.parametrize("entity", DEFINITIONS)
def test_whatever_can_be_asked_for_is_shown(entity: str) -> None:
    """By asking often enough anybody learns what a field says that finds, narrows or orders."""
    profile = DEFINITIONS[entity].profile
    shown = {profile["title"], profile["subtitle"], *profile["fields"], *profile["highlight"]}
    asked = {field for weights in profile["match"].values() for field in weights}
    asked |= {one["field"] for key in ("filters", "sorts") for one in profile[key].values()}
    assert {field.partition(".")[0] for field in asked} - shown <= {"rank"}
