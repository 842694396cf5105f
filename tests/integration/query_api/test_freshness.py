"""What changes while people search."""

import httpx

from tests.integration.query_api.catalogue import moment, sound
from tests.integration.query_api.conftest import Write
from tests.integration.query_api.reading import all_pages, identities, page


def test_a_change_is_found_as_soon_as_the_engine_shows_it(api: httpx.Client, write: Write) -> None:
    write([sound(60, "Unfinished Sketch")])
    assert identities(page(api, "sketch")) == [("sound", "60")]
    write([sound(60, "Finished Piece", updated_at=moment(61))])
    assert identities(page(api, "sketch", relax="false")) == []
    assert identities(page(api, "finished piece")) == [("sound", "60")]


def test_what_comes_in_while_paging_repeats_and_skips_nothing(
    api: httpx.Client, write: Write
) -> None:
    old = [sound(number, "Echo", created_at=moment(1)) for number in range(100, 150)]
    write(old)
    first = page(api, limit=20, type="sound")
    write([sound(999, "Newcomer", created_at=moment(9_999))])
    rest, cursor = [], first["next"]
    while cursor:
        rest.append(page(api, limit=20, type="sound", cursor=cursor))
        cursor = rest[-1]["next"]
    seen = identities(first, *rest)
    assert len(seen) == len(set(seen))
    assert set(seen) >= {("sound", str(document["id"])) for document in old}
    assert ("sound", "999") in identities(*all_pages(api, limit=20, type="sound"))
