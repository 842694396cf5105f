"""Reading the API's answers, for tests."""

from typing import Any

import httpx

from query_api.answers import SearchAnswer

Answer = dict[str, Any]


def page(api: httpx.Client, q: str = "", **parameters: Any) -> Answer:
    """One page of a search; it must succeed and fit the published schema."""
    response = api.get("/v1/search", params={"q": q, **parameters})
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    SearchAnswer.model_validate(answer)
    return answer


def all_pages(api: httpx.Client, q: str = "", **parameters: Any) -> list[Answer]:
    """All pages of a search, from the first to the last."""
    pages = [page(api, q, **parameters)]
    while cursor := pages[-1]["next"]:
        assert len(pages) < 500, "paging does not end"
        pages.append(page(api, q, **parameters, cursor=cursor))
    return pages


def identities(*pages: Answer) -> list[tuple[str, str]]:
    """Type and id of every hit, in order."""
    return [(hit["type"], hit["id"]) for one in pages for hit in one["hits"]]
