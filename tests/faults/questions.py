"""Questions: searches and suggestions at a rate, and what became of each of them.

They come whether or not the last one was answered, as those of people do.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import aiohttp

from tests.faults.beacons import Beacon, Beacons

LONGEST = 6.0  # seconds after which nobody waits for an answer any more
_MOST_WAITING = 400  # questions without an answer; beyond that, none are asked
_PREFIX = 7  # characters typed
_SAID_NO = frozenset({429, 503, 504})
_COME_BACK = frozenset({429, 503})  # such an answer says when


class Fate(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"  # rightly
    REFUSED = "refused"  # told that there is no answer now, in the form that is promised
    BROKEN = "broken"  # the connection was refused, or ended
    HUNG = "hung"  # nothing came in all the time that anybody waits
    WRONG = "wrong"  # something came that is not true, or not in the form that is promised


@dataclass(frozen=True, kw_only=True)
class Told:
    """One question's fate."""

    surface: str  # search or suggest
    fate: Fate
    at: float  # monotonic seconds of the end
    seconds: float  # that it took
    detail: str = ""


@dataclass(kw_only=True)
class Questions:
    """Asks, and writes down."""

    beacons: Beacons
    chance: random.Random
    told: list[Told] = field(default_factory=list)
    unasked: int = 0  # since too many waited

    def since(self, moment: float) -> list[Told]:
        """What was told after that moment, monotonic seconds."""
        return [one for one in self.told if one.at >= moment]

    async def keep_asking(
        self, surface: str, rate: float, ask: Callable[[Beacons, random.Random], Awaitable[str]]
    ) -> None:
        """Ask so many times a second, until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        async with asyncio.TaskGroup() as waiting:
            open_: set[asyncio.Task[None]] = set()
            while True:
                due += 1 / rate
                await asyncio.sleep(max(0.0, due - loop.time()))
                if len(open_) >= _MOST_WAITING:
                    self.unasked += 1
                    continue
                task = waiting.create_task(self._one(surface, ask))
                open_.add(task)
                task.add_done_callback(open_.discard)

    async def _one(
        self, surface: str, ask: Callable[[Beacons, random.Random], Awaitable[str]]
    ) -> None:
        began = time.monotonic()
        fate, detail = await _fate(ask(self.beacons, self.chance))
        now = time.monotonic()
        self.told.append(
            Told(surface=surface, fate=fate, at=now, seconds=now - began, detail=detail)
        )


class WrongAnswerError(AssertionError):
    """An answer is not what it must be."""


class RefusedError(Exception):
    """There is no answer now, as an answer in the right form says."""


async def _fate(asking: Awaitable[str]) -> tuple[Fate, str]:
    try:
        async with asyncio.timeout(LONGEST):
            return Fate.ANSWERED, await asking
    except RefusedError as error:
        return Fate.REFUSED, str(error)
    except WrongAnswerError as error:
        return Fate.WRONG, str(error)
    except TimeoutError:
        return Fate.HUNG, "no answer"
    except (aiohttp.ClientError, OSError) as error:
        return Fate.BROKEN, repr(error)


class Surfaces:
    """The two services as somebody sees them who asks."""

    def __init__(self, client: aiohttp.ClientSession, *, search: str, suggest: str) -> None:
        self._client = client
        self._search = search
        self._suggest = suggest

    async def search(self, beacons: Beacons, chance: random.Random) -> str:
        """Search for a beacon, or for a hidden one."""
        is_hidden = chance.random() < 0.2
        beacon = chance.choice(beacons.hidden if is_hidden else beacons.lit)
        found = await self.hits(beacon.word)
        ids = [hit["id"] for hit in found if hit["type"] == "sound"]
        if leaked := beacons.hidden_ids.intersection(ids):
            raise WrongAnswerError(f"search for {beacon.word} shows what is hidden: {leaked}")
        if not is_hidden and beacon.id not in ids:
            raise WrongAnswerError(f"search for {beacon.word} lacks {beacon.id}: {ids}")
        return ""

    async def hits(self, q: str) -> list[dict[str, Any]]:
        """The first hits of a search."""
        answer = await self._read(f"{self._search}/v1/search", q=q, limit="5")
        hits: list[dict[str, Any]] = answer["hits"]
        return hits

    async def suggest(self, beacons: Beacons, chance: random.Random) -> str:
        """Type the beginning of a beacon's word, or of a hidden one's."""
        is_hidden = chance.random() < 0.2
        beacon = chance.choice(beacons.hidden if is_hidden else beacons.lit)
        await self.completes(beacon, beacons, expected=not is_hidden)
        return ""

    async def completes(self, beacon: Beacon, beacons: Beacons, *, expected: bool) -> None:
        """Raises `WrongAnswerError` unless the beginning of the word leads to the beacon."""
        answer = await self._read(f"{self._suggest}/v1/suggest", q=beacon.word[:_PREFIX])
        ids = [one["id"] for one in answer["completions"]]
        if leaked := beacons.hidden_ids.intersection(ids):
            raise WrongAnswerError(f"{beacon.word[:_PREFIX]} completes to what is hidden: {leaked}")
        if expected and beacon.id not in ids:
            raise WrongAnswerError(f"{beacon.word[:_PREFIX]} is not completed to {beacon.id}")

    async def _read(self, address: str, **parameters: str) -> dict[str, Any]:
        async with self._client.get(address, params=parameters) as response:
            if response.status in _SAID_NO:
                await _check_refusal(response)
            if response.status != 200:
                raise WrongAnswerError(f"{response.status}: {(await response.text())[:300]}")
            answer: dict[str, Any] = await response.json()
            return answer


async def _check_refusal(response: aiohttp.ClientResponse) -> None:
    """Raises `RefusedError` for a no in the right form, else `WrongAnswerError`."""
    if response.content_type != "application/problem+json":
        raise WrongAnswerError(f"{response.status} is no problem document")
    if response.status in _COME_BACK and "Retry-After" not in response.headers:
        raise WrongAnswerError(f"{response.status} does not say when to come back")
    raise RefusedError((await response.json())["code"])


@asynccontextmanager
async def asked(
    beacons: Beacons,
    chance: random.Random,
    *,
    search: str,
    suggest: str,
    searches: float,
    suggests: float,
) -> AsyncIterator[tuple[Questions, Surfaces]]:
    """Questions that are asked meanwhile, so many a second of either kind."""
    questions = Questions(beacons=beacons, chance=chance)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:
        surfaces = Surfaces(client, search=search, suggest=suggest)
        asking = [
            asyncio.create_task(questions.keep_asking("search", searches, surfaces.search)),
            asyncio.create_task(questions.keep_asking("suggest", suggests, surfaces.suggest)),
        ]
        try:
            yield questions, surfaces
            assert not any(task.done() for task in asking), asking
        finally:
            for task in asking:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*asking, return_exceptions=True)
