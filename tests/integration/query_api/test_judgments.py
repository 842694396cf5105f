"""Judging over HTTP: `/v1/judgments…` for programs, and what `/judge` lets in."""

import asyncio
import re
from collections.abc import Iterator

import httpx
import pytest

from access.operations import open_keys
from core.database import open_pool
from core.operation_log import Actor
from core.settings import Settings
from evaluation.judgment_operations import Query, Scale
from evaluation.judgment_store import JudgmentStore
from tests.integration.query_api.catalogue import sound
from tests.integration.query_api.conftest import Write

DOCUMENTS = [sound(number, f"Rain {number}") for number in range(1, 4)]


async def _key(settings: Settings, name: str, scope: str) -> str:
    async with open_keys(settings, Actor(name="ana", via="cli")) as keys:
        return (await keys.create(name, [scope])).text


async def _set(settings: Settings, name: str) -> None:
    queries = [Query.of("rain", "q1"), Query.of("nothing at all", "q2")]
    async with open_pool(settings.database_url, application="disco tests") as pool:
        await JudgmentStore(pool).add(name, Scale.GRADES, queries, [])


@pytest.fixture(scope="module")
def key(indices: Settings, write: Write) -> str:
    write(DOCUMENTS)
    return asyncio.run(_key(indices, "ana", "feedback:write"))


@pytest.fixture
def judged(indices: Settings, request: pytest.FixtureRequest) -> str:
    """The name of a set with two queries."""
    name = re.sub("[^a-z]", "-", request.node.name)[-40:].strip("-")
    asyncio.run(_set(indices, name))
    return name


@pytest.fixture
def rater(api: httpx.Client, key: str) -> httpx.Client:
    api.headers["Authorization"] = f"Bearer {key}"
    return api


@pytest.fixture
def browser(address: str, key: str) -> Iterator[httpx.Client]:
    """A client that has entered."""
    with httpx.Client(base_url=address, timeout=20, follow_redirects=True) as client:
        client.headers["Accept"] = "text/html"
        entered = client.post("/login", data={"key": key, "next": "/judge"})
        assert "What shall be judged?" in entered.text
        yield client


def test_grades_go_in_all_or_none_and_come_out(rater: httpx.Client, judged: str) -> None:
    path = f"/v1/judgments/{judged}"
    one = {"query": "rain", "type": "sound", "id": "1", "grade": 3}
    new = {"query": "snow", "type": "sound", "id": "1", "grade": 0}
    answer = rater.post(path, json={"judgments": [one, new]})
    assert answer.json() == {"set": judged, "rater": "ana", "judged": 2, "withdrawn": 0}
    other = rater.post(path, json={"rater": "bo", "judgments": [one | {"grade": 1}]})
    assert other.json()["rater"] == "ana:bo"
    rater.post(path, json={"judgments": [one | {"grade": 2}]})  # replaces

    shown = rater.get(path).json()
    assert [(q["text"], q["judgments"]) for q in shown["queries"]] == [
        *(("rain", 2), ("nothing at all", 0), ("snow", 1)),
    ]
    assert shown["raters"] == {"ana": 2, "ana:bo": 1}
    assert shown["agreement"]["items"] == 1
    found = rater.get(f"{path}/q1").json()
    assert [(j["rater"], j["grade"]) for j in found["judgments"]] == [("ana", 2), ("ana:bo", 1)]

    unknown = {"query_id": "none", "type": "sound", "id": "1", "grade": 1}
    refused = rater.post(path, json={"judgments": [one | {"id": "9"}, unknown]})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_value")
    assert rater.get(path).json()["raters"] == {"ana": 2, "ana:bo": 1}
    gone = rater.post(path, json={"judgments": [one | {"grade": None}]})
    assert gone.json()["withdrawn"] == 1
    assert judged in [one["name"] for one in rater.get("/v1/judgments").json()["sets"]]


@pytest.mark.parametrize(
    "judgment",
    [
        {"type": "sound", "id": "1", "grade": 1},
        {"query": "a", "query_id": "q1", "type": "sound", "id": "1", "grade": 1},
        {"query": "a", "type": "so und", "id": "1", "grade": 1},
        {"query": "\0", "type": "sound", "id": "1", "grade": 1},
        {"query": "a", "type": "sound", "id": "1", "grade": "1"},
        {"query": "a", "type": "sound", "id": "1", "grade": 10_001},
    ],
)
def test_bad_judgments_are_refused(
    rater: httpx.Client, judged: str, judgment: dict[str, object]
) -> None:
    answer = rater.post(f"/v1/judgments/{judged}", json={"judgments": [judgment]})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_value")


def test_one_entity_has_one_grade(rater: httpx.Client, judged: str) -> None:
    one = {"query_id": "q1", "type": "sound", "id": "1", "grade": 1}
    answer = rater.post(f"/v1/judgments/{judged}", json={"judgments": [one, one]})
    assert "judged twice" in answer.json()["detail"]


def test_what_there_is_not_is_told(rater: httpx.Client, judged: str) -> None:
    for path in ("/v1/judgments/nowhere", f"/v1/judgments/{judged}/q9"):
        assert rater.get(path).status_code == 422


def test_it_needs_a_key_with_the_scope(api: httpx.Client, indices: Settings) -> None:
    assert api.get("/v1/judgments").status_code == 401
    other = asyncio.run(_key(indices, "bo", "search:read"))
    answer = api.get("/v1/judgments", headers={"Authorization": f"Bearer {other}"})
    assert (answer.status_code, answer.json()["allowed"]) == (403, ["feedback:write"])
    page = api.get("/judge", headers={"Authorization": f"Bearer {other}"})
    assert page.status_code == 403
    assert api.get("/judge").status_code == 401
    assert api.get("/judge", headers={"Accept": "text/html"}).headers["location"] == (
        "/login?next=%2Fjudge"
    )


def test_grades_of_a_form_are_kept(browser: httpx.Client, judged: str) -> None:
    done = browser.post(f"/judge/{judged}", data={"query": "q1", "grade.sound:1": "3"})
    assert "nothing at all" in done.text  # the next query
    again = browser.get(f"/judge/{judged}?query=q1").text
    assert re.search(r'name="grade.sound:1" value="3" checked', again)
    browser.post(f"/judge/{judged}", data={"query": "q1", "grade.sound:1": ""})
    again = browser.get(f"/judge/{judged}?query=q1").text
    assert re.search(r'name="grade.sound:1" value="" checked', again)


def test_a_form_of_another_site_is_refused(browser: httpx.Client, judged: str) -> None:
    form = {"query": "q1", "grade.sound:1": "3"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        assert browser.post(f"/judge/{judged}", data=form, headers=headers).status_code == 403
    assert "No opinion" in browser.get(f"/judge/{judged}?query=q1").text
    assert "checked" not in re.sub(
        r'value="" checked', "", browser.get(f"/judge/{judged}?query=q1").text
    )


@pytest.mark.parametrize(
    ("field", "value"), [("grade.sound:1", "4"), ("grade.sound:1", "x"), ("grade.sound", "1")]
)
def test_a_forged_grade_is_refused(
    browser: httpx.Client, judged: str, field: str, value: str
) -> None:
    form = {"query": "q1", field: value}
    assert browser.post(f"/judge/{judged}", data=form).status_code == 422


def test_an_unknown_set_query_or_variant_is_told(browser: httpx.Client, judged: str) -> None:
    for path in ("/judge/nowhere", f"/judge/{judged}?query=q9", f"/judge/{judged}?first=none"):
        assert browser.get(path).status_code == 422
