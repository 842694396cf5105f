"""Promote, roll back, retire: by command line, on the real services."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from core.settings import Settings
from demo import writes
from indexer import operations
from indexer.errors import ConcurrentPromotionError
from indexer.generation import Generation, State
from indexer.names import live_alias
from tests.integration.indexer.command_line import disco
from tests.integration.indexer.scene import Scene


@pytest.fixture
async def two(scene: Scene) -> AsyncIterator[tuple[Generation, Generation]]:
    """The live generation of sounds, and one that is ready; as it was afterwards."""
    services = scene.index.services
    live = await services.generations.live("sound")
    ready = await services.generations.create(services.definitions["sound"])
    ready = await services.generations.enter(ready, State.READY)
    yield live, ready
    if (now := await services.generations.live("sound")).index != live.index:
        await services.generations.promote(live, before=now)
    await services.generations.delete(ready)


async def _states(scene: Scene) -> dict[str, State]:
    found = await scene.index.services.generations.list()
    return {one.index: one.state for one in found if one.name.entity == "sound"}


async def _reached(scene: Scene) -> list[str]:
    """The indices that queries for sounds reach."""
    alias = live_alias(scene.settings.index_prefix, "sound")
    return list(await scene.index.services.engine.indices.get_alias(name=alias))


async def _ask(settings: Settings, *arguments: str) -> dict[str, Any]:
    done = await disco(settings, "index", *arguments, "--json")
    assert done.code == 0, done.err
    answer: dict[str, Any] = orjson.loads(done.out)
    return answer


async def test_promoted_and_rolled_back_with_what_changed_in_between(
    scene: Scene, two: tuple[Generation, Generation]
) -> None:
    live, ready = two
    planned = await _ask(scene.settings, "promote", ready.index, "--dry-run")
    assert (planned["before"]["index"], planned["after"]["index"]) == (live.index, ready.index)
    assert await _reached(scene) == [live.index]

    done = await _ask(scene.settings, "promote", ready.index)
    assert done["changed"] is True
    assert await _reached(scene) == [ready.index]
    assert await _states(scene) == {live.index: State.STANDBY, ready.index: State.LIVE}

    async with scene.worker() as worker:
        [user] = await scene.application.apply(writes.create_user("Ana"))
        [sound] = await scene.application.apply(writes.create_sound(user.id, "Rain"))
        await scene.shows("sound", sound.id, title="Rain")
        back = await _ask(scene.settings, "rollback", "sound")
        assert (back["before"]["index"], back["after"]["index"]) == (ready.index, live.index)
        assert await _reached(scene) == [live.index]
        # It was standby when the sound was made, and missed nothing.
        await scene.shows("sound", sound.id, title="Rain")
        await scene.agrees(worker)
    assert await _states(scene) == {live.index: State.LIVE, ready.index: State.STANDBY}


async def test_what_was_live_is_a_standby_that_misses_nothing(
    scene: Scene, two: tuple[Generation, Generation]
) -> None:
    live, ready = two
    async with scene.worker() as worker:
        [user] = await scene.application.apply(writes.create_user("Ana"))
        sounds = [
            (await scene.application.apply(writes.create_sound(user.id, f"Rain {number}")))[0].id
            for number in range(6)
        ]
        await scene.shows("sound", sounds[-1], title="Rain 5")
        await operations.promote(scene.index.services, ready.index)
        for sound_id in sounds[:2]:
            await scene.application.apply(writes.rename("sound", sound_id, "Sun"))
        for sound_id in sounds[2:4]:
            await scene.application.apply(writes.delete("sound", sound_id))
        [made] = await scene.application.apply(writes.create_sound(user.id, "Snow"))
        await scene.application.apply(writes.rename("user", user.id, "Ana Lovelace"))
        await scene.shows("sound", made.id, title="Snow", subtitle="Ana Lovelace")
        await operations.rollback(scene.index.services, "sound")
        await scene.application.apply(writes.rename("sound", made.id, "Sleet"))
        await scene.shows("sound", made.id, title="Sleet")
        await scene.is_drained(worker)
    assert await _states(scene) == {live.index: State.LIVE, ready.index: State.STANDBY}
    verify = ("verify", "sound", "--standby", "--patience", "0", "--json")
    verified = await disco(scene.settings, *verify)
    assert verified.code == 0, verified.out
    assert {line["index"]: line["compared"] for line in verified.lines()} == {
        live.index: 5,
        ready.index: 5,
    }
    counted = await scene.index.services.engine.count(index=f"{live.index},{ready.index}")
    assert counted["count"] == 2 * 5


async def test_a_reindex_without_promotion_ends_as_ready(scene: Scene) -> None:
    live = await scene.index.services.generations.live("sound")
    done = await disco(scene.settings, "index", "reindex", "sound", "--no-promote", "--json")
    assert done.code == 0, done.err
    [built] = done.lines()
    states = await _states(scene)
    assert states == {live.index: State.LIVE, built["index"]: State.READY}
    retired = await _ask(scene.settings, "retire", built["index"])
    assert retired["retired"]["index"] == built["index"]
    assert await _states(scene) == {live.index: State.LIVE}


async def test_what_is_refused_says_why_and_changes_nothing(scene: Scene) -> None:
    services = scene.index.services
    live = await services.generations.live("sound")
    left = await services.generations.create(services.definitions["sound"])
    try:
        for arguments, code, words in [
            (("promote", left.index), 1, "is building"),
            (("promote", "disco-sound-x"), 2, live.index),
            (("rollback", "sound"), 1, "no standby"),
            (("rollback", "song"), 2, "no entity type song"),
            (("retire", live.index), 1, "is live"),
        ]:
            done = await disco(scene.settings, "index", *arguments)
            assert (done.code, words in done.err) == (code, True), (arguments, done)
        assert await _states(scene) == {live.index: State.LIVE, left.index: State.BUILDING}
    finally:
        await services.generations.delete(left)


async def test_of_two_operators_at_once_one_is_refused(
    scene: Scene, two: tuple[Generation, Generation]
) -> None:
    live, ready = two
    services = scene.index.services
    third = await services.generations.create(services.definitions["sound"])
    try:
        await services.generations.promote(ready, before=live)
        with pytest.raises(ConcurrentPromotionError, match=live.index):
            await services.generations.promote(third, before=live)
        assert await _reached(scene) == [ready.index]
    finally:
        await services.generations.delete(third)


async def test_no_query_meets_none_or_two_while_generations_change_places(
    scene: Scene, two: tuple[Generation, Generation]
) -> None:
    live, ready = two
    services = scene.index.services
    await operations.promote(services, ready.index)  # each has been live from now on
    done = asyncio.Event()
    answered = []

    async def ask() -> None:
        alias = live_alias(scene.settings.index_prefix, "sound")
        while not done.is_set():
            found = await services.engine.search(index=alias, size=0)
            answered.append(found["_shards"]["total"])

    async with asyncio.TaskGroup() as queries:
        for _ in range(4):
            queries.create_task(ask())
        for _ in range(40):
            await operations.rollback(services, "sound")
        done.set()
    assert await _reached(scene) == [ready.index]
    assert set(answered) == {1}, "a query reached no generation, or two"
    assert len(answered) > 40
    assert live.index in await _states(scene)


async def test_a_first_promotion_deletes_older_standbys_and_no_candidate(
    scene: Scene, two: tuple[Generation, Generation]
) -> None:
    live, ready = two
    services = scene.index.services
    definition = services.definitions["sound"]
    candidate, other = [
        await services.generations.enter(await services.generations.create(definition), State.READY)
        for _ in range(2)
    ]
    try:
        await operations.promote(services, ready.index)
        await operations.rollback(services, "sound")
        planned = await _ask(scene.settings, "promote", candidate.index, "--dry-run")
        assert planned["outdated"] == [ready.index]
        assert len(await _states(scene)) == 4

        done = await _ask(scene.settings, "promote", candidate.index)
        assert done["outdated"] == [ready.index]
        assert await _states(scene) == {
            live.index: State.STANDBY,
            candidate.index: State.LIVE,
            other.index: State.READY,
        }
        for _ in range(2):
            back = await _ask(scene.settings, "rollback", "sound")
            assert back["outdated"] == []
        log = await operations.history(scene.settings, subject="sound", limit=4)
        assert [one.action for one in log][-2:] == ["index.retire", "index.promote"]
    finally:
        if (now := await services.generations.live("sound")).index != live.index:
            await services.generations.promote(live, before=now)
        for one in (candidate, other):
            await services.generations.delete(one)
