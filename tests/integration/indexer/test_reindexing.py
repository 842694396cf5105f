"""Builds on the real services: shared by workers, paused, taken up again, cancelled, refused."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from core.broker import BATCH_QUEUE, open_broker
from demo import writes
from indexer import bulk_loader, fanout, generations, operations, range_lane, reindexing
from indexer.builds import Build, Phase, Range, Tally
from indexer.cascade import RefreshPublisher
from indexer.changes import Change
from indexer.deliveries import Delivery
from indexer.errors import ScanRejectedError, TemporarilyUnavailableError
from indexer.fanout import Fanout
from indexer.following import BuildEndedError, follow
from indexer.generation import Generation, State
from indexer.parity import compare_range
from indexer.range_lane import RangeLane
from indexer.range_messages import PREFIX, Assignment, RangePublisher
from indexer.reindexing import BuildUnderWayError, NoBuildError
from indexer.windows import END_OF_IDS, SMALLEST_ID
from tests.integration.indexer.altered_definitions import altered
from tests.integration.indexer.command_line import disco
from tests.integration.indexer.oracle import open_index
from tests.integration.indexer.scene import Scene
from tests.integration.indexer.waiting import until

_MANY = 35_000  # sounds: four ranges
_LEASE = 5.0  # seconds, in place of one: a test must get something done within it


@pytest.fixture(autouse=True)
async def no_build_is_left(scene: Scene) -> AsyncIterator[None]:
    """Whatever becomes of a test, the next one finds no build under way and one index."""
    yield
    services = scene.index.services
    with contextlib.suppress(NoBuildError):
        await operations.cancel_build(services, "sound")
    for one in await services.generations.list():
        if not one.is_live:
            await services.generations.delete(one)


async def _many_sounds(scene: Scene) -> None:
    primary = scene.index.services.databases.primary
    user = await primary.fetchval(
        "INSERT INTO users (username, display_name) VALUES ('ana', 'Ana') RETURNING id"
    )
    await primary.execute(
        "INSERT INTO sounds (user_id, title, permalink, duration_ms) "
        "SELECT $1, 'Sound ' || n, 'sound-' || n, n FROM generate_series(1, $2::integer) AS n",
        user,
        _MANY,
    )


async def _one_sound(scene: Scene) -> int:
    [user] = await scene.application.commit(writes.create_user("Ana"))
    [sound] = await scene.application.commit(writes.create_sound(user.id, "Rain"))
    await scene.index.take(("user", user.id), ("sound", sound.id))
    return sound.id


async def _build(scene: Scene) -> Build:
    entry = await scene.index.services.journal.read("sound")
    assert entry is not None
    return entry.build


async def _reaches(scene: Scene, phase: Phase, *, within: float = 60) -> Build:
    async def look() -> Build | None:
        build = await _build(scene)
        assert build.phase is phase or build.is_under_way, build
        return build if build.phase is phase else None

    build = await until(look, within=within, what=f"the build is {phase}")
    assert build is not None
    return build


async def _batch_is_empty(scene: Scene) -> None:
    async def look() -> bool:
        return not (await scene.broker.waiting()).get(BATCH_QUEUE)

    await until(look, within=20, what="the batch queue is empty")


async def _generation(scene: Scene, index: str) -> Generation | None:
    found = await scene.index.services.generations.list()
    return next((one for one in found if one.index == index), None)


async def _is_equal(scene: Scene, index: str) -> None:
    """The generation is ready, and holds what the database holds."""
    generation = await _generation(scene, index)
    assert generation is not None
    assert generation.state is State.READY
    services = scene.index.services
    async for verdict in operations.verify(services, "sound", generation=generation, patience=2):
        assert verdict.differences == []
    await services.generations.delete(generation)


async def test_workers_share_a_build_that_was_left_to_them(scene: Scene) -> None:
    await _many_sounds(scene)
    services = scene.index.services
    async with scene.worker() as one, scene.worker() as two:
        begun = await operations.start_build(services, "sound")
        build = await _reaches(scene, Phase.COMPLETE)
        shares = [
            (await worker.metrics())("ranges_total", entity="sound", phase="scanning")
            for worker in (one, two)
        ]
    assert build.documents == _MANY
    assert build.outcomes == {"indexed": _MANY}
    assert sum(shares) == 4
    assert min(shares) >= 1
    settings = await services.engine.indices.get_settings(index=begun.index)
    assert settings[begun.index]["settings"]["index"]["refresh_interval"] == "1s"
    await _is_equal(scene, begun.index)


async def test_who_has_not_followed_a_build_is_told_its_rate(scene: Scene) -> None:
    await _many_sounds(scene)
    services = scene.index.services
    await services.databases.primary.execute("ANALYZE sounds")  # or the planner knows no number
    begun = await operations.start_build(services, "sound")
    await scene.broker.purge()  # its ranges are noted as finished here, and by nobody else
    first = (await _build(scene)).open[0]
    now, _ = await services.fence.wait()
    await _note_finished(scene, first._replace(rows=8_000), at=now)
    [told] = await operations.list_builds(services, ["sound"])
    assert (told.index, told.rows) == (begun.index, 8_000)
    assert told.expected > told.rows
    assert told.rate > 0
    assert told.eta == pytest.approx((told.expected - told.rows) / told.rate)
    assert "no worker takes it up" in told.waits_for
    await operations.cancel_build(services, "sound")


async def test_what_is_planned_is_said_and_not_done(scene: Scene) -> None:
    await _one_sound(scene)
    services = scene.index.services
    dry = (scene.settings, "index", "reindex", "sound", "--dry-run")
    planned = await disco(*dry)
    assert "would build an index of sound from table sounds" in planned.out
    none = await disco(*dry, "--pause")
    assert (none.code, "no index of sound is being built" in none.err) == (1, True)
    begun = await operations.start_build(services, "sound")
    refused = await disco(*dry)
    assert (refused.code, begun.index in refused.err) == (1, True)
    paused = await disco(*dry, "--pause")
    assert f"would pause the build of {begun.index} (scanning)" in paused.out
    assert not (await _build(scene)).is_paused
    await operations.cancel_build(services, "sound")
    await scene.broker.purge()


async def test_a_build_that_no_worker_takes_up_says_so(scene: Scene) -> None:
    begun = await operations.start_build(scene.index.services, "sound")
    told = await disco(scene.settings, "index", "reindex", "--status", "--json")
    [state] = [one for one in json.loads(told.out) if one["index"] == begun.index]
    assert "no worker" in state["waits_for"]
    async with scene.worker():
        await _reaches(scene, Phase.COMPLETE)
    await _is_equal(scene, begun.index)


async def test_paused_it_waits_and_resumed_it_goes_on(scene: Scene) -> None:
    await _one_sound(scene)
    services = scene.index.services
    begun = await operations.start_build(services, "sound")
    paused = await disco(scene.settings, "index", "reindex", "sound", "--pause", "--json")
    assert paused.code == 0, paused.err
    assert paused.lines()[0]["paused"] is True
    async with scene.worker():
        await _batch_is_empty(scene)
        told = await disco(scene.settings, "index", "reindex", "sound", "--status", "--json")
        [state] = json.loads(told.out)
        assert (state["phase"], state["paused"], state["documents"]) == ("scanning", True, 0)
        done = await disco(
            scene.settings, "index", "reindex", "sound", "--resume", "--no-promote", "--json"
        )
        assert done.code == 0, done.err
    assert done.lines()[0]["documents"] == 1
    await _is_equal(scene, begun.index)


async def test_cancelled_it_leaves_nothing(scene: Scene) -> None:
    await _one_sound(scene)
    services = scene.index.services
    live = await services.generations.live("sound")
    begun = await operations.start_build(services, "sound")

    async def follow_it() -> None:
        async for _ in follow(services, "sound", begun.index):
            pass

    following = asyncio.create_task(follow_it())
    await operations.pause_build(services, "sound")
    await operations.cancel_build(services, "sound")
    with pytest.raises(BuildEndedError, match="cancelled"):
        await following
    assert await _generation(scene, begun.index) is None
    assert (await services.generations.live("sound")).index == live.index
    async with scene.worker() as worker:
        await scene.agrees(worker)
    with pytest.raises(NoBuildError, match="no index of sound is being built"):
        await operations.resume_build(services, "sound")


async def test_of_two_builds_of_a_type_the_second_is_refused(scene: Scene) -> None:
    begun = await operations.start_build(scene.index.services, "sound")
    with pytest.raises(BuildUnderWayError, match=begun.index):
        await operations.start_build(scene.index.services, "sound")
    done = await disco(scene.settings, "index", "reindex", "sound")
    assert done.code == 1
    assert "--cancel" in done.err
    await operations.cancel_build(scene.index.services, "sound")
    await scene.broker.purge()


async def test_an_index_that_is_deleted_while_it_is_built_ends_the_build_and_nothing_else(
    scene: Scene,
) -> None:
    await _one_sound(scene)
    begun = await operations.start_build(scene.index.services, "sound")
    await operations.retire(scene.index.services, begun.index)
    async with scene.worker() as worker:
        build = await _reaches(scene, Phase.FAILED)
        assert begun.index in build.failure
        await scene.agrees(worker)


async def test_without_room_it_waits_and_says_so_and_what_is_live_goes_on(scene: Scene) -> None:
    """The block is the one that the engine sets when its disk is nearly full."""
    sound = await _one_sound(scene)
    services = scene.index.services
    begun = await operations.start_build(services, "sound")
    await _block(scene, begun.index, blocked=True)
    async with scene.worker() as worker:
        await worker.counted(3, "writes_total", outcome="unavailable")
        told = await disco(scene.settings, "index", "reindex", "sound", "--status", "--json")
        [state] = json.loads(told.out)
        assert state["phase"] == "scanning"
        assert "index.blocks.read_only_allow_delete" in state["waits_for"]
        said = await disco(scene.settings, "index", "reindex", "sound", "--status")
        assert "waits: the engine takes no writes to it" in said.out
        for title in ("Hail", "Snow", "Fog"):
            await scene.application.apply(writes.rename("sound", sound, title))
            await scene.shows("sound", sound, title=title, within=5)
        [group] = await scene.application.apply(writes.create_group(await _user(scene), "Ducks"))
        await scene.shows("group", group.id, within=5)
        await _block(scene, begun.index, blocked=None)
        build = await _reaches(scene, Phase.COMPLETE)
        await scene.is_drained(worker)
    assert build.documents == 1
    again = await disco(scene.settings, "index", "reindex", "sound", "--status", "--json")
    assert json.loads(again.out)[0]["waits_for"] is None
    await _is_equal(scene, begun.index)


async def test_without_room_for_too_long_it_fails_and_says_why(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_loader, "_LONGEST_INSISTENCE", 0.5)
    await _one_sound(scene)
    live = await scene.index.services.generations.live("sound")
    impatient = dataclasses.replace(scene.settings, build_patience=3.0)
    async with open_index(impatient) as index:
        begun = await operations.start_build(index.services, "sound")
        await _block(scene, begun.index, blocked=True)
        waits = set()

        async def watch() -> None:
            async for progress in follow(index.services, "sound", begun.index):
                waits.add(progress.waits_for)

        with pytest.raises(ScanRejectedError, match=r"came no further for 3 s: .*flood-stage"):
            await watch()
        assert any("takes no writes" in one for one in waits)
    assert (await _build(scene)).phase is Phase.FAILED
    assert await _generation(scene, begun.index) is None
    assert (await scene.index.services.generations.live("sound")).index == live.index
    async with scene.worker() as worker:
        await scene.agrees(worker)


async def test_a_difference_that_cannot_be_mended_for_lack_of_room_is_tried_again(
    scene: Scene,
) -> None:
    await _one_sound(scene)
    services = scene.index.services
    generation = await services.generations.create(services.definitions["sound"])
    await _block(scene, generation.index, blocked=True)
    everything = Range(SMALLEST_ID, END_OF_IDS, 1)
    with pytest.raises(TemporarilyUnavailableError, match="did not take 1"):
        await compare_range(services, generation, everything)
    await _block(scene, generation.index, blocked=None)
    assert (await compare_range(services, generation, everything)).mended == 1


async def test_a_message_that_was_kept_for_long_is_exchanged_for_a_new_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_loader, "_LONGEST_INSISTENCE", 0.1)
    monkeypatch.setattr(range_lane, "_LONGEST_HELD", 0.0)
    await _one_sound(scene)
    begun = await operations.start_build(scene.index.services, "sound")
    await scene.broker.purge()
    await _block(scene, begun.index, blocked=True)
    [first] = (await _build(scene)).open
    body = Assignment("sound", (await _build(scene)).step, first.start).encode()
    finished: list[Delivery] = []
    stop = asyncio.Event()

    async def finish(delivery: Delivery) -> None:
        finished.append(delivery)
        stop.set()

    async with open_broker(scene.settings, name="test") as connection:
        publisher = RangePublisher(await connection.channel())
        lane = RangeLane(scene.index.services, publisher)
        lane.receive(Delivery(1, f"{PREFIX}sound", body, redelivered=False))
        await asyncio.wait_for(lane.run(finish, stop), 30)
    assert len(finished) == 1
    assert (await _build(scene)).holds(first.start) == first, "it is open still"
    assert await scene.broker.ready(BATCH_QUEUE) == 1
    await _block(scene, begun.index, blocked=None)
    async with scene.worker():
        await _reaches(scene, Phase.COMPLETE)
    await _is_equal(scene, begun.index)


async def test_while_the_engine_merges_segments_nobody_keeps_the_message(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "_LONGEST_WAIT", 0.001)
    await _one_sound(scene)
    services = scene.index.services
    begun = await operations.start_build(services, "sound")
    phases = []
    async for progress in follow(services, "sound", begun.index):
        phases.append(progress.phase)
        if phases.count(Phase.COMPACTING) == 10:  # a second: it was asked for again and again
            monkeypatch.setattr(generations, "_LONGEST_WAIT", 300)
    assert phases.count(Phase.COMPACTING) >= 10
    assert phases[-1] is Phase.COMPLETE
    await _is_equal(scene, begun.index)


async def _block(scene: Scene, index: str, *, blocked: bool | None) -> None:
    """What the engine does to an index whose disk is nearly full."""
    await scene.index.services.engine.indices.put_settings(
        index=index, settings={"index.blocks.read_only_allow_delete": blocked}
    )


async def _user(scene: Scene) -> int:
    found: int = await scene.index.services.databases.primary.fetchval("SELECT min(id) FROM users")
    return found


async def test_lost_messages_are_published_again(scene: Scene) -> None:
    await _one_sound(scene)
    begun = await operations.start_build(scene.index.services, "sound")
    await scene.broker.purge()
    async with scene.worker():
        await operations.resume_build(scene.index.services, "sound")
        await _reaches(scene, Phase.COMPLETE)
    await _is_equal(scene, begun.index)


_HOPELESS = {
    "document refused": (
        (
            "sound.mapping.json",
            '"duration_ms": {"type": "integer"}',
            '"duration_ms": {"type": "ip"}',
        ),
        "refuses the document with id",
    ),
    "row unreadable": (
        ("sound.hydrate.sql", "s.duration_ms,", "s.duration_ms / 0 AS duration_ms,"),
        "division by zero",
    ),
    "no time": (
        ("sound.hydrate.sql", "s.updated_at,", "NULL::timestamptz AS updated_at,"),
        "updated_at",
    ),
}


@pytest.mark.parametrize("case", _HOPELESS)
async def test_a_build_that_cannot_succeed_says_why_and_is_removed(
    scene: Scene, tmp_path: Path, case: str
) -> None:
    change, reason = _HOPELESS[case]
    await _one_sound(scene)
    live = await scene.index.services.generations.live("sound")
    changed = dataclasses.replace(scene.settings, definitions=altered(tmp_path, *change))
    async with open_index(changed) as index:
        with pytest.raises(ExceptionGroup) as raised:
            await index.build(["sound"])
    assert raised.group_contains(ScanRejectedError, match=reason)
    build = await _build(scene)
    assert build.phase is Phase.FAILED
    assert await _generation(scene, build.index) is None
    assert (await scene.index.services.generations.live("sound")).index == live.index
    async with scene.worker() as worker:
        [renamed] = await scene.application.apply(writes.rename("sound", await _any(scene), "Snow"))
        await scene.shows("sound", renamed.id, title="Snow")
        await scene.agrees(worker)


async def _any(scene: Scene) -> int:
    found: int = await scene.index.services.databases.primary.fetchval("SELECT min(id) FROM sounds")
    return found


async def test_an_index_that_the_engine_refuses_is_refused_at_once(
    scene: Scene, tmp_path: Path
) -> None:
    definitions = altered(
        tmp_path, "sound.mapping.json", '{"type": "boolean"}', '{"type": "no such type"}'
    )
    changed = dataclasses.replace(scene.settings, definitions=definitions)
    done = await disco(changed, "index", "reindex", "sound")
    assert done.code == 1
    assert "no such type" in done.err
    assert "disco index check sound" in done.err


class _Interrupted(RangePublisher):
    """A publisher whose first publication fails, as when the broker goes away at that moment."""

    failed = False

    async def publish(self, build: Build, ranges: Sequence[Range]) -> None:
        if not self.failed:
            self.failed = True
            raise TemporarilyUnavailableError("RabbitMQ", "a test has interrupted it")
        await super().publish(build, ranges)


@pytest.mark.parametrize("manner", ["goes on", "died"])
async def test_what_a_range_hands_out_is_published_even_after_an_interruption(
    scene: Scene, manner: str
) -> None:
    await _one_sound(scene)
    services = scene.index.services
    begun = await operations.start_build(services, "sound")
    await scene.broker.purge()
    [first] = (await _build(scene)).open
    step = (await _build(scene)).step
    body = Assignment("sound", step, first.start).encode()
    finished: list[Delivery] = []
    stop = asyncio.Event()

    async def finish(delivery: Delivery) -> None:
        finished.append(delivery)
        stop.set()

    async with open_broker(scene.settings, name="test") as connection:
        publisher = _Interrupted(await connection.channel())
        if manner == "died":
            # Its range was noted as finished, and nobody published what comes next.
            await _note_finished(scene, first)
            publisher.failed = True
        lane = RangeLane(services, publisher)
        lane.receive(Delivery(1, f"{PREFIX}sound", body, redelivered=manner == "died"))
        await asyncio.wait_for(lane.run(finish, stop), 30)
    assert len(finished) == 1
    assert (await _build(scene)).phase is Phase.COMPACTING
    assert await scene.broker.ready(BATCH_QUEUE) == 1
    async with scene.worker():
        await _reaches(scene, Phase.COMPLETE)
    generation = await _generation(scene, begun.index)
    assert generation is not None
    await services.generations.delete(generation)


async def _note_finished(scene: Scene, done: Range, *, at: int = 1) -> None:
    journal = scene.index.services.journal
    entry = await journal.read("sound")
    assert entry is not None
    assert await journal.put(entry.build.finish(done, Tally(), at), entry)


async def test_a_worker_that_has_not_seen_the_new_index_loses_nothing_for_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers: one looked at the indices just before the new one came, the other just after."""
    monkeypatch.setattr(fanout, "LEASE_SECONDS", _LEASE)
    monkeypatch.setattr(reindexing, "LEASE_SECONDS", _LEASE)
    services = scene.index.services
    renamed, removed = await _one_sound(scene), await _one_sound(scene)
    async with open_broker(scene.settings, name="test") as connection:
        publisher = RefreshPublisher(await connection.channel())
        ignorant, knowing = Fanout(services, publisher), Fanout(services, publisher)
        await ignorant.knows("sound")
        await services.journal.open()
        starting = asyncio.create_task(operations.start_build(services, "sound"))
        index = await until(lambda: _under_preparation(scene), within=_LEASE, what="a new index")
        # The one that knows writes a sound that is about to be removed.
        [kept] = await scene.application.commit(writes.rename("sound", removed, "Not for long"))
        await knowing.process([Change(("sound", removed), kept.event.occurred_at, cascades=False)])
        assert await services.engine.exists(index=index, id=str(removed))
        # The other one learns of what happens next, and writes it to the old index alone.
        [rename] = await scene.application.commit(writes.rename("sound", renamed, "Snow"))
        [removal] = await scene.application.commit(writes.delete("sound", removed))
        for change in (rename, removal):
            key = ("sound", change.id)
            await ignorant.process([Change(key, change.event.occurred_at, cascades=False)])
        assert not await services.engine.exists(index=index, id=str(renamed))
        assert await services.engine.exists(index=index, id=str(removed)), "a ghost by now"
        assert (await _build(scene)).phase is Phase.PREPARING, "the test was too slow"
        begun = await starting
    states = [state async for state in follow(services, "sound", begun.index)]
    assert states[-1].mended == 1, "the ghost"
    found = await services.engine.get(index=index, id=str(renamed))
    assert found["_source"]["title"] == "Snow"
    assert not await services.engine.exists(index=index, id=str(removed))
    await _is_equal(scene, begun.index)


async def _under_preparation(scene: Scene) -> str:
    entry = await scene.index.services.journal.read("sound")
    is_new = entry is not None and entry.build.phase is Phase.PREPARING
    return entry.build.index if entry is not None and is_new else ""
