"""Each clause of the version rule (ADR 0001), one by one, on the real services."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from core.events import Action, Event, from_microseconds, to_microseconds
from demo import writes
from demo.changes import Change
from demo.writes import Write
from stack import faults
from stack.assembly import Stack
from tests.integration.indexer.scene import Scene, late
from tests.integration.indexer.waiting import until
from tests.integration.indexer.worker_process import Worker, launcher

YEAR_9999 = to_microseconds(datetime(9999, 1, 1, tzinfo=UTC))
SECOND = 1_000_000


async def _user(scene: Scene, name: str = "Ana") -> Change:
    """A user with a document, whose event has been forgotten: no refresh is under way."""
    (change,) = await scene.application.commit(writes.create_user(name))
    await scene.index.take(("user", change.id))
    return change


async def _sound(scene: Scene, user: Change, title: str = "Rain") -> Change:
    """A sound that nobody was told of yet."""
    (change,) = await scene.application.commit(writes.create_sound(user.id, title))
    return change


async def _rename(scene: Scene, entity: str, entity_id: int, title: str) -> Event:
    (change,) = await scene.application.commit(writes.rename(entity, entity_id, title))
    return change.event


def _stamped(sound_id: int, title: str, moment: int) -> Write:
    """A producer that sets `updated_at` as it likes, past the trigger."""

    async def write(connection: Any) -> tuple[Event, ...]:
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(
            "update sounds set title = $2, updated_at = $3 where id = $1",
            *(sound_id, title, from_microseconds(moment)),
        )
        await connection.execute("set local session_replication_role = origin")
        return (Event("sound", sound_id, Action.SAVE, moment),)

    return write


def _held(committing: asyncio.Event) -> Write:
    """Keeps its transaction open until `committing` is set."""

    async def write(_connection: Any) -> tuple[Event, ...]:
        await committing.wait()
        return ()

    return write


# Hydration is no older than the event


async def test_what_the_replica_does_not_show_yet_is_not_deleted(
    scene: Scene, stack: Stack
) -> None:
    user = await _user(scene)
    async with scene.worker(replica_patience=120) as worker:
        await scene.shows("user", user.id)
        before = await worker.metrics()
        with faults.paused_replay(stack):
            sound = await _sound(scene, user)
            await scene.publish(sound.event)
            batches = before("batch_changes_count", queue="indexer.interactive")
            await worker.counted(batches + 1, "batch_changes_count", queue="indexer.interactive")
        found = await scene.shows("sound", sound.id, title="Rain")
        assert found["_version"] == sound.occurred_at
        after = await worker.metrics()
        assert after("writes_total", outcome="absent") == before("writes_total", outcome="absent")
        assert after("fence_timeouts_total") == 0
        await scene.agrees(worker)


async def test_an_update_that_the_replica_does_not_show_yet_waits_for_it(
    scene: Scene, stack: Stack
) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    await scene.publish(sound.event)
    async with scene.worker(replica_patience=120) as worker:
        await scene.shows("sound", sound.id, title="Rain")
        await worker.counted(1, "events_total")
        before = await worker.metrics()
        with faults.paused_replay(stack):
            event = await _rename(scene, "sound", sound.id, "Snow")
            await scene.publish(event)
            batches = before("batch_changes_count", queue="indexer.interactive")
            await worker.counted(batches + 1, "batch_changes_count", queue="indexer.interactive")
            assert (await worker.metrics())("writes_total") == before("writes_total")
        assert (await scene.shows("sound", sound.id, title="Snow"))["_version"] == event.occurred_at
        await scene.agrees(worker)


async def test_after_the_replicas_patience_the_primary_is_asked(scene: Scene, stack: Stack) -> None:
    user = await _user(scene)
    async with scene.worker(replica_patience=0.3) as worker:
        await scene.shows("user", user.id)
        with faults.paused_replay(stack):
            sound = await _sound(scene, user)
            await scene.publish(sound.event)
            await scene.shows("sound", sound.id, title="Rain")
            assert (await worker.metrics())("fence_timeouts_total") >= 1
        await scene.agrees(worker)


async def test_dependents_are_looked_for_where_the_change_was_seen(
    scene: Scene, stack: Stack
) -> None:
    user = await _user(scene)
    async with scene.worker(replica_patience=0.3) as worker:
        await scene.shows("user", user.id)
        with faults.paused_replay(stack):
            sound = await _sound(scene, user)  # only the primary shows it, and no event tells of it
            await scene.publish(await _rename(scene, "user", user.id, "Bea"))
            await scene.shows("sound", sound.id, subtitle="Bea")
        await scene.agrees(worker)


# What is delivered twice, or in another order


async def test_duplicates_change_nothing(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    await scene.publish(sound.event)
    async with scene.worker() as worker:
        first = await scene.shows("sound", sound.id)
        await worker.counted(1, "events_total")
        before = await worker.metrics()
        for number in (1, 2, 3):
            await scene.publish(sound.event)
            await worker.counted(number, "events_total", outcome="conflict")
        assert (await worker.metrics())("writes_total") == before("writes_total")  # not even sent
        assert await scene.index.stored("sound", sound.id) == first
        assert (await worker.metrics())("resettled_total") == before("resettled_total")
        await scene.agrees(worker)


async def test_duplicates_that_wait_together_are_one_write(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    await scene.publish(*[sound.event] * 50)
    async with scene.worker(interactive_linger=0.5) as worker:
        await scene.shows("sound", sound.id)
        await worker.counted(49, "events_total", outcome="coalesced")
        metrics = await worker.metrics()
        assert metrics("events_total") == 50
        assert metrics("writes_total") == 1
        await scene.agrees(worker)


async def test_of_events_in_reverse_the_newest_state_stays(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    older = await _rename(scene, "sound", sound.id, "Snow")
    newer = await _rename(scene, "sound", sound.id, "Hail")
    async with scene.worker() as worker:
        for number, event in enumerate((newer, older, sound.event)):
            await scene.publish(event)
            await worker.counted(number, "events_total", outcome="conflict")
            found = await scene.shows("sound", sound.id, title="Hail")
            assert found["_version"] == newer.occurred_at
        await scene.agrees(worker)


async def test_an_older_event_alone_carries_the_newest_state(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    newer = await _rename(scene, "sound", sound.id, "Hail")
    await scene.publish(sound.event)
    async with scene.worker() as worker:
        # Under the row's own time, so that the late event of that state changes nothing.
        found = await scene.shows("sound", sound.id, title="Hail")
        assert found["_version"] == newer.occurred_at
        await scene.agrees(worker)


# Times that are equal, early or ahead


async def test_two_updates_with_one_time_in_one_transaction(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    moment = sound.occurred_at + 1
    changes = await scene.application.commit(
        _stamped(sound.id, "Snow", moment), _stamped(sound.id, "Hail", moment)
    )
    async with scene.worker() as worker:
        for number, change in enumerate(changes):
            await scene.publish(change.event)
            await worker.counted(number, "events_total", outcome="conflict")
            await scene.shows("sound", sound.id, title="Hail", _version=moment)
        await scene.agrees(worker)


async def test_two_transactions_with_one_time(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    moment = sound.occurred_at + 1
    async with scene.worker() as worker:
        await scene.application.apply(_stamped(sound.id, "Snow", moment))
        await scene.shows("sound", sound.id, title="Snow", _version=moment)
        await scene.application.apply(_stamped(sound.id, "Hail", moment))
        await scene.shows("sound", sound.id, title="Hail")
        await worker.counted(1, "resettled_total")
        await scene.agrees(worker)


async def test_a_time_that_runs_backwards_is_served(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    async with scene.worker() as worker:
        await scene.application.apply(_stamped(sound.id, "Snow", sound.occurred_at + 10))
        await scene.shows("sound", sound.id, title="Snow")
        await scene.application.apply(_stamped(sound.id, "Hail", sound.occurred_at + 5))
        await scene.shows("sound", sound.id, title="Hail")
        await scene.agrees(worker)


async def _send_from_the_future(scene: Scene, worker: Worker) -> tuple[Event, dict[str, Any]]:
    """A sound whose first event is in the year 9999; a genuine later change; what is stored."""
    user = await _user(scene)
    sound = await _sound(scene, user)
    await scene.publish(late(sound.event, YEAR_9999))
    await scene.shows("sound", sound.id, title="Rain")
    await worker.counted(1, "events_total", queue="indexer.interactive", outcome="indexed")
    event = await _rename(scene, "sound", sound.id, "Snow")
    await scene.publish(event)
    return event, await scene.shows("sound", sound.id, title="Snow")


async def test_a_clock_far_ahead_is_clamped_and_the_next_change_wins(scene: Scene) -> None:
    async with scene.worker() as worker:
        event, found = await _send_from_the_future(scene, worker)
        assert found["_version"] == event.occurred_at
        metrics = await worker.metrics()
        assert metrics("clamped_total") == 1
        assert metrics("writes_total", outcome="conflict") == 0
        await scene.agrees(worker)


async def test_without_the_clamp_every_later_change_would_be_refused_first(scene: Scene) -> None:
    async with scene.worker(command=launcher("no_clamp")) as worker:
        _, found = await _send_from_the_future(scene, worker)
        assert found["_version"] > YEAR_9999
        assert (await worker.metrics())("writes_total", outcome="conflict") >= 1
        await scene.agrees(worker)


async def test_a_row_from_the_future_does_not_lock_its_document(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    async with scene.worker() as worker:
        await scene.application.apply(_stamped(sound.id, "Snow", YEAR_9999))
        await scene.shows("sound", sound.id, title="Snow")
        await scene.application.apply(_stamped(sound.id, "Hail", sound.occurred_at + SECOND))
        await scene.shows("sound", sound.id, title="Hail")
        await scene.agrees(worker)


async def test_a_clock_within_the_tolerance_is_believed(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    ahead = sound.occurred_at + 60 * SECOND
    async with scene.worker(clock_tolerance=120) as worker:
        await scene.publish(late(sound.event, ahead))
        await scene.shows("sound", sound.id, _version=ahead)
        assert (await worker.metrics())("clamped_total") == 0
        # The next genuine change is stamped before that time: refused, read back, repeated.
        await scene.publish(await _rename(scene, "sound", sound.id, "Snow"))
        await scene.shows("sound", sound.id, title="Snow")
        await scene.agrees(worker)


async def test_a_change_stamped_before_a_refresh_and_committed_after_it_is_not_lost(
    scene: Scene,
) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    await scene.publish(sound.event)
    committing = asyncio.Event()
    async with scene.worker() as worker:
        await scene.shows("sound", sound.id, title="Rain", subtitle="Ana")
        open_transaction = asyncio.create_task(
            scene.application.commit(writes.rename("sound", sound.id, "Snow"), _held(committing))
        )
        await _is_locked(scene, sound.id)
        await scene.publish(await _rename(scene, "user", user.id, "Bea"))
        refreshed = await scene.shows("sound", sound.id, title="Rain", subtitle="Bea")
        committing.set()
        (change,) = await open_transaction
        assert change.occurred_at < refreshed["_version"]
        await scene.publish(change.event)
        await scene.shows("sound", sound.id, title="Snow", subtitle="Bea")
        await worker.counted(1, "resettled_total")
        await scene.agrees(worker)


async def _is_locked(scene: Scene, sound_id: int) -> None:
    """Wait until a transaction holds the row."""
    pool = scene.index.services.databases.primary

    async def nobody_can_have_it() -> bool:
        free = "select 1 from sounds where id = $1 for update skip locked"
        return await pool.fetchval(free, sound_id) is None

    await until(nobody_can_have_it, within=10, what=f"sound {sound_id} is locked")


# What is gone stays gone


async def test_a_late_update_of_a_deleted_row_deletes_again(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    await scene.publish(sound.event)
    async with scene.worker() as worker:
        await scene.shows("sound", sound.id)
        update = await _rename(scene, "sound", sound.id, "Snow")
        await scene.application.apply(writes.destroy("sound", sound.id))
        await scene.is_gone("sound", sound.id)
        await worker.counted(2, "events_total", queue="indexer.interactive")
        before = await worker.metrics()
        await scene.publish(update, late(update, update.occurred_at + 3600 * SECOND))
        events = before("events_total", queue="indexer.interactive") + 2
        await worker.counted(events, "events_total", queue="indexer.interactive")
        assert await scene.index.stored("sound", sound.id) is None
        await scene.agrees(worker)


async def test_a_late_update_of_a_row_that_was_never_indexed_is_absent(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    await scene.application.commit(writes.destroy("sound", sound.id))
    async with scene.worker() as worker:
        await scene.publish(sound.event)
        await worker.counted(1, "events_total", outcome="absent")
        await scene.agrees(worker)


async def test_a_soft_deletion_and_its_undoing(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    await scene.publish(sound.event)
    async with scene.worker() as worker:
        await scene.shows("sound", sound.id)
        await scene.application.apply(writes.delete("sound", sound.id))
        await scene.is_gone("sound", sound.id)
        await scene.application.apply(writes.restore("sound", sound.id))
        await scene.shows("sound", sound.id)
        await scene.agrees(worker)


async def test_flips_between_private_and_public_end_as_the_database_does(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    await scene.publish(sound.event)
    flips = (writes.make_private, writes.publish)
    async with scene.worker() as worker:
        await scene.shows("sound", sound.id)
        events = []
        for number in range(7):
            (change,) = await scene.application.commit(flips[number % 2]("sound", sound.id))
            events.append(change.event)
        await scene.publish(*reversed(events))
        await scene.is_gone("sound", sound.id)
        (change,) = await scene.application.commit(writes.publish("sound", sound.id))
        await scene.publish(change.event)
        await scene.shows("sound", sound.id)
        await scene.publish(*events)
        await scene.agrees(worker)


async def test_what_a_destroyed_user_owned_is_gone(scene: Scene) -> None:
    user, other = await _user(scene), await _user(scene, "Bea")
    sound = await _sound(scene, user)
    (group,) = await scene.application.apply(writes.create_group(user.id, "Rainy days"))
    (own,) = await scene.application.apply(writes.create_set(user.id, "Mine"))
    (foreign,) = await scene.application.apply(writes.create_set(other.id, "Hers"))
    await scene.application.commit(writes.add_to_set(foreign.id, sound.id))
    await scene.publish(sound.event, foreign.event)
    async with scene.worker() as worker:
        await scene.shows("set", foreign.id, sounds=["Rain"])
        await scene.shows("sound", sound.id)
        await scene.shows("group", group.id)
        await scene.shows("set", own.id)
        await scene.application.apply(writes.destroy("user", user.id))
        for entity, entity_id in (
            ("user", user.id),
            ("sound", sound.id),
            ("group", group.id),
            ("set", own.id),
        ):
            await scene.is_gone(entity, entity_id)
        await scene.shows("set", foreign.id, sounds=None, sound_count=0)
        await scene.agrees(worker)


# What joins a changed row


async def test_a_renamed_user_is_renamed_wherever_he_is_shown(scene: Scene) -> None:
    user, other = await _user(scene), await _user(scene, "Bea")
    sound = await _sound(scene, user)
    (group,) = await scene.application.apply(writes.create_group(user.id, "Rainy days"))
    (own,) = await scene.application.apply(writes.create_set(user.id, "Mine"))
    (foreign,) = await scene.application.apply(writes.create_set(other.id, "Hers"))
    await scene.publish(sound.event)
    async with scene.worker() as worker:
        for entity, entity_id in (("sound", sound.id), ("group", group.id), ("set", own.id)):
            await scene.shows(entity, entity_id, subtitle="Ana")
        untouched = await scene.shows("set", foreign.id)
        await scene.publish(await _rename(scene, "user", user.id, "Cleo"))
        await scene.shows("user", user.id, title="Cleo")
        for entity, entity_id in (("sound", sound.id), ("group", group.id), ("set", own.id)):
            await scene.shows(entity, entity_id, subtitle="Cleo")
        assert await scene.index.stored("set", foreign.id) == untouched
        await scene.agrees(worker)


async def test_a_hidden_user_hides_what_is_his_and_shows_it_again(scene: Scene) -> None:
    user, other = await _user(scene), await _user(scene, "Bea")
    sound = await _sound(scene, user)
    (foreign,) = await scene.application.apply(writes.create_set(other.id, "Hers"))
    await scene.application.commit(writes.add_to_set(foreign.id, sound.id))
    await scene.publish(sound.event, foreign.event)
    async with scene.worker() as worker:
        await scene.shows("sound", sound.id)
        await scene.shows("set", foreign.id, sounds=["Rain"])
        await scene.application.apply(writes.make_private("user", user.id))
        await scene.is_gone("sound", sound.id)
        await scene.shows("set", foreign.id, sound_count=0)
        await scene.application.apply(writes.publish("user", user.id))
        await scene.shows("sound", sound.id)
        await scene.shows("set", foreign.id, sounds=["Rain"])
        await scene.agrees(worker)


# Acknowledged last


async def test_a_crash_between_write_and_acknowledgement_loses_nothing(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    await scene.publish(sound.event)
    async with scene.worker(command=launcher("die_before_acknowledging")) as doomed:
        assert await doomed.ended() == -9
    written = await scene.shows("sound", sound.id)
    assert await scene.broker.ready("indexer.interactive") == 1
    async with scene.worker() as worker:
        await worker.counted(1, "writes_total", outcome="conflict")
        assert await scene.index.stored("sound", sound.id) == written
        await scene.agrees(worker)


async def test_what_changed_while_the_dead_worker_held_the_event_is_found(scene: Scene) -> None:
    user = await _user(scene)
    sound = await _sound(scene, user)
    await scene.publish(sound.event)
    async with scene.worker(command=launcher("die_before_acknowledging")) as doomed:
        assert await doomed.ended() == -9
    await scene.application.commit(writes.destroy("sound", sound.id))  # its event never comes
    async with scene.worker() as worker:
        await scene.is_gone("sound", sound.id)
        await scene.agrees(worker)
