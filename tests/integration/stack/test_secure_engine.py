"""The product works on an engine that has TLS and asks for a password, and on no other terms."""

import dataclasses
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.engine import engine_client
from core.errors import ServiceUnavailableError
from core.settings import Settings
from demo import writes
from tests.integration.indexer.scene import open_scene
from tests.integration.query_api.serving import served
from tests.integration.stack.conftest import OwnStack
from tests.services import place


async def test_a_change_is_indexed_and_found(running: OwnStack, tmp_path: Path) -> None:
    with place(running.open()) as settings:
        assert settings.engine_url.startswith("https://")
        async with open_scene(settings, tmp_path) as scene:
            await scene.index.build()
            async with scene.worker():
                [user] = await scene.application.apply(writes.create_user("Ana Secure"))
                await scene.shows("user", user.id, title="Ana Secure")
                await scene.index.services.generations.refresh_live("user")
                with served(settings) as address:
                    async with httpx.AsyncClient(timeout=20) as client:
                        answer = await client.get(f"{address}/v1/search", params={"q": "secure"})
        assert [hit["id"] for hit in answer.json()["hits"]] == [str(user.id)]


@pytest.mark.parametrize(
    "change",
    [
        {"engine_password": "guessed"},
        {"engine_username": None},
        {"engine_ca_file": None},
        {"engine_url": "http"},
    ],
    ids=str,
)
async def test_who_does_not_know_the_terms_is_refused(
    running: OwnStack, change: dict[str, str | None]
) -> None:
    known: dict[str, Any] = {**running.open().settings()}
    settings = Settings(**known)
    async with engine_client(settings) as engine:
        assert await engine.ping()
    if change == {"engine_url": "http"}:
        change = {
            "engine_url": settings.engine_url.replace("https", "http"),
            "engine_ca_file": None,
        }
    with pytest.raises(ServiceUnavailableError) as refused:
        async with engine_client(dataclasses.replace(settings, **change)):  # type: ignore[arg-type]
            pass
    assert str(settings.engine_password) not in str(refused.value)
