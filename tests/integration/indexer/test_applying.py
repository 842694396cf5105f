"""Definitions change, and what needs no new index takes effect without one."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.broker import open_broker
from core.settings import Settings
from demo import writes
from indexer import fanout, holds, operations, reindexing
from indexer.builds import Phase
from indexer.cascade import RefreshPublisher
from indexer.changes import Change
from indexer.errors import TemporarilyUnavailableError
from indexer.fanout import Fanout
from indexer.following import follow
from indexer.generation import Generation, State
from indexer.names import live_alias
from tests.integration.indexer.altered_definitions import altered
from tests.integration.indexer.command_line import disco
from tests.integration.indexer.scene import Scene
from tests.integration.indexer.steady_load import steady_load
from tests.integration.indexer.waiting import until

_LEASE = 6.0  # seconds, in place of one: a test must get something done within it
_WEATHER = '"remix, rmx",', '"remix, rmx", "rain, drizzle",'


@pytest.fixture(autouse=True)
async def one_index(scene: Scene) -> AsyncIterator[None]:
    """Each test begins, and leaves off, with a new index of sounds alone."""
    yield
    services = scene.index.services
    before = await services.generations.live("sound")
    made = await services.generations.create(services.definitions["sound"])
    await services.generations.promote(made, before=before)
    for one in await _generations(scene):
        if one.index != made.index:
            await services.generations.delete(one)


@pytest.fixture
def wetter(scene: Scene, tmp_path: Path) -> Settings:
    """The same place, with a synonym more."""
    folder = altered(tmp_path, "shared.analysis.json", *_WEATHER)
    return dataclasses.replace(scene.settings, definitions=folder)


async def _generations(scene: Scene) -> list[Generation]:
    found = await scene.index.services.generations.list()
    return [one for one in found if one.name.entity == "sound"]


async def _sounds(scene: Scene, *titles: str) -> list[int]:
    [user] = await scene.application.commit(writes.create_user("Ana"))
    made = await scene.application.commit(*(writes.create_sound(user.id, one) for one in titles))
    await scene.index.take(("user", user.id), *(("sound", one.id) for one in made))
    await scene.index.services.generations.refresh_live("sound")
    return [one.id for one in made]


async def _found(scene: Scene, text: str, index: str = "") -> list[int]:
    """Ids of the sounds whose titles match, in the live index or in that one."""
    engine = scene.index.services.engine
    index = index or live_alias(scene.settings.index_prefix, "sound")
    answer = await engine.search(index=index, query={"match": {"title": text}})
    return [int(hit["_id"]) for hit in answer["hits"]["hits"]]


async def _apply(settings: Settings) -> str:
    """Apply a change that takes a copy, to its end; the copy, which is live then."""
    async with operations.open_indexer(settings) as services:
        applied = await operations.apply_changes(services, "sound")
        assert applied.build is not None
        index = applied.build.index
        states = operations.follow_build(services, "sound", index, promoting=True)
        assert [state async for state in states][-1].phase is Phase.COMPLETE
    return index


async def _settings(scene: Scene, index: str) -> dict[str, Any]:
    found = await scene.index.services.engine.indices.get_settings(index=index)
    settings: dict[str, Any] = found[index]["settings"]["index"]
    return settings


async def _differences(scene: Scene) -> list[str]:
    """On what each index of sounds differs from the database."""
    services = scene.index.services
    return [
        f"{one.index}: {difference}"
        for one in await _generations(scene)
        async for verdict in operations.verify(services, "sound", generation=one, patience=2)
        for difference in verdict.differences
    ]


async def test_a_synonym_takes_effect_by_a_copy_and_can_be_taken_back(
    scene: Scene, wetter: Settings
) -> None:
    live = await scene.index.services.generations.live("sound")
    [rain, _] = await _sounds(scene, "Rain", "Hail")
    assert await _found(scene, "drizzle") == []
    done = await disco(wetter, "index", "apply", "sound", "--json")
    assert done.code == 0, done.err
    assert await _found(scene, "drizzle") == [rain]
    told, built = done.lines()
    assert (told["index"], told["remedy"], told["queries"]) == (live.index, "copy", True)
    assert (built["copied_from"], built["phase"], built["documents"]) == (live.index, "complete", 0)
    states = {one.index: one.state for one in await _generations(scene)}
    assert states == {live.index: State.STANDBY, built["index"]: State.LIVE}
    log = await operations.history(scene.settings, subject="sound", limit=5)
    assert {(one.action, one.outcome) for one in log} >= {("index.apply", "done")}
    again = await disco(wetter, "index", "apply", "sound")
    assert "nothing has changed" in again.out
    assert (await disco(wetter, "index", "rollback", "sound")).code == 0
    assert await _found(scene, "drizzle") == [], "what was live reads as it did"


async def test_no_change_is_lost_while_a_copy_is_made(scene: Scene, wetter: Settings) -> None:
    """Without gates: they compare answers, and here everything changes between two of them."""
    async with scene.worker() as worker:
        [rain, *others] = await _sounds(scene, "Rain", *(f"Take {n}" for n in range(20)))
        async with steady_load(scene.settings, others) as load:
            await load.goes_on(20)
            await _apply(wetter)
            await load.goes_on(20)
        assert await _found(scene, "drizzle") == [rain]
        held = [line["error"] for line in worker.lines("batch_postponed")]
        assert held, "no change met the hold"
        await scene.is_drained(worker)
    assert len(await _generations(scene)) == 2
    assert await _differences(scene) == []
    assert await scene.broker.dead() == 0


async def test_a_copy_is_as_an_index_that_is_built_from_the_definition(
    scene: Scene, tmp_path: Path
) -> None:
    """What is gone of a part is gone, too, and fields are searched as the mapping says."""
    altered(tmp_path, "shared.analysis.json", *_WEATHER)
    altered(
        tmp_path,
        "shared.analysis.json",
        '"light_words": {',
        '"some_words": {"type": "stop", "stopwords": ["of"]},\n    "light_words": {',
    )
    bigrams = '"cjk_search": {"type": "cjk_bigram"'
    altered(
        tmp_path, "shared.analysis.json", f"{bigrams}}}", f'{bigrams}, "output_unigrams": false}}'
    )
    folder = altered(
        tmp_path,
        "sound.mapping.json",
        '"analyzer": "text_long", "search_analyzer": "text_search"},\n    "genre"',
        '"analyzer": "text_long", "search_analyzer": "text_search_core"},\n    "genre"',
    )
    services = scene.index.services
    changed = dataclasses.replace(scene.settings, definitions=folder)
    for settings in (changed, scene.settings):  # there, and back again
        index = await _apply(settings)
        async with operations.open_indexer(settings) as opened:
            fresh = await opened.generations.create(opened.definitions["sound"])
        mappings = await services.engine.indices.get_mapping(index=[index, fresh.index])
        fields = [mappings[one]["mappings"]["properties"] for one in (index, fresh.index)]
        assert fields[0] == fields[1]
        copied, made = [await _settings(scene, one) for one in (index, fresh.index)]
        for name in ("refresh_interval", "gc_deletes", "number_of_replicas"):
            assert copied[name] == made[name]
        analysis = _without_nothing(copied["analysis"])
        for section, parts in made["analysis"].items():
            assert {name: analysis[section].get(name) for name in parts} == parts
        await services.generations.delete(fresh)


def _without_nothing(value: Any) -> Any:
    """Nested settings without those that were unset."""
    if not isinstance(value, dict):
        return value
    kept = {name: _without_nothing(below) for name, below in value.items() if below is not None}
    return {name: below for name, below in kept.items() if below != {}}


async def test_settings_are_changed_in_place_in_every_index(scene: Scene) -> None:
    services = scene.index.services
    live = await services.generations.live("sound")
    other = await services.generations.create(services.definitions["sound"])
    other = await services.generations.enter(other, State.READY)
    slower = dataclasses.replace(scene.settings, refresh_interval="7s", tombstone_retention="2h")
    planned = await disco(slower, "index", "apply", "sound", "--dry-run")
    assert "refresh_interval: 1s -> 7s" in planned.out
    assert (await _settings(scene, live.index))["refresh_interval"] == "1s"

    done = await disco(slower, "index", "apply", "sound", "--json")
    assert done.code == 0, done.err
    [told] = done.lines()
    assert (told["remedy"], told["build"]) == ("in_place", None)
    assert told["settings"]["gc_deletes"] == {"before": "1h", "after": "2h"}
    for index in (live.index, other.index):
        settings = await _settings(scene, index)
        assert (settings["refresh_interval"], settings["gc_deletes"]) == ("7s", "2h")
    assert len(await _generations(scene)) == 2
    [row] = await operations.history(scene.settings, subject="sound", limit=1)
    assert row.before is not None
    assert row.before["settings"] == {"refresh_interval": "1s", "gc_deletes": "1h"}


async def test_a_profile_is_noted_with_the_live_index(scene: Scene, tmp_path: Path) -> None:
    folder = altered(tmp_path, "sound.search.json", '"weight": 1.0', '"weight": 2.0')
    heavier = dataclasses.replace(scene.settings, definitions=folder)
    done = await disco(heavier, "index", "apply", "sound")
    assert done.code == 0, done.err
    assert "searches use that of the file" in done.out
    live = await scene.index.services.generations.live("sound")
    assert live.profile is not None
    assert live.profile["weight"] == 2.0
    [row] = await operations.history(scene.settings, subject="sound", limit=1)
    assert [side and side["profile"]["weight"] for side in (row.before, row.after)] == [1.0, 2.0]


async def test_a_profile_that_searches_could_not_use_is_refused(
    scene: Scene, tmp_path: Path
) -> None:
    folder = altered(tmp_path, "sound.search.json", '"weight": 1.0', '"weight": -1.0')
    done = await disco(
        dataclasses.replace(scene.settings, definitions=folder), "index", "apply", "sound"
    )
    assert (done.code, "sound.search.json: weight is -1.0" in done.err) == (2, True)
    live = await scene.index.services.generations.live("sound")
    assert live.profile is not None
    assert live.profile["weight"] == 1.0


async def test_what_needs_a_reindex_is_told_and_the_rest_is_done(
    scene: Scene, tmp_path: Path
) -> None:
    altered(tmp_path, "user.search.json", '"weight": 1.0', '"weight": 2.0')
    folder = altered(tmp_path, "sound.mapping.json", '"ignore_above": 1024', '"ignore_above": 1023')
    changed = dataclasses.replace(scene.settings, definitions=folder)
    before = await _generations(scene)
    done = await disco(changed, "index", "apply", "sound", "user")
    assert done.code == 1
    assert "run `disco index reindex sound`" in done.out
    assert "user: changed in place" in done.out
    assert await _generations(scene) == before
    async with operations.open_indexer(changed) as services:
        with pytest.raises(operations.ReindexNeededError, match="disco index reindex sound"):
            await operations.apply_changes(services, "sound")
    [row] = await operations.history(scene.settings, subject="sound", limit=1)
    assert (row.action, row.outcome) == ("index.apply", "refused")
    services = scene.index.services
    await services.generations.note(
        await services.generations.live("user"), profile=services.definitions["user"].profile
    )


async def test_a_worker_that_has_not_seen_the_copy_loses_nothing_for_it(
    scene: Scene, wetter: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "LEASE_SECONDS", _LEASE)
    monkeypatch.setattr(reindexing, "LEASE_SECONDS", _LEASE)
    renamed, removed, kept = await _sounds(scene, "Rain", "Hail", "Snow")
    async with (
        open_broker(scene.settings, name="test") as connection,
        operations.open_indexer(wetter) as services,
    ):
        ignorant = Fanout(services, RefreshPublisher(await connection.channel()))
        await services.journal.open()
        await ignorant.knows("sound")
        applying = asyncio.create_task(operations.apply_changes(services, "sound"))

        async def copied() -> str:
            entry = await services.journal.read("sound")
            is_new = entry is not None and entry.build.phase is Phase.PREPARING
            return entry.build.index if entry is not None and is_new else ""

        index = await until(copied, within=_LEASE, what="a copy")
        [rename] = await scene.application.commit(writes.rename("sound", renamed, "Fog"))
        [removal] = await scene.application.commit(writes.delete("sound", removed))
        for change in (rename, removal):
            key = ("sound", change.id)
            await ignorant.process([Change(key, change.event.occurred_at, cascades=False)])
        assert await services.engine.exists(index=index, id=str(removed)), "a ghost by now"
        assert not applying.done(), "the test was too slow"
        applied = await applying
        assert applied.build is not None
        states = [state async for state in follow(services, "sound", index)]
        assert states[-1].mended == 2
        for sound, title in ((renamed, "Fog"), (kept, "Snow")):
            found = await services.engine.get(index=index, id=str(sound))
            assert found["_source"]["title"] == title
        assert not await services.engine.exists(index=index, id=str(removed))


async def test_a_hold_whose_process_was_killed_is_lifted_by_whoever_writes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "OVERDUE", 2.0)
    [sound] = await _sounds(scene, "Rain")
    services = scene.index.services
    live = await services.generations.live("sound")
    await services.generations.hold(live)
    async with open_broker(scene.settings, name="test") as connection:
        writer = Fanout(services, RefreshPublisher(await connection.channel()))
        [rename] = await scene.application.commit(writes.rename("sound", sound, "Snow"))
        change = Change(("sound", sound), rename.event.occurred_at, cascades=False)
        assert (await writer.process([change])).again == {("sound", sound)}

        async def written() -> bool:
            return not (await writer.process([change])).again

        await until(written, within=20, what="the hold is lifted")
    await scene.shows("sound", sound, title="Snow")
    assert not (await services.generations.live("sound")).is_held


async def test_a_block_that_an_operator_has_set_stays(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "OVERDUE", 0.0)
    services = scene.index.services
    live = await services.generations.live("sound")
    blocked = {"index.blocks.write": True}
    await services.engine.indices.put_settings(index=live.index, settings=blocked)
    watch = holds.Watch()
    for moment in (0.0, 100.0):
        await watch.lift_overdue(services.generations, await _generations(scene), moment)
    assert (await _settings(scene, live.index))["blocks"]["write"] == "true"
    free = {"index.blocks.write": None}
    await services.engine.indices.put_settings(index=live.index, settings=free)


async def test_a_copy_that_takes_too_long_is_given_up_and_leaves_nothing(
    scene: Scene, wetter: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "LONGEST_HOLD", 0.0)
    [sound] = await _sounds(scene, "Rain")
    before = [one.index for one in await _generations(scene)]
    async with operations.open_indexer(wetter) as services:
        with pytest.raises(TemporarilyUnavailableError, match="was not copied within"):
            await operations.apply_changes(services, "sound")
    assert [one.index for one in await _generations(scene)] == before
    assert not (await _generations(scene))[0].is_held
    async with scene.worker() as worker:
        await scene.application.apply(writes.rename("sound", sound, "Snow"))
        await scene.shows("sound", sound, title="Snow")
        await scene.agrees(worker)
