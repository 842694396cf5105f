"""What a search turns into when nothing has what was typed, and that the answer says so."""

import asyncio
import re

import httpx
import pytest

from core.engine import create_engine
from core.settings import Settings
from query_api.aliases import alias_of
from tests.integration.query_api.catalogue import set_, sound, user
from tests.integration.query_api.conftest import Write
from tests.integration.query_api.reading import all_pages, identities, page

SECRET = "zyzzogeton"
DOCUMENTS = [
    sound(1, "Windowlicker", subtitle="Aphex Twin", rank_a=40, genre="IDM", tags=["🎧"]),
    sound(2, "Tin Roofs", description="Not one reverbaration.", genre="Ambient", rank_a=90),
    sound(3, "Bass, No Drum"),
    sound(4, "Reverberation Studies", subtitle="Bo"),
    sound(5, "Windowlicker (Remix)", subtitle="Bo"),
    *(sound(number, f"Echo {number}", subtitle="Cleo") for number in range(100, 130)),
    user(1, "Aphex Twin", rank_a=10),
    set_(1, "Windows Down", rank_a=60),
]


@pytest.fixture(scope="module", autouse=True)
def _documents(write: Write, indices: Settings) -> None:
    write([*DOCUMENTS, sound(66, f"{SECRET} {SECRET}", subtitle=SECRET)])
    asyncio.run(_delete(indices, "66"))


async def _delete(settings: Settings, id_: str) -> None:
    """Its words stay in the index's vocabulary until segments are merged."""
    async with create_engine(settings) as engine:
        alias = alias_of(settings.index_prefix, "sound")
        await engine.delete(index=alias, id=id_, refresh=True)


@pytest.mark.parametrize(
    ("q", "relaxed", "suggestion", "found"),
    [
        ("windowlicker aphex", None, None, [1]),
        ("windwolicker APHEX", "respelled", "windowlicker APHEX", [1]),
        ("windowliker 🎧 aphx twin", "respelled", "windowlicker 🎧 aphex twin", [1]),
        ("windwolicker -remix", "respelled", "windowlicker -remix", [1]),
        ('windwolicker "aphex twin"', "respelled", 'windowlicker "aphex twin"', [1]),
        ('"drum bass"', "unquoted", "drum bass", [3]),
        ("windowlicker aphex zebra", "fewer_words", None, [1]),
        ("windwolicker aphex zebra", "fewer_words", None, [1]),
        ("bindowlicker -remix", "fuzzy", None, [1]),
    ],
)
def test_what_is_found_by_which_step(
    api: httpx.Client, q: str, relaxed: str | None, suggestion: str | None, found: list[int]
) -> None:
    answer = page(api, q, type="sound")
    assert (answer["relaxed"], answer["suggestion"]) == (relaxed, suggestion)
    assert identities(answer) == [("sound", str(one)) for one in found]
    assert answer["total"] == {"value": len(found), "relation": "eq"}
    assert "<em>" in answer["hits"][0]["highlight"]["title"]


def test_what_is_like_nothing_finds_what_is_popular(api: httpx.Client) -> None:
    answer = page(api, "qqqqq -twin", facets="type", limit=3)
    assert (answer["relaxed"], answer["suggestion"]) == ("popular", None)
    assert identities(answer) == [("sound", "2"), ("set", "1"), ("sound", "129")]
    types = {one["value"]: one["count"] for one in answer["facets"]["type"]}
    assert types == {"sound": 34, "set": 1}
    assert answer["total"]["value"] == 35


def test_filters_and_types_hold_at_every_step(api: httpx.Client) -> None:
    for q in ("windwolicker", "windowlicker zebra", "bindowlicker", "qqqqq", '"licker window"'):
        narrowed = page(api, q, type="sound", **{"filter.genre": "Ambient"}, facets="genre")
        assert identities(narrowed) == [("sound", "2")], q
        assert narrowed["relaxed"] == "popular"
        assert set(identities(page(api, q, type="user"))) <= {("user", "1")}
    nowhere = page(api, "qqqqq", type="sound", **{"filter.genre": "Polka"})
    assert (nowhere["hits"], nowhere["relaxed"]) == ([], None)


def test_an_order_that_was_asked_for_is_kept(api: httpx.Client) -> None:
    answer = page(api, "ecoh", type="sound", sort="oldest", limit=2)
    assert answer["relaxed"] == "respelled"
    assert identities(answer) == [("sound", "100"), ("sound", "101")]


@pytest.mark.parametrize(
    ("q", "relaxed"), [("ecoh -107", "respelled"), ("qqqqq -107", "popular"), ("ehco zebra", None)]
)
def test_the_next_pages_go_on_with_the_same(api: httpx.Client, q: str, relaxed: str | None) -> None:
    pages = all_pages(api, q, type="sound", limit=7)
    assert {(one["relaxed"], one["suggestion"]) for one in pages} == {
        (relaxed or "fewer_words", "echo -107" if relaxed == "respelled" else None)
    }
    found = identities(*pages)
    assert len(found) == len(set(found)) == pages[-1]["total"]["value"]
    assert len(found) >= 29
    assert ("sound", "107") not in found or relaxed is None


def test_few_hits_that_lack_a_word_in_their_names_have_a_suggestion(api: httpx.Client) -> None:
    answer = page(api, "reverbaration")
    assert (answer["relaxed"], answer["suggestion"]) == (None, "reverberation")
    assert identities(answer) == [("sound", "2")]
    named = page(api, "windows")
    assert (named["total"]["value"], named["suggestion"]) == (1, None)


def test_nothing_is_widened_where_that_is_not_wanted(api: httpx.Client) -> None:
    for q in ("windwolicker", "qqqqq", "reverbaration zebra"):
        answer = page(api, q, relax="false")
        assert (answer["hits"], answer["relaxed"], answer["suggestion"]) == ([], None, None)
    answer = page(api, "reverbaration", relax="false")
    assert (answer["total"]["value"], answer["suggestion"]) == (1, None)


def test_a_word_that_only_something_deleted_had_is_never_told(api: httpx.Client) -> None:
    for q in (f"{SECRET[:-1]}a", f"{SECRET} windowlicker", SECRET[:-1], f"{SECRET}s aphex"):
        response = api.get("/v1/search", params={"q": q})
        answer = response.json()
        assert answer["relaxed"] in {"fewer_words", "fuzzy", "popular"}, answer
        assert answer["suggestion"] is None
        assert SECRET not in response.text


def test_a_search_that_finds_something_asks_the_engine_once(api: httpx.Client) -> None:
    # A type's first search asks which index is live.
    page(api, "echo")
    before = _engine_calls(api)
    assert page(api, "echo")["suggestion"] is None
    assert page(api, "windows")["suggestion"] is None  # few, but the name says it
    assert _engine_calls(api) - before == 2


def _engine_calls(api: httpx.Client) -> float:
    metrics = api.get("/metrics").text
    found = re.search(r"^disco_query_api_engine_seconds_count (\S+)$", metrics, re.MULTILINE)
    assert found
    return float(found[1])
