"""Changes reach the suggestions without a build: real events, database and broker."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import httpx
import pytest

from core.broker import open_broker
from core.settings import Settings
from demo import writes
from demo.application import Application, open_application
from demo.writes import Write
from suggest import change_stream, operations
from suggest.app import SuggestApp
from suggest.current import Current
from suggest.feed import Feed, State
from suggest.store import Store

PROMISE = 2.0  # seconds
PATIENCE = 30.0


@pytest.fixture
async def scene(fresh_settings: Settings, tmp_path: Path) -> AsyncIterator["Scene"]:
    settings = dataclasses.replace(fresh_settings, suggest_store=str(tmp_path / "store"))
    async with open_application(settings) as application:
        yield Scene(settings, application)


class Scene:
    """A catalogue, its application and its store."""

    def __init__(self, settings: Settings, application: Application) -> None:
        self.settings = settings
        self.application = application
        self.store = Store(operations.open_store(settings).folder)

    async def write(self, *some: Write) -> int:
        """Commit and tell; the id of the first entity."""
        return (await self.application.apply(*some))[0].id

    async def publish(self) -> str:
        report = await operations.build_from_database(self.settings, force=True, dry_run=False)
        self.store.publish(report.edition)
        return report.edition

    @asynccontextmanager
    async def serving(self, **changes: object) -> AsyncIterator["Service"]:
        settings = dataclasses.replace(self.settings, **changes)  # type: ignore[arg-type]
        current = Current(self.store, partial(Feed, settings))
        await current.look()
        transport = httpx.ASGITransport(app=SuggestApp(current))
        async with httpx.AsyncClient(transport=transport, base_url="http://suggest") as client:
            try:
                yield Service(current, client)
            finally:
                await current.close()


class Service:
    """What answers, and what somebody sees of it."""

    def __init__(self, current: Current, client: httpx.AsyncClient) -> None:
        self.current = current
        self._client = client

    async def texts(self, typed: str) -> list[str]:
        return [str(one["text"]) for one in (await self.completions(typed))]

    async def completions(self, typed: str) -> list[dict[str, object]]:
        answer = await self._client.get("/v1/suggest", params={"q": typed, "fuzzy": "false"})
        found: list[dict[str, object]] = answer.json()["completions"]
        return found

    async def becomes(self, typed: str, *texts: str, within: float = PROMISE) -> None:
        """Completions of a beginning are these, in time."""
        began, found = time.monotonic(), await self.texts(typed)
        while found != list(texts):
            assert time.monotonic() - began < within, found
            await asyncio.sleep(0.01)
            found = await self.texts(typed)


@asynccontextmanager
async def relay(url: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """The broker at another address, and a function that cuts all connections there."""
    parts = urlsplit(url)
    assert parts.port is not None
    open_now: set[asyncio.StreamWriter] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(1 << 16):
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(pump(reader, to), pump(behind, writer))

    def cut() -> None:
        for writer in open_now:
            writer.transport.abort()

    async with await asyncio.start_server(accept, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        yield url.replace(f":{parts.port}/", f":{port}/"), cut
        cut()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


async def test_new_renamed_and_vanished_names_are_seen_in_time(scene: Scene) -> None:
    jo = await scene.write(writes.create_user("Jolanda"))
    rain = await scene.write(writes.create_sound(jo, "Rain in May"))
    await scene.publish()
    async with scene.serving() as service:
        assert service.current.state is State.CURRENT
        assert await service.texts("rain") == ["Rain in May"]

        snow = await scene.write(writes.create_sound(jo, "Snowfall"))
        await service.becomes("snowf", "Snowfall")
        await scene.write(writes.rename("sound", rain, "Drizzle"))
        await service.becomes("drizz", "Drizzle")
        assert await service.texts("rain") == []

        await scene.write(writes.delete("sound", rain), writes.make_private("sound", snow))
        await service.becomes("drizz")
        await service.becomes("snowf")
        await scene.write(writes.publish("sound", snow), writes.restore("sound", rain))
        await service.becomes("snowf", "Snowfall")
        await service.becomes("drizz", "Drizzle")
        await scene.write(writes.destroy("sound", snow))
        await service.becomes("snowf")


async def test_what_is_of_somebody_follows_them(scene: Scene) -> None:
    jo = await scene.write(writes.create_user("Jolanda"))
    sound = await scene.write(writes.create_sound(jo, "Rain in May"))
    await scene.write(writes.create_set(jo, "Wet days"))
    await scene.publish()
    async with scene.serving() as service:
        await scene.write(writes.create_sound(jo, "Snowfall"))
        await service.becomes("snowf", "Snowfall")
        await scene.write(writes.make_private("user", jo))
        for typed in ("rain", "wet", "snowf", "jolan"):
            await service.becomes(typed)
        await scene.write(writes.publish("user", jo))
        await service.becomes("rain", "Rain in May")
        (rain,) = await service.completions("rain")
        assert rain["id"] == str(sound)


async def test_a_start_catches_up_with_what_happened_since_the_build(scene: Scene) -> None:
    jo = await scene.write(writes.create_user("Jolanda"))
    gone = await scene.write(writes.create_sound(jo, "Rain in May"))
    await scene.publish()
    await scene.write(writes.destroy("sound", gone))
    await scene.write(writes.create_sound(jo, "Snowfall"))
    for _ in range(2):  # as often as it starts: reading takes nothing away
        async with scene.serving() as service:
            assert service.current.state is State.CURRENT
            assert await service.texts("rain") == []
            assert await service.texts("snowf") == ["Snowfall"]


async def test_the_next_snapshot_takes_the_overlay_in(scene: Scene) -> None:
    jo = await scene.write(writes.create_user("Jolanda"))
    former = await scene.publish()
    async with scene.serving() as service:
        snow = await scene.write(writes.create_sound(jo, "Snowfall"))
        await service.becomes("snowf", "Snowfall")
        edition = await scene.publish()
        assert edition != former
        await service.current.look()
        assert service.current._feed is not None
        assert service.current._feed.overlay.entities == 0
        assert await service.texts("snowf") == ["Snowfall"]
        await scene.write(writes.destroy("sound", snow))
        await service.becomes("snowf")
        # The former one, and what happened since it was built.
        scene.store.rollback()
        await service.current.look()
        assert service.current.layers is not None
        assert service.current.layers.base.edition == former
        assert await service.texts("snowf") == []


async def test_without_services_the_snapshot_alone_answers_and_says_so(scene: Scene) -> None:
    await scene.write(writes.create_user("Jolanda"))
    await scene.publish()
    for address in ("broker_url", "database_url"):
        away = {"broker_url": "amqp://127.0.0.1:1/", "database_url": "postgresql://127.0.0.1:1/x"}
        async with scene.serving(**{address: away[address]}) as service:
            assert service.current.state is State.AWAY
            assert await service.texts("jolan") == ["Jolanda"]
            ready = await service._client.get("/readyz")
            assert (ready.status_code, ready.json()["overlay"]) == (200, "away")
            answer = await service._client.get("/v1/suggest?q=jo")
            assert answer.headers["x-disco-overlay"] == "away"


async def test_a_connection_that_is_lost_costs_no_change(scene: Scene) -> None:
    jo = await scene.write(writes.create_user("Jolanda"))
    await scene.publish()
    async with (
        relay(scene.settings.broker_url) as (address, cut),
        scene.serving(broker_url=address) as service,
    ):
        await scene.write(writes.create_sound(jo, "Rain in May"))
        await service.becomes("rain", "Rain in May")
        cut()
        await until(lambda: service.current.state is State.AWAY)
        await scene.write(writes.create_sound(jo, "Snowfall"))
        await until(lambda: service.current.state is State.CURRENT)
        assert await service.texts("snowf") == ["Snowfall"]


async def test_a_history_that_is_lost_is_told(scene: Scene) -> None:
    jo = await scene.write(writes.create_user("Jolanda"))
    await scene.publish()
    async with open_broker(scene.settings, name="test") as connection:
        channel = await connection.channel()
        queue = await channel.get_queue(change_stream.NAME)
        await queue.delete(if_unused=False, if_empty=False)
    async with scene.serving() as service:
        assert service.current.state is State.INCOMPLETE
        await scene.write(writes.create_sound(jo, "Snowfall"))
        await service.becomes("snowf", "Snowfall")
    await scene.publish()
    async with scene.serving() as service:
        assert service.current.state is State.CURRENT


async def test_what_is_no_event_is_passed_over(scene: Scene) -> None:
    jo = await scene.write(writes.create_user("Jolanda"))
    await scene.publish()
    async with scene.serving() as service, open_broker(scene.settings, name="test") as connection:
        exchange = await (await connection.channel()).get_exchange("models")
        for key, body in (("save.sound", b"{"), ("nonsense", b"{}"), ("save.robot", b'{"id": 1}')):
            await exchange.publish(aio_pika.Message(body), routing_key=key)
        await scene.write(writes.create_sound(jo, "Snowfall"))
        await service.becomes("snowf", "Snowfall")
