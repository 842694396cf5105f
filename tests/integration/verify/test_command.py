"""`disco verify` as a person or a program calls it."""

import dataclasses
from functools import partial
from typing import Any

from core.settings import Settings
from indexer.names import live_alias
from stack import ports
from tests.integration.indexer.command_line import Completed, disco
from tests.integration.indexer.scene import Scene
from tests.integration.verify.planting import Planted, plant


async def _verify(settings: Settings, *arguments: str) -> Completed:
    return await disco(settings, "verify", "--patience", "0", *arguments)


def _listed(done: Completed) -> list[dict[str, Any]]:
    return [line for line in done.lines() if "difference" in line]


def _summary(done: Completed) -> dict[str, Any]:
    [line] = [line for line in done.lines() if "compared" in line]
    return line


def _expected(scene: Scene, index: str, planted: Planted) -> list[dict[str, Any]]:
    return [
        {"entity": "user", "id": str(one), "difference": kind, "index": index}
        for one, kind in sorted(planted.kinds().items())
    ]


async def test_differences_are_listed_mended_and_gone(scene: Scene) -> None:
    planted = await plant(scene)
    [index] = await scene.index.services.engine.indices.get_alias(
        name=live_alias(scene.settings.index_prefix, "user")
    )

    listed = await _verify(scene.settings, "user", "--json")
    assert listed.code == 1
    assert sorted(_listed(listed), key=lambda one: int(one["id"])) == _expected(
        scene, index, planted
    )
    summary = _summary(listed)
    assert summary["entity"] == "user"
    assert summary["index"] == index
    assert summary["compared"] == 3
    assert summary["differences"] == 3
    assert summary["kinds"] == {"missing": 1, "ghost": 1, "stale": 1}
    assert summary["repaired"] == 0
    assert len(listed.lines()) == 4

    rehearsed = await _verify(scene.settings, "user", "--repair", "--dry-run", "--json")
    assert rehearsed.code == 1
    assert _summary(rehearsed)["repaired"] == 0
    assert await scene.broker.waiting() == {}

    repaired = await _verify(scene.settings, "user", "--repair", "--json")
    assert repaired.code == 1, "there were differences"
    assert len(_listed(repaired)) == 3
    assert _summary(repaired)["repaired"] == 3
    assert await scene.broker.waiting() == {"indexer.batch": 1}, "one message for all three"

    async with scene.worker() as worker:
        await scene.shows("user", planted.missing, title="Missing")
        await scene.shows("user", planted.stale, title="Stale no more")
        await scene.is_gone("user", planted.ghost)
        await scene.agrees(worker)
    mended = await _verify(scene.settings, "--json")
    assert mended.code == 0
    assert [line["entity"] for line in mended.lines()] == ["group", "set", "sound", "user"]
    assert {line["differences"] for line in mended.lines()} == {0}


async def test_people_get_prose(scene: Scene) -> None:
    planted = await plant(scene)
    told = await _verify(scene.settings, "user")
    assert told.code == 1
    *lines, summary = told.out.splitlines()
    assert sorted(lines) == sorted(f"user {one}: {kind}" for one, kind in planted.kinds().items())
    assert summary.startswith("user: 3 compared in ")
    for kind in planted.kinds().values():
        assert f"1 {kind}" in summary


async def test_an_unknown_entity_type_is_bad_usage(scene: Scene) -> None:
    done = await _verify(scene.settings, "user", "playlist")
    assert (done.code, done.out) == (2, "")
    assert "no entity type playlist; there are: group, set, sound, user" in done.err
    assert "Traceback" not in done.err


async def test_without_an_index_it_does_not_hold(fresh_settings: Settings) -> None:
    done = await _verify(fresh_settings, "user", "--json")
    assert (done.code, done.out) == (1, "")
    assert "user has no live index; run `disco index reindex user`" in done.err
    assert "Traceback" not in done.err


async def test_a_service_that_is_away_is_named(scene: Scene) -> None:
    port = ports.choose(seed="nobody")
    await plant(scene)
    change = partial(dataclasses.replace, scene.settings)
    for lost, service in (
        (change(engine_url=f"http://127.0.0.1:{port}"), "Elasticsearch"),
        (change(database_url=f"postgresql://127.0.0.1:{port}/x"), "PostgreSQL"),
        (change(broker_url=f"amqp://127.0.0.1:{port}/x"), "RabbitMQ"),  # only a repair needs it
    ):
        done = await _verify(lost, "user", "--repair")
        assert done.code == 3, done
        [told] = [line for line in done.err.splitlines() if line.startswith("disco: ")]
        assert told.startswith(f"disco: {service} at ")
        assert f"127.0.0.1:{port}" in told
        assert "Traceback" not in done.err
