"""The feed: events from the broker become what the overlay of one snapshot shows.

    event -> waiting ids -> phrases from the database -> overlay -> packed layer
                 ^ what shows something of a changed entity

What must not be suggested any more overtakes what is new. Without the broker or the database the
overlay stays as it is, and the feed goes on trying: events wait in the stream.
"""

import asyncio
import time
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from aio_pika.abc import AbstractConnection

from core import definitions
from core.broker import UNAVAILABLE_ERRORS as BROKER_UNAVAILABLE_ERRORS
from core.broker import open_broker, watch
from core.database import UNAVAILABLE_ERRORS, open_pool
from core.errors import DiscoError
from core.events import Action, MalformedEventError, decode
from core.rank_bucket import open_rank_store
from core.settings import Settings
from core.telemetry import logger
from suggest import sources
from suggest.change_stream import ChangeStream
from suggest.hydrator import Hydrator
from suggest.layers import Layers
from suggest.metrics import OVERLAY_CHANGES, OVERLAY_SECONDS
from suggest.overlay import Key, Outcome, Overlay, pack
from suggest.positions import Position
from suggest.rank_weights import RankWeights
from suggest.waiting import Waiting

_LINGER: Final = 0.05  # seconds that a change waits for company
_BATCH: Final = 500  # entities that are hydrated together
_SLICE: Final = 50  # entities that the overlay takes before requests have their turn
_MOST_WAITING: Final = 50_000  # entities; beyond, no more events are taken
_PACK_PAUSE: Final = 0.1  # least seconds between two layers
_PATIENCE: Final = 30.0  # seconds in which the stream has to come nearer to its end
_FIRST_BACKOFF: Final = 0.5  # seconds
_LONGEST_BACKOFF: Final = 15.0

_log = logger("suggest")


class State(StrEnum):
    """How far what is suggested follows the database."""

    OFF = "off"  # there is no overlay: DISCO_SUGGEST_OVERLAY_PHRASES is 0
    CATCHING_UP = "catching_up"  # what happened since the snapshot's build is being read
    CURRENT = "current"  # changes are seen within two seconds
    FULL = "full"  # new names wait for the next snapshot; what is gone vanishes
    INCOMPLETE = "incomplete"  # events between the build and the start are not known
    AWAY = "away"  # the broker or the database does not answer


class Feed:
    """Keeps the overlay of one snapshot. `run` it in a task of its own, and cancel that."""

    def __init__(self, settings: Settings, layers: Layers, position: Position | None) -> None:
        self.overlay = Overlay(layers, settings.suggest_overlay_phrases)
        #: Set once the overlay has caught up, or cannot for now.
        self.settled = asyncio.Event()
        self._settings = settings
        self._rank_edition: str | None = layers.base.snapshot.facts.get("rank_edition")
        self._stream = ChangeStream(position, self._note)
        self._waiting = Waiting()
        self._unpacked: dict[Key, float] = {}  # with when they came
        self._packable = asyncio.Event()
        self._is_connected = self._caught_up = self._is_full = self._is_busy = False

    @property
    def state(self) -> State:
        """The state; of those that apply, the one that a user should know first."""
        if not self._caught_up and not self.settled.is_set():
            return State.CATCHING_UP
        if not self._is_connected:
            return State.AWAY
        if not self._caught_up:
            return State.CATCHING_UP
        if not self._stream.is_complete:
            return State.INCOMPLETE
        return State.FULL if self._is_full else State.CURRENT

    @property
    def waiting(self) -> int:
        """Entities with a change that is not looked at yet."""
        return len(self._waiting)

    async def run(self) -> None:
        """Follow the changes for ever."""
        try:
            ranks = await self._open_ranks()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pack())
                tasks.create_task(self._keep_following(ranks))
        finally:
            self._is_connected = False
            self.settled.set()

    async def _keep_following(self, ranks: RankWeights | None) -> None:
        backoff = _FIRST_BACKOFF
        while True:
            try:
                async with (
                    open_broker(self._settings, name="disco suggest") as connection,
                    open_pool(
                        self._settings.database_url, application="disco suggest", size=2
                    ) as pool,
                ):
                    recipes = definitions.load(self._settings.definitions_path)
                    hydrator = Hydrator(pool, sources.load(), recipes, ranks)
                    backoff = _FIRST_BACKOFF
                    await self._follow(connection, hydrator)
            except* (*UNAVAILABLE_ERRORS, *BROKER_UNAVAILABLE_ERRORS, DiscoError) as lost:
                self._lose(lost.exceptions[0])
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)

    async def _follow(self, connection: AbstractConnection, hydrator: Hydrator) -> None:
        """Follow the changes until a service is lost."""
        await self._stream.start(connection)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch(connection))
            tasks.create_task(self._hydrate(hydrator))
            tasks.create_task(self._await_end())

    async def _await_end(self) -> None:
        before = self._stream.events
        while not self._stream.at_end.is_set():
            try:
                await asyncio.wait_for(self._stream.at_end.wait(), _PATIENCE)
            except TimeoutError:
                if before == (before := self._stream.events) and not self._waiting:
                    self._stream.lose_position()
                    raise
        self._settle()

    def _settle(self) -> None:
        """Say so when all is shown that was in the stream at the start."""
        if self._is_connected or not self._stream.at_end.is_set():
            return
        if self._is_busy or self._waiting or not self.overlay.is_packed or self._unpacked:
            return
        self._is_connected = self._caught_up = True
        self.settled.set()
        _log.info("overlay_follows", state=self.state, entities=self.overlay.entities)
        if not self._stream.is_complete:
            _log.warning("overlay_incomplete", remedy="build and publish a snapshot")

    def _note(self, routing_key: str, body: bytes) -> None:
        """Have the entity of an event looked at; one that is gone vanishes before."""
        try:
            event = decode(routing_key, body, size_limit=self._settings.event_size_limit)
        except MalformedEventError:
            OVERLAY_CHANGES.labels("malformed").inc()  # the indexer buries it
            return
        if event.action is Action.REFRESH:
            return  # activity: no name has changed, and there is much of it
        key = (event.entity, event.id)
        is_gone = event.action is Action.DESTROY
        if is_gone and self.overlay.apply({key: ()})[key] is not Outcome.UNCHANGED:
            self._waiting.add_parents({key: True})
        self._waiting.add([key], urgent=is_gone)
        self._hold()

    async def _hydrate(self, hydrator: Hydrator) -> None:
        """Look at what waits, batch after batch, the urgent first."""
        while True:
            await self._waiting.woken.wait()
            if len(self._waiting) < _BATCH:
                await asyncio.sleep(_LINGER)
            batch = self._waiting.take(_BATCH)
            self._is_busy = True
            try:
                found = list((await hydrator.phrases(list(batch))).items())
                for start in range(0, len(found), _SLICE):
                    outcomes = self.overlay.apply(dict(found[start : start + _SLICE]))
                    self._count(outcomes, batch)
                    self._waiting.add_parents(_changed(outcomes, hydrator.types))
                    await asyncio.sleep(0)
                batch = {}
                await self._cascade(hydrator)
            finally:
                self._waiting.put_back(batch)
                self._is_busy = False
            self._hold()
            self._packable.set()
            self._settle()

    async def _cascade(self, hydrator: Hydrator) -> None:
        """Have looked at what shows something of entities that are suggested otherwise now."""
        for urgent in (True, False):
            parents = self._waiting.parents(urgent=urgent)
            self._waiting.add(await hydrator.dependents(parents), urgent=urgent)
            self._waiting.remove_parents(parents)

    def _count(self, outcomes: Mapping[Key, Outcome], came: Mapping[Key, float]) -> None:
        now = time.monotonic()
        for key, outcome in outcomes.items():
            OVERLAY_CHANGES.labels(outcome).inc()
            if outcome is Outcome.SHOWN:
                self._unpacked.setdefault(key, came[key])
            elif outcome is not Outcome.REFUSED:
                OVERLAY_SECONDS.observe(now - came[key])
        if Outcome.REFUSED in outcomes.values() and not self._is_full:
            self._is_full = True
            _log.warning("overlay_full", phrases=self.overlay.phrases)

    async def _pack(self) -> None:
        """Pack what is new, layer after layer, in a thread."""
        while True:
            await self._packable.wait()
            self._packable.clear()
            came = dict(self._unpacked)
            if packing := self.overlay.plan():
                self.overlay.put(packing, await asyncio.to_thread(pack, packing))
            now = time.monotonic()
            for key, moment in came.items():
                OVERLAY_SECONDS.observe(now - moment)
                if self._unpacked.get(key) == moment:
                    del self._unpacked[key]
            self._settle()
            await asyncio.sleep(_PACK_PAUSE)

    async def _open_ranks(self) -> RankWeights | None:
        """What the snapshot's weights have in them, if the edition is still there."""
        name = self._rank_edition
        if name is None:
            return None
        try:
            return await asyncio.to_thread(_open_ranks, self._settings, name)
        except DiscoError as error:
            _log.warning("overlay_unranked", edition=name, reason=str(error))
            return None

    def _hold(self) -> None:
        self._stream.hold(held=len(self._waiting) > _MOST_WAITING)

    def _lose(self, error: BaseException) -> None:
        if self._is_connected or not self.settled.is_set():
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            _log.warning("overlay_away", error=str(error) or repr(error))
        self._is_connected = False
        self.settled.set()


def _changed(outcomes: Mapping[Key, Outcome], suggested: Collection[str]) -> dict[Key, bool]:
    """Entities that are not suggested as before, or never are; whether they are gone."""
    return {
        key: outcome is Outcome.HIDDEN
        for key, outcome in outcomes.items()
        if outcome is not Outcome.UNCHANGED or key[0] not in suggested
    }


def _open_ranks(settings: Settings, name: str) -> RankWeights:
    return RankWeights(open_rank_store(settings).open(name))
