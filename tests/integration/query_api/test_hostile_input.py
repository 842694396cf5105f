"""Whatever is sent, the answer is a proper one: found, nothing, or a problem; never a failure."""

import socket
from urllib.parse import quote, urlsplit

import httpx
import pytest

from query_api.problems import Problem
from tests.integration.query_api.catalogue import sound
from tests.integration.query_api.conftest import Write

LUCENE = [
    "title:rain",
    "*:*",
    "*",
    "?",
    "rain*",
    "rai~2",
    "+rain -tin",
    "rain AND NOT tin",
    "rain OR (",
    '"unbalanced',
    "/ra.*n/",
    "[* TO *]",
    "{!lucene}rain",
    "rain^1000",
    "_exists_:title",
    "_index:*",
    "\\",
    "rain\\",
    "&& || !",
    "(((((((((",
]
CODE = [
    '{"match_all":{}}',
    '"}],"query":{"match_all":{}}}',
    "'; DROP TABLE sounds; --",
    "1' OR '1'='1",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}#{7*7}",
    "../../etc/passwd",
    "%s%n%x",
    "ctx._source.remove('title')",
]
TEXTS = [
    "nul\x00in the middle",
    "\x00",
    "\r\nSet-Cookie: a=b",
    "🎧🎤👩‍🎤🏳️‍🌈",
    "مطر في القاهرة",
    "\u202eniar",
    "夜に駆ける",
    "Ω≈ç√∫µ≤≥÷",
    "ﷺ" * 20,
    "Z̸͕̪͑͛a̴̬͛l̶̰͘g̷̱̈o̶͓͛",
    "\ufeffrain",
    "ǅǈǋ ﬁﬂ ẞ",
    "a" * 512,
    "夜" * 512,
    "🎧" * 512,
    "한" * 512,
    " ".join("abcdefghijklmnopqrstuvwxyz" * 20)[:512],
    ("drum and bass " * 40)[:512],
    ("rnb dnb lofi hiphop ft vs rmx pt vol nr inst ost dj ii " * 40)[:512],
    "a.b-c_d/e" * 56,
    "x'y" * 170,
    "AbCdEfGh1i2J3k" * 36,
    "   ",
    "!!!",
    "-",
]
FILTERS = [
    *("filter.genre", "filter.tag", "filter.user", "filter.license", "filter.downloadable"),
    *("filter.duration", "filter.created", "filter.kind", "filter.city", "filter.sound_count"),
]
# What a filter of numbers, ids or dates might pass on to the engine, which would refuse it.
BOUNDS = [
    *("0", "-0", "-1", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808"),
    *(
        "..",
        "1..",
        "..1",
        "9..1",
        "1...2",
        "1e3",
        "0x10",
        "NaN",
        "Infinity",
        "1_000",
        "\uff11\uff12",
    ),
    *("0000", "0001", "9998", "9999", "2024-02-30", "2024-02-29", "2024-1", "now", "now-1d/d"),
    *("2024-05-01T10:00:00+18:01", "2024-05-01T10:00:00-23:59", "0001-01-01T00:00+01:00"),
    *("2024||/y", "*", "[1 TO *]", "true", "TRUE", ",", "\\", "\\,", ",".join(["7"] * 60)),
]
TOO_LONG = ["r" * 10_000, "rain " * 2_000, "🎧" * 5_000]


@pytest.fixture(scope="module", autouse=True)
def _documents(write: Write) -> None:
    write(
        [
            sound(1, "Rain on Tin Roofs", genre="Ambient", tags=["rain", "tin"]),
            sound(2, "Thunder"),
            sound(3, "!!!"),
        ]
    )


@pytest.mark.parametrize("q", LUCENE + CODE + TEXTS)
@pytest.mark.parametrize("types", ["", "sound"])
def test_any_text_is_searched_for(api: httpx.Client, q: str, types: str) -> None:
    response = api.get("/v1/search", params={"q": q, "type": types})
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("name", FILTERS)
def test_any_value_of_a_filter_is_answered(api: httpx.Client, name: str) -> None:
    for value in LUCENE + CODE + TEXTS + TOO_LONG + BOUNDS:
        response = api.get("/v1/search", params={name: value, "facets": "type,genre,duration"})
        assert response.status_code in {200, 422}, (value, response.text)
        if response.status_code == 422:
            assert Problem.model_validate(response.json()).parameter == name


@pytest.mark.parametrize("q", LUCENE)
@pytest.mark.parametrize("name", ["filter.genre", "filter.tag"])
def test_no_syntax_is_interpreted_in_a_filter(api: httpx.Client, q: str, name: str) -> None:
    hits = api.get("/v1/search", params={name: q}).json().get("hits", [])
    assert hits == []


@pytest.mark.parametrize("q", LUCENE)
def test_no_syntax_is_interpreted(api: httpx.Client, q: str) -> None:
    hits = api.get("/v1/search", params={"q": q, "relax": "false"}).json()["hits"]
    titles = {hit["title"] for hit in hits}
    # What stands between the signs is text: "rain" alone may find Rain, nothing may find Thunder.
    assert "Thunder" not in titles


def test_signs_alone_find_a_name_of_the_same_signs(api: httpx.Client) -> None:
    hits = api.get("/v1/search", params={"q": "!!!"}).json()["hits"]
    assert [hit["title"] for hit in hits] == ["!!!"]


@pytest.mark.parametrize("q", TOO_LONG)
def test_too_long_a_text_is_refused(api: httpx.Client, q: str) -> None:
    response = api.get("/v1/search", params={"q": q})
    assert response.status_code == 422
    assert Problem.model_validate(response.json()).parameter == "q"


@pytest.mark.parametrize(
    "query_string",
    [
        "q=%FF%FE%00",
        "q=%ED%A0%80",
        "q=%",
        "q=%zz",
        "q=a&q=b",
        "q",
        "&&&",
        "=",
        "=rain",
        "q[]=rain",
        "q=rain;limit=1",
        "type=%00",
        "type=,,,",
        "limit=%D9%A1%D9%A0",
        "limit=1&limit=2",
        "limit=1e400",
        "cursor=%00%00",
        "cursor=" + "A" * 2000,
        "__proto__=1",
        "filter.=1",
        "filter.__proto__=1",
        "filter.genre[]=1",
        "filter.genre=%00&filter.genre=%FF",
        "sort=_score",
        "sort=%00",
        "facets=,,,",
        "facets=_id,type",
        "&".join(f"a{number}=1" for number in range(500)),
    ],
)
def test_any_query_string_is_answered(api: httpx.Client, query_string: str) -> None:
    for path in ("/v1/search", "/"):
        response = api.get(f"{path}?{query_string}")
        assert response.status_code in {200, 400, 422}, (path, response.text)


@pytest.mark.parametrize("q", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_a_page_repeats_no_markup(api: httpx.Client, q: str) -> None:
    page = api.get("/", params={"q": q, "type": q}, headers={"Accept": "text/html"})
    assert "<script>alert" not in page.text
    assert "<img" not in page.text
    page = api.get("/", params={"q": q}, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "<img" not in page.text


@pytest.mark.parametrize("path", ["/" + "a/" * 200, "/%00", "/%FF", "/..%2f..%2fetc", "/a b", "/*"])
def test_any_path_is_answered(api: httpx.Client, path: str) -> None:
    response = api.get(path)
    assert response.status_code == 404
    assert Problem.model_validate(response.json()).code == "not_found"


@pytest.mark.parametrize(
    "request_line",
    [b"GET /v1/search?q=\xff\xfe HTTP/1.1", b"GET /v1/search?q=r\xc3\xa4 HTTP/1.1"],
)
def test_raw_bytes_in_the_address_are_answered(address: str, request_line: bytes) -> None:
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=20) as connection:
        connection.sendall(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        status = connection.makefile("rb").readline().split()[1]
    assert status in {b"200", b"400"}


def test_a_header_cannot_be_smuggled_into_the_answer(api: httpx.Client) -> None:
    response = api.get(f"/v1/search?q={quote('rain')}", headers={"X-Request-Id": "a b; c=d"})
    assert response.headers["x-request-id"] != "a b; c=d"
