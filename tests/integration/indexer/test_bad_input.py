"""Bad input ends in a counted outcome and a clear message, and the rest flows on."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from core.broker import BATCH_QUEUE, INTERACTIVE_QUEUE, open_broker
from core.events import encode, format_time, routing_key
from core.settings import Settings
from demo import writes
from demo.changes import Change
from indexer.cascade import RefreshPublisher
from indexer.deliveries import Consumer, Delivery
from indexer.fanout import Fanout
from indexer.lane import Lane, LaneSettings
from tests.integration.indexer.altered_definitions import altered
from tests.integration.indexer.broker_view import dead_letters, event_body
from tests.integration.indexer.command_line import disco
from tests.integration.indexer.scene import Scene, open_scene
from tests.integration.indexer.worker_process import launcher

_NOW = "2026-11-24T12:00:00.000001+00:00"
_SOON = 60.0  # seconds of patience for a good event, whatever came before it


class Bad(NamedTuple):
    """A message that is no event."""

    routing_key: str
    body: bytes
    reason: str  # stable code
    detail: str  # part of the words


BAD = (
    Bad("save.sound", b"", "not_json", "body is not JSON"),
    Bad("save.sound", b'{"id": 1', "not_json", "body is not JSON"),
    Bad("save.sound", b'\xff\xfe{"id": 1}', "not_json", "body is not JSON"),
    Bad("save.sound", b"[1, 2]", "not_json", "a JSON list, not an object"),
    Bad("save.sound", event_body(None, _NOW), "no_id", "no `id`"),
    Bad("save.sound", event_body("abc", _NOW), "bad_id", "'abc'"),
    Bad("save.sound", event_body(-1, _NOW), "bad_id", "'-1'"),
    Bad("save.sound", event_body(1.5, _NOW), "bad_id", "'1.5'"),
    Bad("save.sound", event_body(True, _NOW), "bad_id", "'True'"),
    Bad("save.sound", event_body(2**63, _NOW), "bad_id", str(2**63)),
    Bad("save.sound", event_body(1, None), "no_time", "no `occurred_at`"),
    Bad("save.sound", event_body(1, 1_795_000_000), "bad_time", "not a string"),
    Bad("save.sound", event_body(1, "yesterday"), "bad_time", "'yesterday'"),
    Bad("save.sound", event_body(1, "2026-11-24T12:00:00.000001"), "bad_time", "its offset"),
    Bad("save.sound", event_body(1, "1969-01-01T00:00:00+00:00"), "bad_time", "1969"),
    Bad("save.playlist", event_body(1, _NOW), "unknown_type", "'playlist'"),
    Bad("rename.sound", event_body(1, _NOW), "routing_key", "'rename.sound'"),
    Bad("sound", event_body(1, _NOW), "routing_key", "'sound'"),
    Bad("save.", event_body(1, _NOW), "routing_key", "'save.'"),
    Bad("save.sound", event_body(1, _NOW, more="x" * 10_000_000), "too_large", "10000"),
)


async def _user(scene: Scene) -> Change:
    (change,) = await scene.application.commit(writes.create_user("Ana"))
    await scene.index.take(("user", change.id))
    return change


async def _sound(scene: Scene, user: Change, title: str) -> Change:
    (change,) = await scene.application.commit(writes.create_sound(user.id, title))
    return change


async def _flows(scene: Scene, user: Change) -> None:
    """A good event is indexed soon."""
    sound = await _sound(scene, user, "Good")
    await scene.publish(sound.event)
    await scene.shows("sound", sound.id, title="Good", within=_SOON)


@asynccontextmanager
async def _altered_scene(
    settings: Settings, folder: Path, definitions: str
) -> AsyncIterator[Scene]:
    """A scene whose indices are built from other definitions, while there are no rows."""
    changed = dataclasses.replace(settings, definitions=definitions)
    async with open_scene(changed, folder) as scene:
        await scene.index.build()
        yield scene


# Messages that are no events


async def test_each_bad_message_is_dead_lettered_and_the_next_event_is_indexed(
    scene: Scene,
) -> None:
    user = await _user(scene)
    async with scene.worker() as worker:
        for number, bad in enumerate(BAD, start=1):
            await scene.broker.send(bad.routing_key, bad.body)
            await _flows(scene, user)
            await scene.dead_letters_are(number)
            letter = (await dead_letters(scene.settings))[-1]
            assert (letter.reason, letter.routing_key) == (bad.reason, bad.routing_key)
            assert bad.detail in letter.detail
            assert letter.size == len(bad.body)
            assert letter.queue == INTERACTIVE_QUEUE
            assert bad.body.startswith(letter.body[:100].encode()) or bad.reason == "not_json"
        metrics = await worker.metrics()
        for reason in {bad.reason for bad in BAD}:
            count = sum(bad.reason == reason for bad in BAD)
            assert metrics("events_total", queue=INTERACTIVE_QUEUE, outcome=reason) == count
        await scene.is_drained(worker)


async def test_a_time_in_the_year_9999_is_clamped_and_indexed(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user, "Rain")
    body = event_body(sound.id, "9999-12-31T23:59:59.999999-12:00")
    async with scene.worker() as worker:
        await scene.broker.send("save.sound", body)
        await scene.shows("sound", sound.id, title="Rain", within=_SOON)
        await worker.counted(1, "clamped_total")
        await scene.agrees(worker)


async def test_what_a_body_says_besides_identity_and_time_is_ignored(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user, "Rain")
    body = event_body(
        str(sound.id), format_time(sound.occurred_at), title="Lies", type="user", id_=7
    )
    async with scene.worker() as worker:
        await scene.broker.send("create.sound", body)
        await scene.shows("sound", sound.id, title="Rain", within=_SOON)
        await scene.agrees(worker)


async def test_a_flood_of_bad_messages_does_not_hold_up_a_good_one(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user, "Good")
    flood = 3_000
    await scene.broker.send_many([("save.sound", b"?")] * flood)
    await scene.publish(sound.event)
    async with scene.worker() as worker:
        await scene.shows("sound", sound.id, title="Good", within=_SOON)
        await worker.counted(flood, "events_total", outcome="not_json", within=60)
        await scene.is_drained(worker)
    assert await scene.broker.dead() == flood


async def test_what_arrives_while_another_is_buried_is_buried_too(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, bury = Lane._receive, Consumer.bury
    arrived, stop = asyncio.Event(), asyncio.Event()

    def noticed(lane: Lane, delivery: Delivery) -> None:
        receive(lane, delivery)
        if delivery.body == b"second":
            arrived.set()

    async def slow(consumer: Consumer, delivery: Delivery, *why: str, **more: Any) -> None:
        await bury(consumer, delivery, *why, **more)
        if delivery.body == b"first":
            await scene.broker.send("save.sound", b"second")
            await asyncio.wait_for(arrived.wait(), _SOON)

    monkeypatch.setattr(Lane, "_receive", noticed)
    monkeypatch.setattr(Consumer, "bury", slow)
    async with open_broker(scene.settings, name="test") as connection:
        publisher = RefreshPublisher(await connection.channel())
        lane = Lane(
            LaneSettings(
                queue=INTERACTIVE_QUEUE, size=10, linger=0.01, prefetch=10, size_limit=1000
            ),
            Fanout(scene.index.services, publisher),
        )
        running = asyncio.create_task(lane.run(connection, stop))
        await scene.broker.send("save.sound", b"first")
        await scene.dead_letters_are(2)
        stop.set()
        await asyncio.wait_for(running, _SOON)


async def test_bad_messages_in_the_batch_queue_are_dead_lettered_too(scene: Scene) -> None:
    async with scene.worker() as worker:
        await scene.broker.send("refresh.sound", b"?", exchange="indexer")
        await scene.dead_letters_are(1)
        (letter,) = await dead_letters(scene.settings)
        assert (letter.reason, letter.queue) == ("not_json", BATCH_QUEUE)
        await scene.is_drained(worker)


# Rows that cannot be hydrated

_DIVISION = "s.duration_ms / (CASE WHEN s.title = 'Zero' THEN 0 ELSE 1 END) AS duration_ms,"


async def _replay(scene: Scene, count: int = 1) -> None:
    """Send all dead letters again, of which there are so many."""
    await scene.dead_letters_are(count)
    done = await disco(scene.settings, "dead-letters", "replay", "--json")
    assert (done.code, len(done.lines())) == (0, count), done


async def test_one_row_that_the_sql_fails_on_is_dead_lettered_alone(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    definitions = altered(tmp_path, "sound.hydrate.sql", "s.duration_ms,", _DIVISION)
    async with _altered_scene(fresh_settings, tmp_path, definitions) as scene:
        user = await _user(scene)
        sounds = [
            await _sound(scene, user, "Zero" if number == 7 else f"Sound {number}")
            for number in range(20)
        ]
        await scene.publish(*(sound.event for sound in sounds))
        async with scene.worker() as worker:
            for sound in sounds[:7] + sounds[8:]:
                await scene.shows("sound", sound.id, within=_SOON)
            await scene.dead_letters_are(1)
            (letter,) = await dead_letters(scene.settings)
            assert letter.reason == "refused"
            assert (
                "hydration of sound failed: DivisionByZeroError: division by zero" in letter.detail
            )
            assert f'"{sounds[7].id}"' in letter.body
            await worker.counted(1, "events_total", outcome="refused")
            # Mended, and replayed, it is found.
            await scene.application.commit(writes.rename("sound", sounds[7].id, "One"))
            await _replay(scene)
            await scene.shows("sound", sounds[7].id, title="One", within=_SOON)
            await scene.agrees(worker)


async def test_sql_that_fails_on_every_row_dead_letters_all_and_the_other_types_flow(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    async with open_scene(fresh_settings, tmp_path) as scene:
        await scene.index.build()
        user = await _user(scene)
        sounds = [await _sound(scene, user, f"Sound {number}") for number in range(20)]
        pool = scene.index.services.databases.primary
        # A migration that nobody told the definitions of.
        await pool.execute("alter table sounds rename column license to licence")
        await scene.publish(*(sound.event for sound in sounds))
        async with scene.worker() as worker:
            await scene.dead_letters_are(20)
            letters = await dead_letters(scene.settings)
            assert all("column s.license does not exist" in letter.detail for letter in letters)
            assert {letter.reason for letter in letters} == {"refused"}
            (group,) = await scene.application.apply(writes.create_group(user.id, "Flows"))
            await scene.shows("group", group.id, within=_SOON)
            await pool.execute("alter table sounds rename column licence to license")
            await _replay(scene, 20)
            for sound in sounds:
                await scene.shows("sound", sound.id, within=_SOON)
            await scene.agrees(worker)


async def test_dependents_that_cannot_be_found_dead_letter_the_event_and_the_rest_flows(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    definitions = altered(
        tmp_path,
        "user.dependents.sql",
        "SELECT 'sound' AS entity, s.id FROM sounds s WHERE s.user_id = ANY($1::bigint[])",
        "SELECT 'sound' AS entity, s.id / (CASE WHEN s.title = 'Zero' THEN 0 ELSE 1 END) AS id "
        "FROM sounds s WHERE s.user_id = ANY($1::bigint[])",
    )
    async with _altered_scene(fresh_settings, tmp_path, definitions) as scene:
        user, other = await _user(scene), await _user(scene)
        zero, good = await _sound(scene, user, "Zero"), await _sound(scene, other, "Good")
        await scene.index.take(("sound", zero.id), ("sound", good.id))
        async with scene.worker() as worker:
            changes = await scene.application.commit(
                writes.rename("user", user.id, "Bea"), writes.rename("user", other.id, "Cleo")
            )
            await scene.publish(*(change.event for change in changes))
            await scene.shows("sound", good.id, subtitle="Cleo", within=_SOON)
            await scene.shows("user", user.id, title="Bea", within=_SOON)
            await scene.dead_letters_are(1)
            (letter,) = await dead_letters(scene.settings)
            assert letter.reason == "refused"
            assert "dependents of user" in letter.detail
            assert "division by zero" in letter.detail
            (renamed,) = await scene.application.apply(writes.rename("sound", zero.id, "One"))
            await scene.shows("sound", renamed.id, title="One", within=_SOON)
            await _replay(scene)
            await scene.shows("sound", zero.id, subtitle="Bea", within=_SOON)
            await scene.agrees(worker)


# Documents that the engine refuses


async def test_a_document_that_the_mapping_refuses_is_dead_lettered_alone(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    definitions = altered(
        tmp_path,
        "sound.hydrate.sql",
        "s.duration_ms,",
        "CASE WHEN s.title = 'Words' THEN to_jsonb('three minutes'::text) "
        "ELSE to_jsonb(s.duration_ms) END AS duration_ms,",
    )
    async with _altered_scene(fresh_settings, tmp_path, definitions) as scene:
        user = await _user(scene)
        words, good = await _sound(scene, user, "Words"), await _sound(scene, user, "Good")
        await scene.publish(words.event, good.event)
        async with scene.worker() as worker:
            await scene.shows("sound", good.id, within=_SOON)
            await scene.dead_letters_are(1)
            (letter,) = await dead_letters(scene.settings)
            assert letter.reason == "refused"
            assert "document_parsing_exception" in letter.detail
            assert "three minutes" in letter.detail
            metrics = await worker.metrics()
            assert metrics("writes_total", outcome="rejected") == 1
            assert metrics("events_total", outcome="refused") == 1
            await scene.application.commit(writes.rename("sound", words.id, "Numbers"))
            await _replay(scene)
            await scene.shows("sound", words.id, title="Numbers", within=_SOON)
            await scene.agrees(worker)


async def test_every_event_of_a_refused_document_has_its_own_letter(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    definitions = altered(tmp_path, "sound.hydrate.sql", "s.duration_ms,", _DIVISION)
    async with _altered_scene(fresh_settings, tmp_path, definitions) as scene:
        user = await _user(scene)
        zero = await _sound(scene, user, "Zero")
        await scene.publish(*[zero.event] * 5)
        async with scene.worker() as worker:
            await scene.dead_letters_are(5)
            await worker.counted(5, "events_total", outcome="refused")
            await scene.is_drained(worker)


# Events that are delivered again and again


async def test_what_kills_every_worker_is_dead_lettered_by_the_broker(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    settings = dataclasses.replace(fresh_settings, delivery_limit=2)
    async with open_scene(settings, tmp_path) as scene:
        await scene.index.build()
        user = await _user(scene)
        sound = await _sound(scene, user, "Rain")
        await scene.publish(sound.event)
        for _ in range(settings.delivery_limit + 1):
            async with scene.worker(command=launcher("die_before_acknowledging")) as doomed:
                await doomed.ended()
        await scene.dead_letters_are(1)
        (letter,) = await dead_letters(settings)
        assert (letter.reason, letter.queue) == ("delivery_limit", INTERACTIVE_QUEUE)
        assert letter.routing_key == routing_key(sound.event)
        assert letter.body == encode(sound.event).decode()
        async with scene.worker() as worker:
            await _flows(scene, user)
            await _replay(scene)
            await scene.agrees(worker)
