"""Believable live changes, at random and at a rate: a load generator, and life for the demo."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from core.database import Pool, open_pool
from core.events import Event
from core.settings import Settings
from demo import schema, vocabulary, writes
from demo.application import Application, open_application
from demo.errors import NoCatalogueError, UnknownEntityError
from demo.writes import Write

AT_ONCE = 8  # changes that may be on their way together
PATIENCE = 30.0  # seconds that a change may take

# What is done, and how often in relation to the rest.
WEIGHTS: Mapping[str, float] = {
    "play": 14,
    "like": 8,
    "follow": 4,
    "repost": 2,
    "comment": 4,
    "rename_sound": 12,
    "describe_sound": 10,
    "tag_sound": 12,
    "untag_sound": 2,
    "create_sound": 10,
    "hide": 3,
    "show": 3,
    "delete": 3,
    "restore": 2,
    "destroy_sound": 2,
    "create_set": 2,
    "add_to_set": 8,
    "remove_from_set": 3,
    "create_user": 3,
    "describe_user": 2,
    "rename_user": 1,
    "create_group": 0.5,
}

# What happens when others change the same rows at the same time.
_LOST_RACES = (
    UnknownEntityError,
    asyncpg.DeadlockDetectedError,
    asyncpg.ForeignKeyViolationError,
)


@dataclass(frozen=True, kw_only=True)
class Played:
    """One thing that the player did."""

    what: str  # in words
    events: tuple[Event, ...]  # what was published; nothing where nothing changed
    seconds: float  # from the first statement to the last confirm
    done: bool = True  # False: somebody else was faster, and nothing was changed


class Player:
    """Does one random thing after the other to the catalogue it was given."""

    def __init__(self, application: Application, pool: Pool, *, seed: int | None = None) -> None:
        self._application = application
        self._pool = pool
        self._draw = random.Random(seed)
        self._words = vocabulary.load()
        self._steps: Mapping[str, Callable[[], Awaitable[tuple[str, Write]]]] = {
            name: getattr(self, f"_{name}") for name in WEIGHTS
        }

    async def step(self) -> Played:
        """Do one thing, and publish its events."""
        began = time.monotonic()
        name = self._draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        what = name.replace("_", " ")
        try:
            what, write = await self._steps[name]()
            changes = await self._application.apply(write)
        except _LOST_RACES as error:
            seconds = time.monotonic() - began
            return Played(what=f"{what}: {error}", events=(), seconds=seconds, done=False)
        return Played(
            what=what,
            events=tuple(event for change in changes for event in change.events),
            seconds=time.monotonic() - began,
        )

    async def run(self, *, rate: float, seconds: float | None) -> AsyncGenerator[Played, None]:
        """Do `rate` things a second, for some seconds or until the iterator is closed.

        The start of each is due at its time whatever the others take; `AT_ONCE` bounds them.
        """
        done: asyncio.Queue[Played | None] = asyncio.Queue()
        steps = asyncio.create_task(self._steps_in_time(done, rate, seconds))
        try:
            while (played := await done.get()) is not None:
                yield played
            await steps
        finally:
            steps.cancel()
            await asyncio.gather(steps, return_exceptions=True)

    async def _steps_in_time(
        self, done: asyncio.Queue[Played | None], rate: float, seconds: float | None
    ) -> None:
        free = asyncio.Semaphore(AT_ONCE)
        began = time.monotonic()
        number = 0

        async def one() -> None:
            async with asyncio.timeout(PATIENCE):
                await done.put(await self.step())
            free.release()

        try:
            async with asyncio.TaskGroup() as group:
                while seconds is None or number < rate * seconds:
                    await asyncio.sleep(began + number / rate - time.monotonic())
                    await free.acquire()
                    group.create_task(one())
                    number += 1
        finally:
            await done.put(None)

    async def _pick(self, entity: str, where: str = "deleted_at is null") -> Any:
        """A random row of an entity that fits; raises `UnknownEntityError` if none does."""
        table = schema.ENTITY_TABLES[entity]
        label = writes.TITLES[entity]
        most = await self._pool.fetchval(f"select max(id) from {table}")  # noqa: S608 our names
        row = await self._pool.fetchrow(
            f"select id, {label} as label from {table} "  # noqa: S608 our names
            f"where id >= $1 and {where} order by id limit 1",
            self._draw.randint(1, most or 1),
        )
        if row is None:
            raise UnknownEntityError(entity, 0)
        return row

    def _culture(self) -> vocabulary.Culture:
        return self._draw.choices(self._words.cultures, self._words.culture_weights.tolist())[0]

    def _phrase(self) -> str:
        return self._culture().make_phrase(self._draw)

    def _sentence(self, kind: str) -> str:
        culture = self._culture()
        templates = culture.comments if kind == "comment" else culture.sentences

        def value(field: str) -> str:
            if field.startswith("genre"):
                return self._draw.choice(self._words.music.genres).name
            if field == "artist":
                return self._culture().make_name(self._draw, alias=True)
            return culture.word(field, self._draw)

        return self._draw.choice(templates).fill(value)

    def _tag(self) -> str:
        music = self._words.music
        return self._draw.choice((*music.general_tags, *self._draw.choice(music.genres).tags))

    async def _play(self) -> tuple[str, Write]:
        return await self._listen("plays", writes.play)

    async def _like(self) -> tuple[str, Write]:
        return await self._listen("likes", writes.like)

    async def _repost(self) -> tuple[str, Write]:
        return await self._listen("reposts", writes.repost)

    async def _comment(self) -> tuple[str, Write]:
        body = self._sentence("comment")
        return await self._listen("comments on", lambda u, s: writes.comment(u, s, body))

    async def _listen(self, verb: str, make: Callable[[int, int], Write]) -> tuple[str, Write]:
        user, sound = await self._pick("user"), await self._pick("sound")
        return f"{user['label']} {verb} {_quoted(sound)}", make(user["id"], sound["id"])

    async def _follow(self) -> tuple[str, Write]:
        one, other = await self._pick("user"), await self._pick("user")
        if one["id"] == other["id"]:
            raise UnknownEntityError("other user than", one["id"])
        return f"{one['label']} follows {other['label']}", writes.follow(one["id"], other["id"])

    async def _rename_sound(self) -> tuple[str, Write]:
        sound, title = await self._pick("sound"), self._phrase()
        return f"{_quoted(sound)} is now “{title}”", writes.rename("sound", sound["id"], title)

    async def _rename_user(self) -> tuple[str, Write]:
        user = await self._pick("user")
        name = self._culture().make_name(self._draw, alias=True)
        return f"{user['label']} is now {name}", writes.rename("user", user["id"], name)

    async def _describe_sound(self) -> tuple[str, Write]:
        return await self._describe("sound")

    async def _describe_user(self) -> tuple[str, Write]:
        return await self._describe("user")

    async def _describe(self, entity: str) -> tuple[str, Write]:
        row, text = await self._pick(entity), self._sentence("description")
        what = f"{_quoted(row)} has a new description"
        return what, writes.edit(entity, row["id"], description=text)

    async def _tag_sound(self) -> tuple[str, Write]:
        sound, tag = await self._pick("sound"), self._tag()
        return f"{_quoted(sound)} is tagged #{tag}", writes.tag_sound(sound["id"], tag)

    async def _untag_sound(self) -> tuple[str, Write]:
        sound, tag = await self._pick("sound"), self._tag()
        return f"{_quoted(sound)} is no longer tagged #{tag}", writes.untag_sound(sound["id"], tag)

    async def _create_sound(self) -> tuple[str, Write]:
        user, title = await self._pick("user"), self._phrase()
        made = writes.create_sound(
            *(user["id"], title),
            description=self._sentence("description"),
            duration_ms=self._draw.randint(60_000, 400_000),
        )
        return f"{user['label']} publishes “{title}”", made

    async def _create_set(self) -> tuple[str, Write]:
        user, title = await self._pick("user"), self._phrase()
        return f"{user['label']} begins the set “{title}”", writes.create_set(user["id"], title)

    async def _create_group(self) -> tuple[str, Write]:
        user, name = await self._pick("user"), self._phrase()
        return f"{user['label']} founds the group “{name}”", writes.create_group(user["id"], name)

    async def _create_user(self) -> tuple[str, Write]:
        culture = self._culture()
        name = culture.make_name(self._draw, alias=self._draw.random() < 0.5)
        return f"{name} joins", writes.create_user(
            name, city=self._draw.choice(culture.places).city
        )

    async def _hide(self) -> tuple[str, Write]:
        sound = await self._pick("sound", "visibility = 'public' and deleted_at is null")
        return f"{_quoted(sound)} becomes private", writes.make_private("sound", sound["id"])

    async def _show(self) -> tuple[str, Write]:
        sound = await self._pick("sound", "visibility = 'private' and deleted_at is null")
        return f"{_quoted(sound)} becomes public", writes.publish("sound", sound["id"])

    async def _delete(self) -> tuple[str, Write]:
        sound = await self._pick("sound")
        return f"{_quoted(sound)} is deleted", writes.delete("sound", sound["id"])

    async def _restore(self) -> tuple[str, Write]:
        sound = await self._pick("sound", "deleted_at is not null")
        return f"{_quoted(sound)} is restored", writes.restore("sound", sound["id"])

    async def _destroy_sound(self) -> tuple[str, Write]:
        sound = await self._pick("sound")
        return f"{_quoted(sound)} is gone for good", writes.destroy("sound", sound["id"])

    async def _add_to_set(self) -> tuple[str, Write]:
        chosen, sound = await self._pick("set"), await self._pick("sound")
        what = f"{_quoted(sound)} joins the set {_quoted(chosen)}"
        return what, writes.add_to_set(chosen["id"], sound["id"])

    async def _remove_from_set(self) -> tuple[str, Write]:
        chosen = await self._pick("set")
        sound_id = await self._pool.fetchval(
            "select sound_id from set_sounds where set_id = $1 order by position limit 1",
            chosen["id"],
        )
        what = f"the set {_quoted(chosen)} loses its first sound"
        return what, writes.remove_from_set(chosen["id"], *([sound_id] if sound_id else []))


@asynccontextmanager
async def open_player(settings: Settings, *, seed: int | None = None) -> AsyncIterator[Player]:
    """A player on the services of the settings; raises `NoCatalogueError`."""
    async with (
        open_pool(settings.database_url, application="disco demo play", size=AT_ONCE) as pool,
        open_application(settings, connections=AT_ONCE) as application,
    ):
        if not await schema.count_entities(pool):
            raise NoCatalogueError(settings.database_url.rpartition("/")[2])
        yield Player(application, pool, seed=seed)


def _quoted(row: Any) -> str:
    return f"“{row['label']}”"
