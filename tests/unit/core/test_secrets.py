"""No secret of the settings is in what they show of themselves, in errors, or in their traces."""

import dataclasses
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.broker import open_broker
from core.database import open_pool
from core.engine import engine_client
from core.errors import ServiceUnavailableError
from core.settings import Settings, SettingsError, describe, load

SECRET = "geh3im"
_MARKS = ("password", "secret", "token")
_NOWHERE = f"user:{SECRET}@127.0.0.1:9"  # nobody listens there
_URLS = {
    "database_url": f"postgresql://{_NOWHERE}/catalogue",
    "replica_url": f"postgresql://{_NOWHERE}/catalogue",
    "broker_url": f"amqp://{_NOWHERE}/",
    "engine_url": f"http://{_NOWHERE}",
    "object_store_url": f"http://{_NOWHERE}",
}
_NAMES = [one.name for one in dataclasses.fields(Settings)]
_SECRETS = [name for name in _NAMES if any(mark in name for mark in _MARKS)]


@pytest.fixture
def settings() -> Settings:
    everything: dict[str, Any] = dict.fromkeys(_SECRETS, SECRET) | _URLS
    return Settings(**everything, object_store_access_key="name", engine_username="name")


def test_there_are_secrets_and_addresses_to_hide() -> None:
    assert {"engine_password", "cursor_secret", "object_store_secret"} <= set(_SECRETS)
    assert {name for name in _NAMES if name.endswith("_url")} == _URLS.keys()


def test_what_settings_show_of_themselves(settings: Settings) -> None:
    for text in (repr(settings), str(settings), f"{settings}", str(describe(settings))):
        assert SECRET not in text
        assert "127.0.0.1:9" in text


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[None]:
    async with open_pool(settings.database_url, application="test"):
        yield


_OPENERS: dict[str, Callable[[Settings], AbstractAsyncContextManager[Any]]] = {
    "database": _database,
    "broker": lambda settings: open_broker(settings, name="test"),
    "engine": engine_client,
}


@pytest.mark.parametrize("service", _OPENERS)
async def test_errors_of_services_that_are_away(settings: Settings, service: str) -> None:
    with pytest.raises(ServiceUnavailableError) as raised:
        async with _OPENERS[service](settings):
            pass
    error = raised.value
    assert "127.0.0.1:9" in str(error), "it names the address"
    assert SECRET not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("name", _SECRETS)
def test_errors_about_a_secret_that_does_not_fit(name: str, tmp_path: Path) -> None:
    file = tmp_path / "disco.toml"
    file.write_text(f"{name} = 8472635\n")
    with pytest.raises(SettingsError, match=name) as raised:
        load({}, file=file)
    assert "8472635" not in "".join(traceback.format_exception(raised.value))


def test_a_wrong_combination_does_not_tell_the_other(settings: Settings) -> None:
    with pytest.raises(SettingsError) as raised:
        dataclasses.replace(settings, object_store_access_key=None)
    assert SECRET not in "".join(traceback.format_exception(raised.value))
