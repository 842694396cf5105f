"""What is found, in which order, and how it is told."""

import httpx
import pytest

from tests.integration.query_api.catalogue import group, moment, set_, sound, user
from tests.integration.query_api.conftest import Write
from tests.integration.query_api.reading import identities, page

DOCUMENTS = [
    user(1, "Ana Lovelace", handle="ana", permalink="/ana", full_name="Ana María Lovelace"),
    user(2, "Björk", handle="bjork", permalink="/bjork", subtitle="Reykjavík, IS"),
    sound(1, "Rain on Tin Roofs", genre="Ambient", tags=["field recording", "rain"]),
    sound(2, "Thunder", description="Far away, with a little rain.", genre="Ambient"),
    sound(3, "Rain"),
    sound(4, "Hyperballad", subtitle="Björk", user_id=2, user_handle="bjork"),
    sound(5, "<script>alert('x')</script> & <em>friends</em>", tags=["<b>"]),
    sound(6, "夜に駆ける", subtitle="YOASOBI"),
    sound(7, "Mezzanine", genre="Trip Hop", created_at=moment(500)),
    set_(1, "Songs for the Rain", sounds=["Hyperballad", "Thunder"], kind="album"),
    group(1, "Field Recordists", description="We wait for rain."),
]


@pytest.fixture(scope="module", autouse=True)
def _documents(write: Write) -> None:
    write(DOCUMENTS)


def test_all_types_are_searched_at_once(api: httpx.Client) -> None:
    answer = page(api, "rain")
    assert set(identities(answer)) == {
        *(("sound", "1"), ("sound", "2"), ("sound", "3")),
        *(("set", "1"), ("group", "1")),
    }
    assert answer["total"] == {"value": 5, "relation": "eq"}
    assert answer["next"] is None


def test_some_types_can_be_searched(api: httpx.Client) -> None:
    assert set(identities(page(api, "rain", type="group"))) == {("group", "1")}
    assert set(identities(page(api, "rain", type="set,group"))) == {("set", "1"), ("group", "1")}
    assert identities(page(api, "rain", type="user", relax="false")) == []


def test_a_hit_tells_what_its_profile_returns_and_no_more(api: httpx.Client) -> None:
    (hit,) = page(api, "tin roofs")["hits"]
    score = hit.pop("score")
    assert score > 0
    assert hit == {
        "type": "sound",
        "id": "1",
        "title": "Rain on Tin Roofs",
        "subtitle": "Ana Lovelace",
        "permalink": "/ana/sound-1",
        "highlight": {"title": "Rain on <em>Tin</em> <em>Roofs</em>"},
        "fields": {
            "genre": "Ambient",
            "tags": ["field recording", "rain"],
            "user_id": 1,
            "user_handle": "ana",
            "duration_ms": 180_001,
            "license": "all-rights-reserved",
            "downloadable": False,
            "created_at": moment(1),
        },
    }


def test_the_exact_name_goes_first(api: httpx.Client) -> None:
    assert identities(page(api, "RAIN", type="sound"))[0] == ("sound", "3")
    assert identities(page(api, "bjork"))[0] == ("user", "2")


def test_words_may_be_spread_over_the_fields(api: httpx.Client) -> None:
    assert identities(page(api, "bjork hyperballad", type="sound")) == [("sound", "4")]


def test_every_word_has_to_be_found(api: httpx.Client) -> None:
    assert page(api, "rain zebra", relax="false")["total"] == {"value": 0, "relation": "eq"}


def test_the_last_word_may_be_unfinished(api: httpx.Client) -> None:
    answer = page(api, "björk hyperb", type="sound")
    assert identities(answer) == [("sound", "4")]
    assert answer["hits"][0]["highlight"] == {
        "title": "<em>Hyperballad</em>",
        "subtitle": "<em>Björk</em>",
    }


def test_other_scripts_are_found(api: httpx.Client) -> None:
    assert identities(page(api, "夜に")) == [("sound", "6")]


def test_a_highlight_is_html_whatever_the_text_is(api: httpx.Client) -> None:
    (hit,) = page(api, "script friends")["hits"]
    title = hit["highlight"]["title"]
    assert "<em>script</em>" in title
    assert "<em>friends</em>" in title
    assert "&lt;em&gt;" in title
    assert "<" not in title.replace("<em>", "").replace("</em>", "")
    assert hit["title"] == "<script>alert('x')</script> & <em>friends</em>"


def test_without_text_everything_is_listed_newest_first(api: httpx.Client) -> None:
    answer = page(api)
    assert answer["total"]["value"] == len(DOCUMENTS)
    assert identities(answer)[0] == ("sound", "7")
    times = [hit["fields"]["created_at"] for hit in answer["hits"]]
    assert times == sorted(times, reverse=True)
    assert {hit["score"] for hit in answer["hits"]} == {0.0}


def test_a_permalink_has_a_page(api: httpx.Client) -> None:
    there = api.get("/bjork", headers={"Accept": "text/html"})
    assert there.status_code == 200
    assert "Björk" in there.text
    assert api.get("/nobody", headers={"Accept": "text/html"}).status_code == 404
