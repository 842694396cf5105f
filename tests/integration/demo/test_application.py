"""Every write, its version and its events, on a real database and broker."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aio_pika
import pytest

from core.broker import INTERACTIVE_QUEUE, open_broker
from core.errors import ServiceUnavailableError, UsageError
from core.events import Action, Event, from_microseconds, to_microseconds
from core.settings import Settings
from demo import writes
from demo.application import Application
from demo.changes import Change
from demo.errors import UnknownEntityError
from demo.schema import ENTITY_TABLES
from demo.writes import Write
from tests.integration.demo.conftest import Published, drained


async def version(database: Any, entity: str, entity_id: int) -> int:
    moment = await database.fetchval(
        f"select updated_at from {ENTITY_TABLES[entity]} where id = $1", entity_id
    )
    return to_microseconds(moment)


async def only(application: Application, write: Write) -> Change:
    (change,) = await application.apply(write)
    return change


async def test_a_new_sound(application: Application, database: Any, published: Published) -> None:
    change = await only(application, writes.create_sound(1, "Größe 7", description="x"))
    row = await database.fetchrow("select * from sounds where id = $1", change.id)
    assert (row["title"], row["permalink"]) == ("Größe 7", f"grosse-7-{change.id}")
    assert (row["user_id"], row["description"]) == (1, "x")
    assert change.action is Action.CREATE
    assert change.occurred_at == to_microseconds(row["updated_at"])
    assert await published() == [change.event]


@pytest.mark.parametrize(
    ("write", "entity", "action"),
    [
        (lambda: writes.create_user("Ünal"), "user", Action.CREATE),
        (lambda: writes.create_set(1, "Late", kind="ep"), "set", Action.CREATE),
        (lambda: writes.create_group(1, "Owls"), "group", Action.CREATE),
        (lambda: writes.rename("user", 2, "Bo"), "user", Action.SAVE),
        (lambda: writes.rename("group", 2, "Bo"), "group", Action.SAVE),
        (lambda: writes.edit("set", 2, description="x", kind="album"), "set", Action.SAVE),
        (lambda: writes.edit("sound", 2, downloadable=True), "sound", Action.SAVE),
        (lambda: writes.make_private("sound", 2), "sound", Action.DESTROY),
        (lambda: writes.publish("sound", 2), "sound", Action.SAVE),
        (lambda: writes.delete("user", 2), "user", Action.DESTROY),
        (lambda: writes.restore("user", 2), "user", Action.CREATE),
        (lambda: writes.tag_sound(2, "new tag", "techno"), "sound", Action.SAVE),
        (lambda: writes.untag_sound(2, "new tag", "never seen"), "sound", Action.SAVE),
        (lambda: writes.add_to_set(3, 5, 4), "set", Action.SAVE),
        (lambda: writes.remove_from_set(3, 5), "set", Action.SAVE),
    ],
)
async def test_an_event_has_the_version_that_the_row_has(
    *,
    application: Application,
    database: Any,
    published: Published,
    write: Callable[[], Write],
    entity: str,
    action: Action,
) -> None:
    change = await only(application, write())
    assert (change.entity, change.action, change.consequences) == (entity, action, ())
    assert change.occurred_at == await version(database, entity, change.id)
    assert await published() == [change.event]


@pytest.mark.parametrize(
    ("write", "key"),
    [
        (writes.play(1, 1), ("sound", 1)),
        (writes.comment(1, 1, "hm"), ("sound", 1)),
        (writes.like(4, 1), ("sound", 1)),
        (writes.repost(4, 1), ("sound", 1)),
        (writes.follow(4, 2), ("user", 2)),
    ],
)
async def test_activity_has_its_entity_refreshed_and_touches_nothing(
    *,
    application: Application,
    database: Any,
    published: Published,
    write: Write,
    key: tuple[str, int],
) -> None:
    await database.execute(
        "delete from likes where user_id = 4; delete from reposts where user_id = 4;"
        "delete from follows where follower_id = 4"
    )
    before = await version(database, *key)
    change = await only(application, write)
    assert ((change.entity, change.id), change.action) == (key, Action.REFRESH)
    assert change.occurred_at > await version(database, *key) == before
    assert await published() == [change.event]


async def test_what_was_done_before_is_not_told_again(
    application: Application, published: Published
) -> None:
    await application.apply(writes.like(5, 1), writes.follow(5, 2))
    await published()
    assert await application.apply(writes.like(5, 1), writes.follow(5, 2)) == []
    assert await published() == []


async def test_plays_add_up(application: Application, database: Any) -> None:
    count = "select coalesce(sum(count), 0) from plays where user_id = 3 and sound_id = 3"
    before = await database.fetchval(count)
    await application.apply(writes.play(3, 3), writes.play(3, 3))
    assert await database.fetchval(count) == before + 2


async def test_content_of_a_set_keeps_its_order(application: Application, database: Any) -> None:
    made = await only(application, writes.create_set(1, "Order"))
    await application.apply(writes.add_to_set(made.id, 9, 7, 8))
    await application.apply(writes.add_to_set(made.id, 7, 6))
    rows = await database.fetch(
        "select sound_id from set_sounds where set_id = $1 order by position, sound_id", made.id
    )
    assert [row["sound_id"] for row in rows] == [9, 7, 8, 6]


async def test_writes_of_one_transaction_share_a_commit_and_no_version(
    application: Application,
) -> None:
    changes = await application.commit(
        writes.rename("sound", 4, "a"), writes.rename("sound", 4, "b"), writes.tag_sound(4, "c")
    )
    assert len({change.committed_at for change in changes}) == 1
    moments = [change.occurred_at for change in changes]
    assert moments == sorted(set(moments))


async def test_many_are_renamed_in_one_statement(
    application: Application, database: Any, published: Published
) -> None:
    titles = {n: f"Title {n}" for n in range(20, 60)} | {999_999_999: "nobody's"}
    change = await only(application, writes.rename_all("sound", titles))
    assert {event.id for event in change.events} == set(range(20, 60))
    for event in change.events:
        assert event.occurred_at == await version(database, "sound", event.id)
    assert await database.fetchval("select title from sounds where id = 33") == "Title 33"
    assert await published() == list(change.events)


async def test_nothing_is_changed_or_told_if_one_write_fails(
    application: Application, database: Any, published: Published
) -> None:
    before = await version(database, "sound", 4)
    with pytest.raises(UnknownEntityError, match="there is no sound 999999999"):
        await application.apply(
            writes.rename("sound", 4, "x"), writes.rename("sound", 999_999_999, "y")
        )
    assert await version(database, "sound", 4) == before
    assert await published() == []


@pytest.mark.parametrize(
    "write",
    [
        lambda n: writes.make_private("set", n),
        lambda n: writes.delete("set", n),
        lambda n: writes.destroy("set", n),
        lambda n: writes.add_to_set(n, 1),
        lambda n: writes.remove_from_set(n, 1),
    ],
)
async def test_a_row_that_is_not_there_is_named(
    application: Application, write: Callable[[int], Write]
) -> None:
    with pytest.raises(UnknownEntityError, match="there is no set 999999999"):
        await application.commit(write(999_999_999))


def test_only_some_columns_can_be_edited() -> None:
    with pytest.raises(UsageError, match="cannot edit updated_at of a sound; choose from descr"):
        writes.edit("sound", 1, updated_at=None)


async def test_a_destroyed_sound_takes_leave_of_its_sets(
    application: Application, database: Any, published: Published
) -> None:
    sound = await only(application, writes.create_sound(1, "Going"))
    await application.apply(writes.add_to_set(1, sound.id), writes.add_to_set(2, sound.id))
    before = await version(database, "sound", sound.id)
    await published()
    change = await only(application, writes.destroy("sound", sound.id))
    assert change.action is Action.DESTROY
    assert change.occurred_at > before
    assert change.consequences == tuple(
        [Event("set", i, Action.SAVE, await version(database, "set", i)) for i in (1, 2)]
    )
    assert await published() == list(change.events)


async def test_a_destroyed_user_takes_all_that_is_his_along(
    application: Application, database: Any, published: Published
) -> None:
    user = await only(application, writes.create_user("Going"))
    sound, own_set, group = await application.apply(
        writes.create_sound(user.id, "His"),
        writes.create_set(user.id, "His"),
        writes.create_group(user.id, "His"),
    )
    await application.apply(
        writes.add_to_set(own_set.id, sound.id),
        writes.add_to_set(5, sound.id),
        writes.tag_sound(6, "his", user_id=user.id),
        writes.tag_sound(sound.id, "his", user_id=user.id),
    )
    await published()
    change = await only(application, writes.destroy("user", user.id))
    gone = change.occurred_at
    assert set(change.events) == {
        Event("user", user.id, Action.DESTROY, gone),
        Event("sound", sound.id, Action.DESTROY, gone),
        Event("set", own_set.id, Action.DESTROY, gone),
        Event("group", group.id, Action.DESTROY, gone),
        Event("set", 5, Action.SAVE, await version(database, "set", 5)),
        Event("sound", 6, Action.SAVE, await version(database, "sound", 6)),
    }
    assert change.events[0].entity == "user"
    assert await published() == list(change.events)


async def test_what_goes_with_a_user_is_newer_than_its_own_version(
    application: Application, database: Any
) -> None:
    user = await only(application, writes.create_user("Going"))
    sound = await only(application, writes.create_sound(user.id, "Ahead of its user"))
    await database.execute(
        """
        begin;
        alter table sounds disable trigger sounds_updated_at;
        update sounds set updated_at = updated_at + interval '1 hour'
            where title = 'Ahead of its user';
        alter table sounds enable trigger sounds_updated_at;
        commit;
        """
    )
    ahead = await version(database, "sound", sound.id)
    change = await only(application, writes.destroy("user", user.id))
    assert Event("sound", sound.id, Action.DESTROY, ahead + 1) in change.events


async def test_a_deletion_is_newer_than_a_version_ahead_of_the_clock(
    application: Application, database: Any
) -> None:
    made = await only(application, writes.create_sound(1, "Early"))
    await database.execute(
        """
        begin;
        alter table sounds disable trigger sounds_updated_at;
        update sounds set updated_at = clock_timestamp() + interval '1 hour' where title = 'Early';
        alter table sounds enable trigger sounds_updated_at;
        commit;
        """
    )
    ahead = await version(database, "sound", made.id)
    change = await only(application, writes.destroy("sound", made.id))
    later = from_microseconds(change.occurred_at) - from_microseconds(ahead)
    assert later == timedelta(microseconds=1)


async def test_events_can_be_held_back_repeated_and_reordered(
    application: Application, published: Published
) -> None:
    first, second = await application.commit(
        writes.rename("sound", 8, "one"), writes.rename("sound", 9, "two")
    )
    assert await published() == []
    await application.publish(second, first, first)
    assert await published() == [second.event, first.event, first.event]
    stale = replace(first, occurred_at=first.occurred_at - 1)
    await application.publish_events([stale.event])
    assert await published() == [stale.event]


async def test_many_events_arrive_in_order(application: Application, published: Published) -> None:
    events = [Event("sound", i, Action.SAVE, 1_772_281_800_123_456 + i) for i in range(1_700)]
    await application.publish_events(iter(events))
    assert await published() == events


async def test_messages_survive_a_restart_of_the_broker(
    catalogue: Settings, application: Application
) -> None:
    await application.apply(writes.rename("sound", 8, "persistent"))
    (message,) = await drained(catalogue)
    assert message.delivery_mode is aio_pika.DeliveryMode.PERSISTENT
    assert message.content_type == "application/json"


async def test_an_event_that_no_queue_takes_is_an_error(
    catalogue: Settings, application: Application, unbound: Callable[[], Awaitable[None]]
) -> None:
    changes = await application.commit(writes.rename("sound", 8, "unheard"))
    await unbound()
    with pytest.raises(ServiceUnavailableError, match="did not confirm"):
        await application.publish(*changes)


@pytest.fixture
async def unbound(catalogue: Settings) -> Any:
    """Unbinds the indexer's queue when called, until the test is over."""
    async with open_broker(catalogue, name="test") as broker:
        queue = await (await broker.channel()).get_queue(INTERACTIVE_QUEUE)

        async def unbind() -> None:
            await queue.unbind("models", "#")

        yield unbind
        await queue.bind("models", "#")
