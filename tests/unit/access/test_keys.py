"""Keys: a grammar, a hash, and nothing that tells the secret."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.keys import Key, KeyText, Scope, UnknownScopeError, matches, parse, scopes_of

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SECRETS = st.text("abcXYZ019_-", min_size=43, max_size=43)
IDS = st.text("0123456789abcdef", min_size=12, max_size=12)


@given(st.builds(KeyText, id=IDS, secret=SECRETS))
def test_what_is_built_can_be_parsed(key: KeyText) -> None:
    assert parse(key.build()) == key


@given(st.text(max_size=150))
def test_any_other_text_is_no_key(text: str) -> None:
    assert parse(text) is None


def test_a_new_key_is_like_no_other_and_has_the_grammar() -> None:
    keys = {KeyText.new().build() for _ in range(100)}
    assert len(keys) == 100
    assert all(parse(key) is not None for key in keys)


def test_only_the_secret_opens() -> None:
    key = KeyText.new()
    assert matches(key, key.secret_hash)
    assert not matches(KeyText(id=key.id, secret=KeyText.new().secret), key.secret_hash)
    assert key.secret.encode() not in key.secret_hash


def test_a_secret_is_in_no_repr() -> None:
    key = KeyText.new()
    assert key.secret not in repr(key)


@pytest.mark.parametrize(
    ("revoked_at", "expires_at", "holds"),
    [
        (None, None, True),
        (None, NOW + timedelta(seconds=1), True),
        (None, NOW, False),
        (NOW - timedelta(days=1), None, False),
    ],
)
def test_a_key_holds_until_it_is_revoked_or_expires(
    revoked_at: datetime | None, expires_at: datetime | None, holds: bool
) -> None:
    key = Key(
        id="0" * 12,
        name="ana",
        scopes=frozenset({Scope.ADMIN}),
        created_at=NOW - timedelta(days=2),
        expires_at=expires_at,
        revoked_at=revoked_at,
    )
    assert key.holds(NOW) is holds


def test_scopes_have_names() -> None:
    assert scopes_of(["admin", "search:read"]) == {Scope.ADMIN, Scope.SEARCH_READ}
    with pytest.raises(UnknownScopeError, match=r"'root' is no scope; there are: search:read"):
        scopes_of(["root"])
    with pytest.raises(UnknownScopeError, match="nothing is no scope"):
        scopes_of([])
