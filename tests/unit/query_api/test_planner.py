"""Plans against golden files; `pytest --update` writes them anew, for a reviewer to read."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from query_api import planner
from query_api.filters import Condition
from query_api.parameters import SearchRequest
from query_api.profiles import Profiles, SearchProfile
from query_api.widening import Step, Widening

GOLDEN = Path(__file__).parent / "golden"
INDICES = {entity: f"disco-{entity}-1" for entity in ("user", "sound", "note")}

REQUESTS: dict[str, tuple[SearchRequest, list[Any] | None]] = {
    "blended": (
        SearchRequest(text="drum & bass", entities=("user", "sound", "note"), limit=20),
        None,
    ),
    "one_type": (SearchRequest(text="rain", entities=("sound",), limit=5), None),
    "plain_profile": (SearchRequest(text="rain", entities=("note",), limit=5), None),
    "next_page": (
        SearchRequest(text="rain", entities=("user", "sound"), limit=50, cursor="unread"),
        [7.25, "sound", 42],
    ),
    "newest": (SearchRequest(text="", entities=("user", "sound"), limit=20), None),
    "narrowed": (
        SearchRequest(
            text="rain",
            entities=("sound",),
            limit=5,
            conditions=(
                Condition(name="created", kind="date", values=("2024-02", "..2020-01-31")),
                Condition(name="duration", kind="number", values=("60000..600000",)),
                Condition(name="user", kind="id", values=("7", "8")),
            ),
            sort="popular",
        ),
        None,
    ),
    "explained": (
        SearchRequest(text="rain", entities=("note", "sound"), limit=5, explain=True),
        None,
    ),
    "counted": (
        SearchRequest(
            text="",
            entities=("sound",),
            limit=5,
            conditions=(
                Condition(name="created", kind="date", values=("2024",)),
                Condition(name="tag", kind="value", values=("rain", "a,b")),
            ),
            facets=("type", "tag", "duration", "created"),
            beside=("user",),
        ),
        None,
    ),
    "phrases_and_minus_words": (
        SearchRequest(
            text='"drum and bass" rain -remix -"radio edit"', entities=("note", "sound"), limit=1
        ),
        None,
    ),
    "lucene_syntax_is_text": (
        SearchRequest(text='title:"rain" AND -x* OR /r/ ~2', entities=("sound",), limit=1),
        None,
    ),
}

TYPED = '"tin roofs" rian -remix'
RELAXED: dict[str, Widening] = {
    "unquoted": Widening(step=Step.UNQUOTED),
    "respelled": Widening(step=Step.RESPELLED, text="tin roofs rain", phrases=("tin roofs",)),
    "fewer_words": Widening(step=Step.FEWER_WORDS, text="tin roofs rain", lacking=2),
    "fuzzy": Widening(step=Step.FUZZY),
    "popular": Widening(step=Step.POPULAR, text=""),
}


@pytest.mark.parametrize("name", RELAXED)
def test_plan_of_a_relaxed_search(
    name: str, profiles: Profiles, request: pytest.FixtureRequest
) -> None:
    asked = SearchRequest(text=TYPED, entities=("note", "sound"), limit=1)
    made = planner.plan(asked, profiles, indices=INDICES, deadline=2.0, widening=RELAXED[name])
    check_golden(name, {"indices": list(made.indices), "body": made.body}, request)


@pytest.mark.parametrize("name", RELAXED)
def test_a_relaxed_search_leaves_out_and_orders_as_it_was_asked_to(
    name: str, profiles: Profiles
) -> None:
    asked = SearchRequest(text=TYPED, entities=("sound",), limit=1, sort="newest")
    body = planner.plan(asked, profiles, indices=INDICES, deadline=2.0, widening=RELAXED[name]).body
    left_out = body["query"]["bool"]["must_not"]
    assert [one["multi_match"]["query"] for one in left_out] == ["remix"]
    assert next(iter(body["sort"][0])) == "created_at"


def test_conditions_are_those_of_every_hit(profiles: Profiles) -> None:
    one_tag = Condition(name="tag", kind="value", values=("a",))
    asked = SearchRequest(
        text="rain",
        entities=("sound",),
        limit=1,
        conditions=(one_tag,),
        facets=("type", "tag"),
        beside=("user",),
    )
    tag, *others = planner.conditions(asked, profiles, indices=INDICES)
    assert "tags.value" in json.dumps(tag)
    assert others == [{"terms": {"_index": [INDICES["sound"]]}}]


@pytest.mark.parametrize("name", REQUESTS)
def test_plan(name: str, profiles: Profiles, request: pytest.FixtureRequest) -> None:
    asked, after = REQUESTS[name]
    made = planner.plan(asked, profiles, indices=INDICES, deadline=2.0, after=after)
    check_golden(name, {"indices": list(made.indices), "body": made.body}, request)


def test_plan_of_a_permalink(profiles: Profiles, request: pytest.FixtureRequest) -> None:
    made = planner.plan_permalink("/ana/rain", profiles, indices=INDICES, deadline=0.25)
    check_golden("permalink", {"indices": list(made.indices), "body": made.body}, request)


def test_every_golden_file_has_its_test() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {
        *REQUESTS,
        *RELAXED,
        *("permalink", "every_word", "most_words", "better_names"),
    }


def test_a_persons_text_is_only_ever_the_query_of_a_match(profiles: Profiles) -> None:
    text = 'marker_text:"x" OR *'
    asked = SearchRequest(text=text, entities=tuple(profiles), limit=1)
    body = planner.plan(asked, profiles, indices=INDICES, deadline=1.0).body
    holders = set(holders_of(text, body))
    assert holders == {"query"}
    assert "query_string" not in json.dumps(body)


def test_planning_leaves_its_input_alone(profiles: Profiles) -> None:
    asked = SearchRequest(text="rain", entities=("sound",), limit=5)
    first = planner.plan(asked, profiles, indices=INDICES, deadline=1.0)
    assert planner.plan(asked, profiles, indices=INDICES, deadline=1.0) == first


def test_a_fingerprint_is_the_same_for_all_pages_of_a_search(profiles: Profiles) -> None:
    first = SearchRequest(text="rain", entities=("sound",), limit=5)
    second = SearchRequest(text="rain", entities=("sound",), limit=50, cursor="x")
    assert planner.fingerprint(first, profiles) == planner.fingerprint(second, profiles)


def test_a_fingerprint_differs_with_what_decides_the_hits(profiles: Profiles) -> None:
    other_profile = {**profiles, "sound": SearchProfile(match=profiles["sound"].match, weight=9)}
    asked = SearchRequest(text="rain", entities=("sound",), limit=5)
    one_tag = Condition(name="tag", kind="value", values=("a",))
    two_tags = Condition(name="tag", kind="value", values=("a", "b"))
    another = Condition(name="user", kind="id", values=("1",))
    prints = {
        planner.fingerprint(asked, profiles),
        planner.fingerprint(asked, other_profile),
        planner.fingerprint(SearchRequest(text="rains", entities=("sound",), limit=5), profiles),
        planner.fingerprint(SearchRequest(text="rain", entities=("user",), limit=5), profiles),
        planner.fingerprint(replace(asked, sort="newest"), profiles),
        planner.fingerprint(replace(asked, relax=False), profiles),
        planner.fingerprint(replace(asked, conditions=(one_tag,)), profiles),
        planner.fingerprint(replace(asked, conditions=(two_tags,)), profiles),
        planner.fingerprint(replace(asked, conditions=(one_tag, another)), profiles),
    }
    assert len(prints) == 9


def test_what_is_counted_changes_no_fingerprint(profiles: Profiles) -> None:
    asked = SearchRequest(text="rain", entities=("sound",), limit=5)
    counting = replace(asked, facets=("type", "tag"), beside=("user",))
    assert planner.fingerprint(asked, profiles) == planner.fingerprint(counting, profiles)


def test_a_variant_that_lacks_a_filter_finds_nothing_by_it(profiles: Profiles) -> None:
    condition = Condition(name="tag", kind="value", values=("rain",))
    asked = SearchRequest(text="rain", entities=("sound",), limit=5, conditions=(condition,))
    lacking = {"sound": profiles["sound"].model_copy(update={"filters": {}})}
    body = planner.plan(asked, lacking, indices=INDICES, deadline=1.0).body
    assert body["query"]["bool"]["filter"] == [{"terms": {"_index": []}}]


def holders_of(text: str, node: Any, key: str = "") -> list[str]:
    """The keys under which `text` stands anywhere in a JSON document."""
    if isinstance(node, dict):
        return [found for name, below in node.items() for found in holders_of(text, below, name)]
    if isinstance(node, list):
        return [found for below in node for found in holders_of(text, below, key)]
    return [key] if isinstance(node, str) and text in node else []


def check_golden(name: str, document: Any, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"{name}.json"
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if request.config.getoption("--update"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path} differs; --update writes it anew"
