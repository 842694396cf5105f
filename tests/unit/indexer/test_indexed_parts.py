"""What of a definition is in an index: whatever else changes, documents can stay."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.definitions import Definition, load
from indexer.indexed_parts import fingerprint

DEFINITIONS = load(Path("index_definitions"))
SOUND = DEFINITIONS["sound"]


def changed(change: Callable[[Any, Any], Any]) -> Definition:
    """The sound definition, with its mapping's fields and its analysis changed."""
    mappings, analysis = copy.deepcopy(SOUND.mappings), copy.deepcopy(SOUND.analysis)
    change(mappings["properties"], analysis)
    return replace(SOUND, mappings=mappings, analysis=analysis)


OF_QUERIES: dict[str, Callable[[Any, Any], Any]] = {
    "synonyms": lambda _, a: a["filter"]["same_words"]["synonyms"].append("dj, disc jockey"),
    "a filter of queries": lambda _, a: a["filter"]["light_words"]["stopwords"].append("of"),
    "an analyzer of queries": lambda _, a: a["analyzer"]["text_search"]["filter"].remove(
        "same_words"
    ),
    "an analyzer more": lambda _, a: a["analyzer"].update(plain={"type": "standard"}),
    "another analyzer of queries": lambda f, _: f["title"].update(search_analyzer="prefix_search"),
    "none of its own for queries": lambda f, _: f["title"].pop("search_analyzer"),
    "one of a sub-field": lambda f, _: f["title"]["fields"]["prefix"].update(
        search_analyzer="text_search"
    ),
}
OF_DOCUMENTS: dict[str, Callable[[Any, Any], Any]] = {
    "a field more": lambda f, _: f.update(mood={"type": "keyword"}),
    "a field of the name of a parameter": lambda f, _: f.update(search_analyzer={"type": "long"}),
    "another analyzer": lambda f, _: f["title"].update(analyzer="text_long"),
    "a sub-field": lambda f, _: f["title"]["fields"].pop("exact"),
    "a filter of documents": lambda _, a: a["filter"]["word_parts"].pop("catenate_all"),
    "a filter of both": lambda _, a: a["filter"]["lower"].pop("language"),
    "a character filter of both": lambda _, a: a["char_filter"]["signs"]["mappings"].pop(),
    "a normalizer": lambda _, a: a["normalizer"]["value"]["filter"].append("asciifolding"),
    "the analyzer that nobody names": lambda _, a: a["analyzer"].update(
        default={"type": "standard"}
    ),
}


@pytest.mark.parametrize("change", OF_QUERIES.values(), ids=OF_QUERIES)
def test_how_queries_are_read_is_not_in_an_index(change: Callable[[Any, Any], Any]) -> None:
    assert changed(change) != SOUND
    assert fingerprint(changed(change)) == fingerprint(SOUND)


@pytest.mark.parametrize("change", OF_DOCUMENTS.values(), ids=OF_DOCUMENTS)
def test_what_documents_and_their_terms_are_made_by_is(change: Callable[[Any, Any], Any]) -> None:
    assert fingerprint(changed(change)) != fingerprint(SOUND)


def test_so_is_the_sql() -> None:
    assert fingerprint(replace(SOUND, hydrate_sql="other")) != fingerprint(SOUND)
    assert fingerprint(replace(SOUND, dependents_sql="other")) != fingerprint(SOUND)
    assert fingerprint(replace(SOUND, source_table="other")) != fingerprint(SOUND)


def test_the_profile_is_not() -> None:
    assert fingerprint(replace(SOUND, profile={}, private_sql=None)) == fingerprint(SOUND)


def test_each_definition_has_its_own() -> None:
    assert len({fingerprint(one) for one in DEFINITIONS.values()}) == len(DEFINITIONS)
