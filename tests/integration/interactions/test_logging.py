"""Searches and interactions come into the database: each once, whole, and nobody else's."""

import uuid
from typing import Any

import httpx
import orjson
import pytest

from tests.integration.interactions.conftest import Fetch

SEARCH = "SELECT * FROM disco.searches WHERE query_id = $1 ORDER BY first"
DONE = "SELECT * FROM disco.interactions WHERE query_id = $1"


def search(api: httpx.Client, **headers: str) -> dict[str, Any]:
    params: dict[str, str | int] = {"q": "RAIN", "type": "sound", "limit": 2}
    found: dict[str, Any] = api.get("/v1/search", params=params, headers=headers).json()
    return found


def event(found: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "query_id": found["query_id"],
        "kind": "click",
        "type": "sound",
        "entity_id": found["hits"][0]["id"],
        "position": 1,
    } | changed


def tell(api: httpx.Client, *events: Any, media_type: str = "text/plain") -> httpx.Response:
    return api.post(
        "/v1/interactions",
        content=orjson.dumps({"events": events}),
        headers={"Content-Type": media_type},
    )


def test_a_search_is_logged_with_all_that_was_shown(api: httpx.Client, fetch: Fetch) -> None:
    headers = {"Disco-User": "ana", "Disco-Session": "s1"}
    found = search(api, **headers)
    params: dict[str, str | int] = {"q": "RAIN", "type": "sound", "cursor": found["next"]}
    following = api.get("/v1/search", params=params, headers=headers).json()
    first, second = fetch(SEARCH, found["query_id"], rows=2)
    assert first["hit_ids"] == [hit["id"] for hit in found["hits"]]
    assert second["hit_ids"] == [hit["id"] for hit in following["hits"]]
    assert (first["first"], second["first"]) == (0, 2)
    assert (first["text"], first["types"], first["every_type"]) == ("rain", ["sound"], False)
    assert (first["total"], first["variant"], first["experiment"]) == (5, "live", None)
    assert orjson.loads(first["generations"]) == found["generations"]
    assert first["user_hash"] == second["user_hash"]
    assert "ana" not in str(first)
    assert len({first["user_hash"], first["session_hash"], None}) == 3


def test_the_page_for_people_is_logged_too(api: httpx.Client, fetch: Fetch) -> None:
    # One long word: no part of it is in a title.
    words = uuid.uuid4().hex.translate(str.maketrans("0123456789", "ghijklmnop"))
    api.get("/", params={"q": words})
    (row,) = fetch("SELECT * FROM disco.searches WHERE text = $1", words, rows=1)
    assert (row["total"], row["every_type"]) == (0, True)
    assert row["hit_ids"], "what is popular was shown in its place"


def test_an_interaction_counts_once_however_often_it_is_sent(
    api: httpx.Client, fetch: Fetch
) -> None:
    found = search(api)
    click = event(found)
    for media_type in ("text/plain", "application/json; charset=utf-8"):
        answer = tell(api, click, click, media_type=media_type)
        assert (answer.status_code, answer.json()) == (202, {"accepted": 2, "rejected": []})
    last = event(found, kind="play", seconds=30.0)
    tell(api, last)
    rows = fetch(DONE, found["query_id"], rows=2)
    assert {row["id"] for row in rows} == {click["id"], last["id"]}


def test_what_is_wrong_is_refused_by_itself_and_counted(api: httpx.Client, fetch: Fetch) -> None:
    found = search(api)
    good, forged = event(found), event(found, query_id="f" * 44)
    before = counted(api, "forged"), counted(api, "position"), clamped(api)
    tomorrow = event(found, at="2999-01-01T00:00:00Z")
    answer = tell(api, forged, good, event(found, position=-1), tomorrow)
    assert answer.status_code == 202
    body = answer.json()
    assert body["accepted"] == 2
    assert [(one["index"], one["reason"]) for one in body["rejected"]] == [
        (0, "forged"), (2, "position")]  # fmt: skip
    assert body["rejected"][0]["id"] == forged["id"]
    assert (counted(api, "forged"), counted(api, "position"), clamped(api)) == tuple(
        value + 1 for value in before
    )
    rows = fetch(DONE, found["query_id"], rows=2)
    assert all(row["done_at"] <= row["received_at"] for row in rows)


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b" " * 10_000_000, "text/plain", 413, "body_too_large"),
        (b"{", "text/plain", 400, "bad_request"),
        (b"[]", "text/plain", 422, "invalid_value"),
        (b'{"events": 1}', "text/plain", 422, "invalid_value"),
        (orjson.dumps({"events": [0] * 501}), "text/plain", 422, "invalid_value"),
        (b"{}", "image/png", 415, "unsupported_media_type"),
    ],
)
def test_a_body_that_cannot_be_taken_is_a_clear_problem(
    api: httpx.Client, content: bytes, media_type: str, status: int, code: str
) -> None:
    before = counted(api, code)
    answer = api.post("/v1/interactions", content=content, headers={"Content-Type": media_type})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert counted(api, code) == before + 1


def test_a_body_without_its_length_is_read_no_further_than_the_limit(api: httpx.Client) -> None:
    pieces = (b" " * 65_536 for _ in range(160))
    answer = api.post("/v1/interactions", content=pieces, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 413


def test_a_page_of_another_origin_may_tell(api: httpx.Client) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    assert api.options("/v1/interactions", headers=asked).status_code == 200


def counted(api: httpx.Client, outcome: str) -> float:
    return metric(api, f'disco_query_api_interactions_total{{outcome="{outcome}"}}')


def clamped(api: httpx.Client) -> float:
    return metric(api, "disco_query_api_interactions_clamped_total")


def metric(api: httpx.Client, name: str) -> float:
    lines = api.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(f"{name} "))
