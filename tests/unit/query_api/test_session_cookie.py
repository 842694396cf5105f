"""The cookie of a page session: known again until it ends, and nobody else can make one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api.session_cookie import LIFETIME, PageSession, SessionSigner

NOW = 1_800_000_000.7
KEY = "5f0c3a9be211"
SIGNER = SessionSigner(b"secret")


def test_a_session_is_known_again_until_it_ends() -> None:
    cookie = SIGNER.build(KEY, now=NOW)
    ends_at = int(NOW) + LIFETIME
    assert SIGNER.parse(cookie, now=NOW) == PageSession(key_id=KEY, ends_at=ends_at)
    assert SIGNER.parse(cookie, now=ends_at - 1) is not None
    assert SIGNER.parse(cookie, now=ends_at) is None


def test_another_secret_signs_otherwise() -> None:
    assert SessionSigner(b"other").parse(SIGNER.build(KEY, now=NOW), now=NOW) is None


@pytest.mark.parametrize("changed", [("5f0c", "5f0d"), (".18", ".19")])
def test_neither_key_nor_end_can_be_changed(changed: tuple[str, str]) -> None:
    cookie = SIGNER.build(KEY, now=NOW)
    forged = cookie.replace(*changed, 1)
    assert forged != cookie
    assert SIGNER.parse(forged, now=NOW) is None


@given(st.text(max_size=200))
def test_any_other_text_is_nobodys(text: str) -> None:
    assert SIGNER.parse(text, now=NOW) is None
