"""Tokens: only what the issuer has signed, for us, with a pinned algorithm, lets anybody in."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from access.keys import Key, Scope
from access.tokens import AGAIN, FRESH, LONGEST, Tokens, Trust
from core.errors import ServiceUnavailableError

ISSUER, AUDIENCE = "https://id.example/", "disco"
Claims = dict[str, Any]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def key_set(tmp_path: Path, rsa_key: rsa.RSAPrivateKey, ec_key: ec.EllipticCurvePrivateKey) -> Path:
    path = tmp_path / "keys.json"
    publish(path, rsa=RSAAlgorithm.to_jwk(rsa_key.public_key(), as_dict=True))
    return path


def publish(path: Path, **keys: Any) -> None:
    path.write_text(json.dumps({"keys": [{**key, "kid": kid} for kid, key in keys.items()]}))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(key_set: Path, clock: Clock) -> Tokens:
    trust = Trust(
        issuer=ISSUER,
        audience=AUDIENCE,
        key_set=str(key_set),
        algorithms=("RS256", "ES256"),
        leeway=30.0,
    )
    return Tokens(trust, clock=clock)


def claims(**changes: Any) -> Claims:
    now = int(time.time())
    made = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "42",
        "iat": now,
        "exp": now + 300,
        "scope": "private:read",
    } | changes
    return {name: value for name, value in made.items() if value is not None}


@pytest.fixture
def signed(rsa_key: rsa.RSAPrivateKey) -> Callable[..., str]:
    def sign(kid: str = "rsa", **changes: Any) -> str:
        return jwt.encode(claims(**changes), rsa_key, algorithm="RS256", headers={"kid": kid})

    return sign


async def test_a_token_lets_its_user_do_what_its_scope_says(
    tokens: Tokens, signed: Callable[..., str]
) -> None:
    bearer = await tokens.verify(signed(scope="openid private:read feedback:write profile"))
    assert isinstance(bearer, Key)
    assert bearer.user_id == "42"
    assert bearer.scopes == {Scope.PRIVATE_READ, Scope.FEEDBACK_WRITE}
    other = await tokens.verify(signed(sub="43"))
    assert other
    assert other.id != bearer.id


async def test_no_token_makes_an_operator(tokens: Tokens, signed: Callable[..., str]) -> None:
    bearer = await tokens.verify(signed(scope="admin search:read"))
    assert bearer
    assert bearer.scopes == {Scope.SEARCH_READ}


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://id.example"},
        {"iss": None},
        {"aud": "others"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 42},
        {"exp": None},
        {"iat": None},
        {"scope": ["private:read"]},
    ],
    ids=str,
)
async def test_what_is_not_for_us_or_not_now_is_refused(
    tokens: Tokens, signed: Callable[..., str], changes: Claims
) -> None:
    assert await tokens.verify(signed()), "the same without the change"
    assert await tokens.verify(signed(**changes)) is None


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -60), ("nbf", 600), ("iat", 600)])
async def test_what_is_over_or_has_not_begun_is_refused(
    tokens: Tokens, signed: Callable[..., str], claim: str, seconds: int
) -> None:
    assert await tokens.verify(signed(**{claim: int(time.time()) + seconds})) is None


async def test_a_clock_may_differ_a_little(tokens: Tokens, signed: Callable[..., str]) -> None:
    assert await tokens.verify(signed(exp=int(time.time()) - 10))
    assert await tokens.verify(signed(iat=int(time.time()) + 10))


async def test_a_changed_token_is_refused(tokens: Tokens, signed: Callable[..., str]) -> None:
    header, _, signature = signed().split(".")
    payload = base64.urlsafe_b64encode(json.dumps(claims(sub="1")).encode()).rstrip(b"=").decode()
    assert await tokens.verify(f"{header}.{payload}.{signature}") is None


async def test_no_signature_is_none(tokens: Tokens) -> None:
    for algorithm in ("none", "None", ""):
        header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "rsa"}).encode())
        payload = base64.urlsafe_b64encode(json.dumps(claims()).encode())
        text = f"{header.decode().rstrip('=')}.{payload.decode().rstrip('=')}."
        assert await tokens.verify(text) is None


async def test_the_public_key_is_no_shared_secret(
    tokens: Tokens, rsa_key: rsa.RSAPrivateKey, key_set: Path
) -> None:
    """Whoever knows the public key must not be able to sign with it, by way of HS256."""

    def part(content: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "kid": "rsa"}) + b"." + part(claims())
    digest = hmac.new(key_set.read_bytes(), signed, hashlib.sha256).digest()
    text = signed + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")
    assert await tokens.verify(text.decode()) is None


async def test_an_algorithm_that_does_not_fit_the_key_is_refused(
    tokens: Tokens, ec_key: ec.EllipticCurvePrivateKey
) -> None:
    text = jwt.encode(claims(), ec_key, algorithm="ES256", headers={"kid": "rsa"})
    assert await tokens.verify(text) is None


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", "." * LONGEST, "a" * 10_000])
async def test_what_is_no_token_is_refused(tokens: Tokens, text: str) -> None:
    assert await tokens.verify(text) is None


async def test_keys_are_exchanged_without_a_restart(
    *,
    tokens: Tokens,
    signed: Callable[..., str],
    ec_key: ec.EllipticCurvePrivateKey,
    rsa_key: rsa.RSAPrivateKey,
    key_set: Path,
    clock: Clock,
) -> None:
    assert await tokens.verify(signed())
    later = ECAlgorithm.to_jwk(ec_key.public_key(), as_dict=True)
    publish(key_set, rsa=RSAAlgorithm.to_jwk(rsa_key.public_key(), as_dict=True), later=later)
    text = jwt.encode(claims(), ec_key, algorithm="ES256", headers={"kid": "later"})
    assert await tokens.verify(text) is None, "it is not looked for again and again"
    clock.now += AGAIN + 1
    assert await tokens.verify(text)
    assert await tokens.verify(signed())
    publish(key_set, later=later)
    assert await tokens.verify(signed()), "until the set is looked at again"
    clock.now += FRESH + 1
    assert await tokens.verify(signed()) is None
    assert await tokens.verify(text)


async def test_keys_hold_while_the_issuer_is_away(
    tokens: Tokens, signed: Callable[..., str], key_set: Path, clock: Clock
) -> None:
    assert await tokens.verify(signed())
    key_set.unlink()
    clock.now += FRESH + 1
    assert await tokens.verify(signed())


async def test_without_any_keys_nobody_can_be_told(
    tokens: Tokens, signed: Callable[..., str], key_set: Path
) -> None:
    key_set.write_text("<html>")
    with pytest.raises(ServiceUnavailableError, match="DISCO_OAUTH_KEY_SET"):
        await tokens.verify(signed())
