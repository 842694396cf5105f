"""`disco dead-letters`: look at what could not be processed, send it again, or drop it."""

import dataclasses
from typing import Any

import pytest

from core.broker import BATCH_QUEUE, INTERACTIVE_QUEUE
from core.events import routing_key
from demo import writes
from stack import ports
from tests.integration.indexer.broker_view import event_body
from tests.integration.indexer.command_line import Completed, disco
from tests.integration.indexer.scene import Scene

_NOW = "2026-11-24T12:00:00.000001+00:00"
# In the order of arrival: message, and why it is dead.
_POISON = (
    ("save.sound", b"?", "not_json"),
    ("save.sound", event_body("x", _NOW), "bad_id"),
    ("save.playlist", event_body(1, _NOW), "unknown_type"),
    ("save.user", b"??", "not_json"),
)


async def _poison(scene: Scene) -> None:
    """Four dead letters, and nobody who works any more."""
    async with scene.worker() as worker:
        for number, (key, body, _) in enumerate(_POISON, start=1):
            await scene.broker.send(key, body)
            await scene.dead_letters_are(number)
        await scene.is_drained(worker)


async def _letters(scene: Scene, *arguments: str) -> Completed:
    return await disco(scene.settings, "dead-letters", *arguments)


async def _listed(scene: Scene, *arguments: str) -> list[dict[str, Any]]:
    done = await _letters(scene, "list", "--json", *arguments)
    assert done.code == 0, done
    return done.lines()


async def test_letters_are_listed_with_their_reasons_and_stay(scene: Scene) -> None:
    await _poison(scene)
    first = await _listed(scene)
    assert [(one["routing_key"], one["body"].encode(), one["reason"]) for one in first] == [
        *_POISON
    ]
    assert [one["number"] for one in first] == [1, 2, 3, 4]
    assert [one["size"] for one in first] == [len(body) for _, body, _ in _POISON]
    assert {one["queue"] for one in first} == {INTERACTIVE_QUEUE}
    assert "body is not JSON" in first[0]["detail"]
    assert "'playlist'" in first[2]["detail"]
    assert await _listed(scene) == first, "looking changes nothing, not even the order"
    assert await _listed(scene, "--limit", "2") == first[:2]
    told = (await _letters(scene, "list")).out.splitlines()
    assert told[0] == f"1. save.sound from {INTERACTIVE_QUEUE}: not_json"
    assert told[-1] == "   2 bytes: ??"


async def test_no_letters_is_no_error(scene: Scene) -> None:
    assert await _listed(scene) == []
    told = await _letters(scene, "list")
    assert (told.code, told.out) == (0, "no dead letters\n")


async def test_what_is_replayed_after_its_cause_is_mended_is_indexed(scene: Scene) -> None:
    """The cause: a size limit far too small."""
    [user] = await scene.application.commit(writes.create_user("Ana"))
    [sound] = await scene.application.commit(writes.create_sound(user.id, "Rain"))
    # The sweep would miss both, and what it sends would be too large as well.
    async with scene.worker(event_size_limit=10, sweep_rate=0) as worker:
        await scene.publish(user.event, sound.event)
        await scene.dead_letters_are(2)
        await scene.is_drained(worker)
    assert await scene.index.stored("sound", sound.id) is None

    rehearsed = await _letters(scene, "replay", "--dry-run", "--json")
    assert rehearsed.code == 0
    assert [(one["routing_key"], one["reason"]) for one in rehearsed.lines()] == [
        (routing_key(user.event), "too_large"),
        (routing_key(sound.event), "too_large"),
    ]
    assert await scene.broker.dead() == 2
    assert await scene.broker.waiting() == {}

    replayed = await _letters(scene, "replay", "--json")
    assert (replayed.code, replayed.lines()) == (0, rehearsed.lines())
    assert await scene.broker.dead() == 0
    assert await scene.broker.waiting() == {BATCH_QUEUE: 2}
    async with scene.worker() as worker:
        await scene.shows("user", user.id, title="Ana")
        await scene.shows("sound", sound.id, title="Rain")
        await scene.agrees(worker)


async def test_what_is_replayed_unmended_comes_back(scene: Scene) -> None:
    await _poison(scene)
    replayed = await _letters(scene, "replay", "--reason", "not_json")
    assert replayed.out.splitlines()[-1] == "2 letters replayed"
    assert [one["reason"] for one in await _listed(scene)] == ["bad_id", "unknown_type"]
    async with scene.worker() as worker:
        await scene.dead_letters_are(4)
        await scene.is_drained(worker)
    found = await _listed(scene)
    assert [one["reason"] for one in found] == ["bad_id", "unknown_type", "not_json", "not_json"]
    assert [one["queue"] for one in found[2:]] == [BATCH_QUEUE] * 2


async def test_only_letters_of_the_reason_are_dropped(scene: Scene) -> None:
    await _poison(scene)
    rehearsed = await _letters(scene, "drop", "--reason", "not_json", "--dry-run")
    assert rehearsed.code == 0
    assert rehearsed.out.splitlines()[-1] == "2 letters would be dropped"
    assert await scene.broker.dead() == 4

    dropped = await _letters(scene, "drop", "--reason", "not_json", "--yes", "--json")
    assert dropped.code == 0
    assert [one["number"] for one in dropped.lines()] == [1, 4]
    left = await _listed(scene)
    assert [one["reason"] for one in left] == ["bad_id", "unknown_type"]
    assert await scene.broker.waiting() == {}

    assert (await _letters(scene, "drop", "--yes")).out.splitlines()[-1] == "2 letters dropped"
    assert await scene.broker.dead() == 0


async def test_nothing_is_dropped_unless_somebody_says_yes(scene: Scene) -> None:
    await _poison(scene)
    asked = await _letters(scene, "drop", "--reason", "bad_id")
    assert asked.code != 0, "there was nobody to answer"
    assert "Drop all letters with reason bad_id?" in asked.out
    assert await scene.broker.dead() == 4


@pytest.mark.parametrize("command", [("list",), ("replay",), ("drop", "--yes")])
async def test_a_broker_that_is_away_is_named(scene: Scene, command: tuple[str, ...]) -> None:
    address = f"127.0.0.1:{ports.choose(seed='nobody')}"
    lost = dataclasses.replace(scene.settings, broker_url=f"amqp://guest:guest@{address}/x")
    done = await disco(lost, "dead-letters", *command)
    assert (done.code, done.out) == (3, "")
    assert f"disco: RabbitMQ at {address}" in done.err
    assert "Traceback" not in done.err
