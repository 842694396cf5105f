"""Variants: by request, by experiment, in the shadow; and who may choose."""

import asyncio
import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from access.operations import open_keys
from core import definitions
from core.operation_log import Actor
from core.settings import Settings
from query_api.answers import SearchAnswer
from query_api.problems import Problem
from tests.integration.query_api.catalogue import sound
from tests.integration.query_api.conftest import Write
from tests.integration.query_api.reading import Answer, page
from tests.integration.query_api.serving import served

PATIENCE = 20.0  # seconds

FILE = """
[variants.descriptions]
profiles = "descriptions"
[variants.unbuilt]
generations = {sound = "ready"}
[experiment]
name = "all-descriptions"
unit = "session"
shares = {descriptions = 1.0}
"""
SHADOW = '[shadow]\nvariant = "descriptions"\nshare = 1.0\n'
UNBUILT = FILE.replace("{descriptions = 1.0}", "{unbuilt = 1.0}")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, indices: Settings) -> Path:
    """A file with a variant that finds sounds by their description alone."""
    folder = tmp_path_factory.mktemp("experiments")
    own = definitions.load(indices.definitions_path)["sound"].profile
    changed = dict(own) | {"match": {"words": {"description": 1}}}
    (folder / "descriptions").mkdir()
    (folder / "descriptions" / "sound.search.json").write_text(json.dumps(changed))
    (folder / "experiments.toml").write_text(FILE)
    return folder / "experiments.toml"


@pytest.fixture(scope="module", autouse=True)
def _documents(write: Write) -> None:
    write([sound(1, "Rain"), sound(2, "Sun", description="Rain")])


@pytest.fixture(scope="module")
def address(indices: Settings, file: Path) -> Iterator[str]:
    with served(dataclasses.replace(indices, experiments=str(file))) as at:
        yield at


@pytest.fixture(scope="module")
def keys(indices: Settings) -> dict[str, str]:
    """Keys by scope."""

    async def make() -> dict[str, str]:
        async with open_keys(indices, Actor(name="tests", via="cli")) as opened:
            scopes = ("search:read", "feedback:write")
            return {scope: (await opened.create(scope, [scope])).text for scope in scopes}

    return asyncio.run(make())


def ask(api: httpx.Client, key: str | None = None, **parameters: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return api.get(
        "/v1/search", params={"q": "rain", "type": "sound"} | parameters, headers=headers
    )


def found(answer: Answer) -> set[str]:
    return {hit["id"] for hit in answer["hits"]}


def test_hits_are_explained_to_those_who_may_ask(api: httpx.Client, keys: dict[str, str]) -> None:
    assert ask(api, q="rain", explain="true").status_code == 401
    assert ask(api, keys["feedback:write"], q="rain", explain="true").status_code == 403
    answer: Answer = ask(
        api, keys["search:read"], q="rain", explain="true", variant="live", facets="genre"
    ).json()
    SearchAnswer.model_validate(answer)
    plain = ask(api, keys["search:read"], q="rain", variant="live", facets="genre").json()
    assert [hit["score"] for hit in answer["hits"]] == [hit["score"] for hit in plain["hits"]]
    (first, second) = (hit["explanation"] for hit in answer["hits"])
    assert {(one["match"], one["field"]) for one in first if one["signal"] == "text"} >= {
        *(("exact", "title.exact"), ("words", "title"), ("phrase", "title")),
        ("prefix", "title.prefix"),
    }
    assert {one["field"] for one in second if one["signal"] == "text"} == {"description"}
    assert {one["signal"]: one["value"] for one in first} | {"text": 0} == {
        "text": 0,
        "rank": 1.0,
        "type": 1.0,
    }
    assert all(one["value"] > 0 for one in first)
    unranked = ask(
        api, keys["search:read"], q="rain", explain="true", variant="live", sort="newest"
    ).json()
    assert [hit["explanation"] for hit in unranked["hits"]] == [[], []]
    assert "explanation" not in plain["hits"][0]


def test_who_has_the_scope_chooses_the_variant(api: httpx.Client, keys: dict[str, str]) -> None:
    live = page(api, q="rain", type="sound")
    assert (live["variant"], "1" in found(live)) == ("live", True)
    answer = ask(api, keys["search:read"], variant="descriptions").json()
    assert (answer["variant"], answer["experiment"]) == ("descriptions", None)
    assert found(answer) == {"2"}
    assert ask(api, keys["search:read"], variant="live").json()["variant"] == "live"


def test_who_has_not_does_not(api: httpx.Client, keys: dict[str, str]) -> None:
    for key, status, code in [
        (None, 401, "unauthorized"),
        ("disco_of_nobody", 401, "unauthorized"),
        (keys["search:read"][:-1] + "?", 401, "unauthorized"),
        (keys["search:read"].replace("disco_", "disco_0")[:62], 401, "unauthorized"),
        (keys["feedback:write"], 403, "forbidden"),
    ]:
        response = ask(api, key, variant="descriptions")
        problem = Problem.model_validate(response.json())
        assert (response.status_code, problem.code) == (status, code)
        assert ("www-authenticate" in response.headers) == (status == 401)
        assert key is None or key not in response.text


def test_a_variant_that_there_is_not_is_a_clear_problem(
    api: httpx.Client, keys: dict[str, str]
) -> None:
    response = ask(api, keys["search:read"], variant="nonsense")
    problem = Problem.model_validate(response.json())
    assert (response.status_code, problem.code) == (422, "invalid_value")
    assert problem.parameter == "variant"
    assert problem.allowed == ["live", "descriptions", "unbuilt"]


def test_a_variant_without_its_index_is_unavailable(
    api: httpx.Client, keys: dict[str, str]
) -> None:
    response = ask(api, keys["search:read"], variant="unbuilt")
    assert (response.status_code, response.json()["code"]) == (503, "variant_unavailable")
    assert "ready index of sound" in response.json()["detail"]


def test_an_experiment_chooses_for_a_session_and_keeps_to_it(api: httpx.Client) -> None:
    session = {"Disco-Session": "s1"}
    params: dict[str, str | int] = {"q": "", "type": "sound", "limit": 1}
    first = api.get("/v1/search", params=params, headers=session).json()
    assert (first["variant"], first["experiment"]) == ("descriptions", "all-descriptions")
    # The next page is of the same variant, whoever asks.
    second = api.get("/v1/search", params=params | {"cursor": first["next"]}).json()
    assert (second["variant"], second["experiment"]) == ("descriptions", "all-descriptions")
    assert second["query_id"] == first["query_id"]
    assert page(api, q="rain", type="sound")["experiment"] is None


def test_a_cursor_of_a_variant_is_no_way_around_the_scope(
    api: httpx.Client, keys: dict[str, str]
) -> None:
    first = ask(api, keys["search:read"], variant="descriptions", q="", limit="1").json()
    response = ask(api, q="", limit="1", cursor=first["next"])
    assert (response.status_code, response.json()["code"]) == (422, "cursor_mismatch")


def test_nobody_goes_without_an_answer_for_an_experiments_sake(
    indices: Settings, file: Path, tmp_path: Path
) -> None:
    unbuilt = file.with_name("unbuilt.toml")
    unbuilt.write_text(UNBUILT)
    with (
        served(dataclasses.replace(indices, experiments=str(unbuilt))) as at,
        httpx.Client(base_url=at, timeout=PATIENCE) as api,
    ):
        answer = api.get("/v1/search", params={"q": "rain"}, headers={"Disco-Session": "s"}).json()
        assert (answer["variant"], answer["experiment"]) == ("live", None)
        assert 'variant_fallbacks_total{variant="unbuilt"} 1.0' in api.get("/metrics").text


def test_the_shadow_compares_and_changes_no_answer(indices: Settings, file: Path) -> None:
    shadowed = file.with_name("shadowed.toml")
    shadowed.write_text(FILE.partition("[experiment]")[0] + SHADOW)
    with (
        served(dataclasses.replace(indices, experiments=str(shadowed))) as at,
        httpx.Client(base_url=at, timeout=PATIENCE) as api,
    ):
        before = _metric(api, "shadow_overlap_count")
        answer = page(api, q="rain", type="sound")
        assert (answer["variant"], "1" in found(answer)) == ("live", True)
        deadline = time.monotonic() + PATIENCE
        while _metric(api, "shadow_overlap_count") == before:
            assert time.monotonic() < deadline, "nothing was compared"
        assert _metric(api, "shadow_overlap_sum") < _metric(api, "shadow_overlap_count")
        assert (
            'shadow_seconds_count{side="live",variant="descriptions"}' in api.get("/metrics").text
        )


def test_keys_are_not_let_in_by_pages_of_other_origins(api: httpx.Client) -> None:
    preflight = api.options(
        "/v1/search",
        headers={
            "Origin": "https://elsewhere.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
        },
    )
    assert "authorization" not in preflight.headers["access-control-allow-headers"].lower()


def _metric(api: httpx.Client, name: str) -> float:
    prefix = f'disco_query_api_{name}{{variant="descriptions"}} '
    lines = api.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(prefix)) for line in lines if line.startswith(prefix))
