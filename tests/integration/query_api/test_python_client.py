"""The typed client of `clients/python`, on the real API."""

import socket

import pytest
from disco_client import Client, ProblemError, UnreachableError

from tests.integration.query_api.catalogue import sound, user
from tests.integration.query_api.conftest import Write

GENRE = "Folk, World, & Country"


@pytest.fixture(scope="module", autouse=True)
def _documents(write: Write) -> None:
    write(
        [
            *(sound(n, f"Rain {n}", genre=GENRE if n % 2 else "Techno") for n in range(1, 251)),
            user(1, "Rain Man"),
        ]
    )


@pytest.fixture
def disco(address: str) -> Client:
    return Client(address)


def test_a_page_is_typed(disco: Client) -> None:
    with disco:
        page = disco.search("rain", types=["sound"], facets=["genre"], limit=3)
        assert (page.total.value, page.total.is_exact, page.partial) == (250, True, False)
        assert [hit.type for hit in page.hits] == ["sound"] * 3
        assert page.hits[0].highlight["title"].startswith("<em>Rain</em>")
        assert page.hits[0].fields["license"] == "all-rights-reserved"
        assert {one.value: one.count for one in page.facets["genre"]} == {GENRE: 125, "Techno": 125}
        assert page.request_id
        assert page.next is not None


def test_hits_are_followed_through_all_pages(disco: Client) -> None:
    with disco:
        every = [(hit.type, hit.id) for hit in disco.hits("rain")]
        assert len(every) == len(set(every)) == 251
        some = [(hit.type, hit.id) for hit in disco.hits("rain", limit=7, most=30)]
        assert some == every[:30]
        assert [*disco.hits("zebra", relax=False)] == []


def test_a_widened_search_says_so(disco: Client) -> None:
    with disco:
        page = disco.search("rian", types=["sound"], limit=3)
        assert (page.relaxed, page.suggestion, page.total.value) == ("respelled", "rain", 250)


def test_values_are_sent_as_they_are_meant(disco: Client) -> None:
    with disco:
        assert disco.search(filters={"genre": GENRE}).total.value == 125
        assert disco.search(filters={"genre": [GENRE, "Techno"]}).total.value == 250
        assert disco.search(types=["sound"], filters={"created": "2025"}).total.value == 0


def test_a_problem_is_an_error_with_its_code(disco: Client) -> None:
    with disco, pytest.raises(ProblemError) as caught:
        disco.search(filters={"gerne": "x"})
    error = caught.value
    assert (error.status, error.code, error.parameter) == (
        422,
        "unknown_parameter",
        "filter.gerne",
    )
    assert "filter.genre" in error.allowed
    assert error.request_id
    with disco, pytest.raises(ProblemError) as caught:
        disco.search(explain=True)
    assert caught.value.status == 401


def test_a_service_that_is_away_is_told_apart_from_one_that_refuses(address: str) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with Client(nobody, timeout=2) as disco, pytest.raises(UnreachableError):
            disco.search("rain")
    with Client(f"{address}/elsewhere", timeout=20) as disco, pytest.raises(ProblemError):
        disco.search("rain")
    with pytest.raises(ValueError, match="is no address"):
        Client("disco.example")
