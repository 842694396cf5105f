"""What the demo application can write. A write is a value: made here, run by an `Application`.

Each runs inside a transaction that it neither begins nor ends, and returns the events to publish
once that transaction is committed: none if no document can have changed, else first that of the
entity itself.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import UsageError
from core.events import Action, Event, to_microseconds
from demo.errors import UnknownEntityError
from demo.schema import ENTITY_TABLES
from demo.vocabulary import slug

Write = Callable[[Any], Awaitable[tuple[Event, ...]]]


@dataclass(frozen=True)
class Statement:
    """A write of one statement, which is a transaction by itself where nothing joins it."""

    sql: str
    arguments: tuple[Any, ...]
    events: Callable[[Any], tuple[Event, ...]]  # of the row that it returns, None if it has none

    async def __call__(self, connection: Any) -> tuple[Event, ...]:
        """Run it."""
        return self.events(await connection.fetchrow(self.sql, *self.arguments))


TITLES: Mapping[str, str] = {
    "user": "display_name",
    "sound": "title",
    "set": "title",
    "group": "name",
}
# What `edit` may change beside the title.
EDITABLE: Mapping[str, frozenset[str]] = {
    "user": frozenset({"full_name", "city", "country_code", "description", "verified"}),
    "sound": frozenset({"description", "genre_id", "duration_ms", "license", "downloadable"}),
    "set": frozenset({"description", "kind"}),
    "group": frozenset({"description"}),
}


def create_user(display_name: str, **columns: Any) -> Write:
    """A new user; the user name is made of the display name and the id."""
    return _create("user", "username", display_name, columns)


def create_sound(user_id: int, title: str, *, duration_ms: int = 210_000, **columns: Any) -> Write:
    """A new sound of a user."""
    own = {"user_id": user_id, "duration_ms": duration_ms}
    return _create("sound", "permalink", title, own | columns)


def create_set(user_id: int, title: str, **columns: Any) -> Write:
    """A new, empty set of a user."""
    return _create("set", "permalink", title, {"user_id": user_id} | columns)


def create_group(owner_id: int, name: str, **columns: Any) -> Write:
    """A new group, founded by a user."""
    return _create("group", "permalink", name, {"owner_id": owner_id} | columns)


def rename(entity: str, entity_id: int, title: str) -> Write:
    """Another display name, title or name."""
    return _update(entity, entity_id, {TITLES[entity]: title})


def rename_all(entity: str, titles: Mapping[int, str]) -> Write:
    """Other titles for many entities in one statement; ids that are not there are left out.

    One change comes of it: of the first entity, with the events of the others as consequences.
    """

    async def write(connection: Any) -> tuple[Event, ...]:
        title = TITLES[entity]
        rows = await connection.fetch(
            f"update {ENTITY_TABLES[entity]} as row set {title} = new.title "  # noqa: S608 our names
            "from unnest($1::bigint[], $2::text[]) as new (id, title) where row.id = new.id "
            "returning row.id, row.updated_at",
            list(titles),
            list(titles.values()),
        )
        return tuple(_event(entity, row["id"], Action.SAVE, row["updated_at"]) for row in rows)

    return write


def edit(entity: str, entity_id: int, **columns: Any) -> Write:
    """Other values of the columns that `EDITABLE` names; raises `UsageError` for any other."""
    if unknown := columns.keys() - EDITABLE[entity]:
        raise UsageError(
            f"cannot edit {', '.join(sorted(unknown))} of a {entity}; "
            f"choose from {', '.join(sorted(EDITABLE[entity]))}"
        )
    return _update(entity, entity_id, columns)


def make_private(entity: str, entity_id: int) -> Write:
    """Hidden from everybody but its owner: to all others it is as if it were deleted."""
    return _update(entity, entity_id, {"visibility": "private"}, Action.DESTROY)


def publish(entity: str, entity_id: int) -> Write:
    """Public (again)."""
    return _update(entity, entity_id, {"visibility": "public"})


def delete(entity: str, entity_id: int) -> Write:
    """Deleted, but still in its table: it can be restored."""
    return _mark(entity, entity_id, "clock_timestamp()", Action.DESTROY)


def restore(entity: str, entity_id: int) -> Write:
    """No longer deleted."""
    return _mark(entity, entity_id, "null", Action.CREATE)


def destroy(entity: str, entity_id: int) -> Write:
    """Gone from its table, with all that is nothing without it.

    What else the database removes or touches on that occasion gets events, too: nobody could find
    out afterwards what depended on a row that is gone.
    """

    async def write(connection: Any) -> tuple[Event, ...]:
        # Locks keep others from attaching anything between the look and the deletion.
        await _lock(connection, entity, [entity_id], "update")
        owned = await _owned(connection, entity_id) if entity == "user" else {}
        sounds = [entity_id] if entity == "sound" else [i for e, i in owned if e == "sound"]
        touched = await _touched(connection, sounds, entity_id if entity == "user" else None)
        moment = await connection.fetchval(
            f"delete from {ENTITY_TABLES[entity]} where id = $1 "  # noqa: S608 our names
            # Newer than every version before it, whatever the clock says.
            "returning greatest(clock_timestamp(), updated_at + interval '1 microsecond')",
            entity_id,
        )
        gone = to_microseconds(moment)
        return (
            Event(entity, entity_id, Action.DESTROY, gone),
            *(Event(e, i, Action.DESTROY, max(gone, v + 1)) for (e, i), v in owned.items()),
            *[event for e, ids in touched.items() for event in await _saved(connection, e, ids)],
        )

    return write


def tag_sound(sound_id: int, *names: str, user_id: int | None = None) -> Write:
    """Tags for a sound: by its owner (None), or by somebody else."""

    async def write(connection: Any) -> tuple[Event, ...]:
        await _lock(connection, "sound", [sound_id])
        await connection.execute(
            "insert into tags (name) select distinct unnest($1::text[]) on conflict do nothing",
            list(names),
        )
        await connection.execute(
            "insert into sound_tags (sound_id, tag_id, user_id) "
            "select $1, id, $2 from tags where name = any($3::text[]) on conflict do nothing",
            *(sound_id, user_id, list(names)),
        )
        return await _saved(connection, "sound", [sound_id])

    return write


def untag_sound(sound_id: int, *names: str) -> Write:
    """Takes tags off a sound, whoever gave them."""
    return _child_write(
        "sound",
        sound_id,
        "delete from sound_tags where sound_id = $1 "
        "and tag_id in (select id from tags where name = any($2::text[]))",
        list(names),
    )


def add_to_set(set_id: int, *sound_ids: int) -> Write:
    """Sounds at the end of a set, in this order; those in it already stay where they are."""
    return _child_write(
        "set",
        set_id,
        "insert into set_sounds (set_id, sound_id, position) "
        "select $1, added.id, added.place + "
        "  (select coalesce(max(position), 0) from set_sounds where set_id = $1) "
        "from unnest($2::bigint[]) with ordinality as added (id, place) "
        "on conflict do nothing",
        list(sound_ids),
    )


def remove_from_set(set_id: int, *sound_ids: int) -> Write:
    """Takes sounds out of a set."""
    return _child_write(
        "set",
        set_id,
        "delete from set_sounds where set_id = $1 and sound_id = any($2::bigint[])",
        list(sound_ids),
    )


def follow(follower_id: int, followee_id: int) -> Write:
    """One user follows another."""
    return _act(
        *("user", followee_id),
        "insert into follows (follower_id, followee_id) values ($1, $2) on conflict do nothing",
        *(follower_id, followee_id),
    )


def like(user_id: int, sound_id: int) -> Write:
    """A user likes a sound."""
    return _act(
        *("sound", sound_id),
        "insert into likes (user_id, sound_id) values ($1, $2) on conflict do nothing",
        *(user_id, sound_id),
    )


def repost(user_id: int, sound_id: int) -> Write:
    """A user shows a sound to those who follow him."""
    return _act(
        *("sound", sound_id),
        "insert into reposts (user_id, sound_id) values ($1, $2) on conflict do nothing",
        *(user_id, sound_id),
    )


def comment(user_id: int, sound_id: int, body: str) -> Write:
    """A user says something about a sound."""
    return _act(
        *("sound", sound_id),
        "insert into comments (user_id, sound_id, body) values ($1, $2, $3)",
        *(user_id, sound_id, body),
    )


def play(user_id: int, sound_id: int) -> Write:
    """A user hears a sound once more."""
    return _act(
        *("sound", sound_id),
        "insert into plays (user_id, sound_id, count) values ($1, $2, 1) "
        "on conflict (user_id, sound_id) "
        "do update set count = plays.count + 1, last_played_at = clock_timestamp()",
        *(user_id, sound_id),
    )


def _create(entity: str, address: str, title: str, columns: Mapping[str, Any]) -> Write:
    table = ENTITY_TABLES[entity]
    values = {TITLES[entity]: title, **columns}

    def events(row: Any) -> tuple[Event, ...]:
        return (Event(entity, row["id"], Action.CREATE, to_microseconds(row["updated_at"])),)

    return Statement(
        # The id in the address makes it unique without another question.
        f"insert into {table} (id, {address}, {', '.join(values)}) "  # noqa: S608 our names
        f"select id, $1::text || '-' || id, {_parameters(values, start=2)} "
        f"from nextval(pg_get_serial_sequence('{table}', 'id')) as id "
        "returning id, updated_at",
        (slug(title, fallback=entity), *values.values()),
        events,
    )


def _update(
    entity: str, entity_id: int, columns: Mapping[str, Any], action: Action = Action.SAVE
) -> Write:
    assignments = ", ".join(f"{name} = ${i}" for i, name in enumerate(columns, 2))
    return _set(entity, entity_id, assignments, tuple(columns.values()), action)


def _mark(entity: str, entity_id: int, deleted_at: str, action: Action) -> Write:
    return _set(entity, entity_id, f"deleted_at = {deleted_at}", (), action)


def _set(
    entity: str, entity_id: int, assignments: str, values: tuple[Any, ...], action: Action
) -> Write:
    return Statement(
        f"update {ENTITY_TABLES[entity]} set {assignments} "  # noqa: S608 our names
        "where id = $1 returning updated_at as moment",
        (entity_id, *values),
        lambda row: (_event(entity, entity_id, action, row and row["moment"]),),
    )


def _child_write(entity: str, entity_id: int, sql: str, *arguments: Any) -> Write:
    """Changes rows that belong to an entity; the schema's trigger gives it a new version."""

    async def write(connection: Any) -> tuple[Event, ...]:
        await _lock(connection, entity, [entity_id])
        await connection.execute(sql, entity_id, *arguments)
        return await _saved(connection, entity, [entity_id])

    return write


def _act(entity: str, entity_id: int, sql: str, *arguments: Any) -> Write:
    """Activity: of the entity's document only its heat changes, and nothing that depends on it."""

    def events(row: Any) -> tuple[Event, ...]:
        # The row keeps its version, so the event's is the moment of the act. One that was done
        # before has none.
        return (_event(entity, entity_id, Action.REFRESH, row["moment"]),) if row else ()

    return Statement(f"{sql} returning clock_timestamp() as moment", arguments, events)


async def _lock(
    connection: Any, entity: str, ids: Sequence[int], strength: str = "no key update"
) -> None:
    """Hold the rows until the transaction ends; raises `UnknownEntityError`.

    Only the strength `update` keeps others from adding rows that refer to these.
    """
    found = await connection.fetch(
        f"select id from {ENTITY_TABLES[entity]} "  # noqa: S608 our names
        f"where id = any($1::bigint[]) order by id for {strength}",
        ids,
    )
    if missing := set(ids) - {row["id"] for row in found}:
        raise UnknownEntityError(entity, min(missing))


async def _saved(connection: Any, entity: str, ids: Sequence[int]) -> tuple[Event, ...]:
    """A save event for each row, with the version that this transaction gave it."""
    rows = await connection.fetch(
        f"select id, updated_at from {ENTITY_TABLES[entity]} "  # noqa: S608 our names
        "where id = any($1::bigint[]) order by id",
        ids,
    )
    return tuple(_event(entity, row["id"], Action.SAVE, row["updated_at"]) for row in rows)


async def _owned(connection: Any, user_id: int) -> dict[tuple[str, int], int]:
    """Entity and id of all that is deleted with a user, with its version. Locks it."""
    questions = {"sound": "user_id", "set": "user_id", "group": "owner_id"}
    return {
        (entity, row["id"]): to_microseconds(row["updated_at"])
        for entity, column in questions.items()
        for row in await connection.fetch(
            f"select id, updated_at from {ENTITY_TABLES[entity]} "  # noqa: S608 our names
            f"where {column} = $1 order by id for update",
            user_id,
        )
    }


async def _touched(
    connection: Any, sounds: Sequence[int], tagger: int | None
) -> dict[str, list[int]]:
    """What gets a new version when these sounds and this user go: their sets, what he tagged."""
    sets = await connection.fetch(
        "select distinct set_id as id from set_sounds where sound_id = any($1::bigint[])", sounds
    )
    tagged = await connection.fetch(
        "select distinct sound_id as id from sound_tags where user_id = $1", tagger
    )
    return {"set": [row["id"] for row in sets], "sound": [row["id"] for row in tagged]}


def _event(entity: str, entity_id: int, action: Action, moment: datetime | None) -> Event:
    if moment is None:
        raise UnknownEntityError(entity, entity_id)
    return Event(entity, entity_id, action, to_microseconds(moment))


def _parameters(values: Mapping[str, Any], *, start: int) -> str:
    return ", ".join(f"${i}" for i in range(start, start + len(values)))
