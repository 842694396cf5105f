"""A token of the trusted issuer lets its bearer do what its scope says, over HTTP."""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from core.settings import Settings
from tests.integration.query_api.serving import served

ISSUER = "https://id.example/"
Sign = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def client(
    indices: Settings,
    key: ec.EllipticCurvePrivateKey,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[httpx.Client]:
    """Of a query API that trusts the issuer, and could not ask the database if it wanted to."""
    path: Path = tmp_path_factory.mktemp("issuer") / "keys.json"
    public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "k1"}
    path.write_text(json.dumps({"keys": [public]}))
    trusting = dataclasses.replace(
        indices,
        oauth_issuer=ISSUER,
        oauth_key_set=str(path),
        admin_api="on",
        database_url="postgresql://nobody@127.0.0.1:9/none",
        key_rate_limit=0.8,  # four at once
    )
    with served(trusting) as address, httpx.Client(base_url=address, timeout=20) as made:
        yield made


@pytest.fixture
def sign(key: ec.EllipticCurvePrivateKey) -> Sign:
    def signed(user: str, **changes: object) -> dict[str, str]:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": "disco", "sub": user, "iat": now, "exp": now + 60}
        claims |= {"scope": "search:read"} | changes
        text = jwt.encode(claims, key, algorithm="ES256", headers={"kid": "k1"})
        return {"Authorization": f"Bearer {text}"}

    return signed


def variant(client: httpx.Client, headers: dict[str, str]) -> httpx.Response:
    return client.get("/v1/search", params={"variant": "live"}, headers=headers)


def test_a_token_with_the_scope_lets_in(client: httpx.Client, sign: Sign) -> None:
    assert variant(client, {}).status_code == 401
    assert variant(client, sign("ana")).status_code == 200
    refused = variant(client, sign("bob", scope="private:read"))
    assert (refused.status_code, refused.json()["allowed"]) == (403, ["search:read"])
    expired = variant(client, sign("ana", exp=int(time.time()) - 120))
    assert (expired.status_code, expired.json()["code"]) == (401, "unauthorized")
    assert expired.headers["www-authenticate"].startswith("Bearer")


def test_no_token_is_an_operators(client: httpx.Client, sign: Sign) -> None:
    refused = client.get("/v1/admin/generations", headers=sign("eve", scope="admin search:read"))
    assert refused.status_code == 403


def test_users_have_limits_of_their_own(client: httpx.Client, sign: Sign) -> None:
    headers = sign("often")
    statuses = [variant(client, headers).status_code for _ in range(6)]
    # The first was counted for the address: nobody knew yet whose it was.
    assert statuses == [200] * 5 + [429]
    assert variant(client, sign("seldom")).status_code == 200
