"""Nobody without rights learns anything of what is private: not a title, an id, or how many.

The catalogue is half private, and goes through the real indexer. Everything private has two words
of its own. Requests are generated with the one, and no answer may have the other. `make test` tries
some hundred of them, `LEAK_REQUESTS=100000` as many as that.
"""

import asyncio
import dataclasses
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from core.settings import Settings
from demo import writes
from demo.application import Application, open_application
from demo.writes import Write
from suggest import operations as suggestions
from tests.integration.indexer.oracle import open_index
from tests.integration.query_api.serving import served

REQUESTS = int(os.environ.get("LEAK_REQUESTS", "400"))
_OF_EACH = 12  # entities of each type, half of them private
_SHARED = "everywhere"  # a word of all titles
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo")
_TYPES = ("sound", "user", "set", "group")
HTML = {"Accept": "text/html"}


@dataclass(frozen=True, kw_only=True)
class Secret:
    """Something private."""

    type: str
    id: int
    told: str  # the word that requests may have
    kept: str  # the word that no answer may have
    permalink: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where to ask, and what must not be told."""

    client: httpx.Client
    secrets: list[Secret]
    public: dict[str, int]  # how many there are of each type


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=7))


async def _fill(application: Application, chance: random.Random) -> list[Secret]:
    """Half of everything private by itself, and what belongs to somebody private besides."""
    [owner, hidden] = await application.commit(
        writes.create_user(f"Owner {_SHARED}"), writes.create_user(f"Hidden {_word(chance)}")
    )
    makers: dict[str, Callable[[str, int], Write]] = {
        "sound": lambda title, who: writes.create_sound(who, title),
        "set": lambda title, who: writes.create_set(who, title),
        "group": lambda title, who: writes.create_group(who, title),
        "user": lambda title, _who: writes.create_user(title),
    }
    secrets: list[Secret] = []
    for entity, make in makers.items():
        for number in range(_OF_EACH):
            told, kept = _word(chance), _word(chance)
            title = f"{_SHARED} {told} {kept}"
            # A third of what is hidden is so for its owner's sake.
            is_secret, by_owner = number % 2 == 0, entity != "user" and number % 6 == 0
            [made] = await application.commit(make(title, hidden.id if by_owner else owner.id))
            if is_secret:
                if not by_owner:
                    await application.commit(writes.make_private(entity, made.id))
                secrets.append(Secret(type=entity, id=made.id, told=told, kept=kept, permalink=""))
    # A public set with private sounds in it must not name them.
    [mixed] = await application.commit(writes.create_set(owner.id, f"{_SHARED} mixed"))
    sounds = [one.id for one in secrets if one.type == "sound"]
    await application.commit(writes.add_to_set(mixed.id, *sounds))
    await application.commit(writes.make_private("user", hidden.id))
    return secrets


@pytest.fixture(scope="module")
def asked(settings: Settings) -> Iterator[Place]:
    chance = random.Random(7)

    async def prepare() -> tuple[list[Secret], dict[str, int]]:
        async with open_application(settings) as application:
            secrets = await _fill(application, chance)
        async with open_index(settings) as index:
            await index.build()
            rows = index.services.databases.primary
            tables = {"sound": "sounds", "user": "users", "set": "sets", "group": "groups"}
            names = {
                "sound": "permalink",
                "set": "permalink",
                "group": "permalink",
                "user": "username",
            }
            full = [
                Secret(
                    type=one.type,
                    id=one.id,
                    told=one.told,
                    kept=one.kept,
                    permalink=await rows.fetchval(
                        f"select {names[one.type]} from {tables[one.type]} where id = $1", one.id
                    ),
                )
                for one in secrets
            ]
        half = _OF_EACH // 2
        return full, {"sound": half, "user": half + 1, "set": half + 1, "group": half}

    secrets, public = asyncio.run(prepare())
    with served(settings) as address, httpx.Client(base_url=address, timeout=20) as client:
        yield Place(client=client, secrets=secrets, public=public)


def _requests(place: Place, chance: random.Random) -> Iterator[tuple[str, dict[str, str]]]:
    """Paths and headers, without end."""
    while True:
        secret = chance.choice(place.secrets)
        words = [
            secret.told,
            secret.told[: chance.randint(2, 10)],
            f"{secret.told} {_SHARED}",
            secret.told[:4] + secret.told[5:],
            _SHARED,
            str(secret.id),
            "",
        ]
        q = quote(chance.choice(words))
        narrowed = chance.choice(["", f"&type={secret.type}", f"&type={','.join(_TYPES)}"])
        more = chance.choice(
            [*[""] * 6, "&limit=50", "&limit=1", "&facets=genre", "&explain=true", "&sort=newest"]
        )
        path = chance.choice(
            [
                *[f"/v1/search?q={q}{narrowed}{more}"] * 4,
                f"/?q={q}{narrowed}",
                f"/v1/explore?type={secret.type}",
                f"/v1/sounds/{secret.id}/related",
                f"/explore?type={secret.type}",
                f"/{quote(secret.permalink)}",
            ]
        )
        headers = chance.choice([{}, HTML, {"Authorization": "Bearer made.up.token"}])
        yield path, headers


def test_no_answer_has_anything_private(asked: Place) -> None:
    chance = random.Random(11)
    kept = {one.kept: one for one in asked.secrets}
    ids = {(one.type, str(one.id)) for one in asked.secrets}
    answered = 0
    for _, (path, headers) in zip(range(REQUESTS), _requests(asked, chance), strict=False):
        answer = asked.client.get(path, headers=headers)
        # A slow engine may be told of; what is looked for must not be in that, either.
        assert answer.status_code < 500 or answer.status_code in {503, 504}, (path, answer.text)
        told = answer.text
        assert not [word for word in kept if word in told], (path, told[:2_000])
        if answer.headers["content-type"] == "application/json" and answer.status_code == 200:
            answered += 1
            shown = {(hit["type"], hit["id"]) for hit in answer.json().get("hits", ())}
            assert not shown & ids, (path, shown & ids)
    assert answered > REQUESTS / 5, "hardly anything was asked that has an answer"


def test_counts_are_of_what_is_public_alone(asked: Place) -> None:
    for entity, count in asked.public.items():
        found = asked.client.get("/v1/search", params={"q": _SHARED, "type": entity}).json()
        assert found["total"] == {"value": count, "relation": "eq"}, entity
    for secret in asked.secrets:
        found = asked.client.get("/v1/search", params={"q": secret.told}).json()
        assert secret.kept not in str(found)


def test_nothing_private_is_suggested(asked: Place, settings: Settings, tmp_path: Path) -> None:
    own = dataclasses.replace(settings, suggest_store=str(tmp_path))
    built = asyncio.run(suggestions.build_from_database(own, force=True, dry_run=False))
    content = (tmp_path / f"{built.edition}.snapshot").read_bytes()
    for secret in asked.secrets:
        assert secret.kept.encode() not in content
        assert secret.told.encode() not in content
