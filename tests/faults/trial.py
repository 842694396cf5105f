"""A trial: one fault under load, and a look at what it left behind."""

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from core.settings import Settings
from demo import writes
from demo.application import open_application
from tests.faults.happenings import Happening
from tests.faults.questions import Fate, Questions, RefusedError, Surfaces, WrongAnswerError, asked
from tests.faults.stage import Stage
from tests.integration.indexer.broker_view import dead_letters, open_view
from tests.integration.indexer.oracle import open_index
from tests.integration.indexer.steady_load import steady_load
from tests.integration.indexer.waiting import until

RECOVERY = 10.0  # seconds in which the service is to be as before
_GIVEN_UP = 90.0  # seconds after which it is said never to recover
_EACH = 50.0  # changes a second of one task
_CALM = 1.0  # seconds without a bad answer that end the recovery
_WORDS = (f"canary{a}{b}{c}" for a, b, c in itertools.product("bcdfghklmnprstvwz", repeat=3))


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much is asked for, a second."""

    changes: float = 200.0
    searches: float = 200.0
    suggests: float = 500.0

    def scaled(self, share: float) -> "Load":
        """That share of it."""
        return Load(
            changes=self.changes * share,
            searches=self.searches * share,
            suggests=self.suggests * share,
        )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one fault did."""

    fault: str
    seconds: float  # that it lasted
    asked: int  # questions from its beginning to the end of the recovery
    failed: int  # of these: refused, broken or hung
    fates: dict[str, int]
    wrong_answers: tuple[str, ...]
    hung: int  # with a process of ours to answer: 0 is promised
    recovery: float  # seconds from its end until all was as before
    documents_wrong: int  # differences that `disco verify` finds
    compared: int  # documents that it compared
    dead_letters: tuple[str, ...]  # their reasons

    @property
    def complaints(self) -> list[str]:
        """What does not hold of what is promised."""
        found = [f"answered wrongly: {one}" for one in self.wrong_answers[:5]]
        if self.hung:
            found.append(f"{self.hung} questions were never answered")
        if self.recovery > RECOVERY:
            found.append(f"recovered after {self.recovery:.1f} s")
        if self.documents_wrong:
            found.append(f"{self.documents_wrong} documents are wrong")
        found += [f"unexplained dead letter: {reason}" for reason in self.dead_letters]
        return [f"{self.fault}: {complaint}" for complaint in found]


async def undergo(
    stage: Stage, happening: Happening, *, seconds: float, load: Load, chance: random.Random
) -> Verdict:
    """Let a fault happen for so long under load, then look whether all is well."""
    async with _loaded(stage, load, chance) as (questions, surfaces):
        # What was slow before would be taken for the fault's doing.
        await _is_calm(questions, since=time.monotonic())
        began = time.monotonic()
        async with happening.manner(stage):
            await asyncio.sleep(seconds)
        ended = time.monotonic()
        await _is_as_before(stage, surfaces, questions, ended)
        recovered = time.monotonic()
    wrong, compared = await _differences(stage)
    told = questions.since(began)
    fates = Counter(one.fate for one in told)
    late = [one.at for one in questions.since(ended) if one.fate is not Fate.ANSWERED]
    return Verdict(
        fault=happening.name,
        seconds=ended - began,
        asked=len(told),
        failed=len(told) - fates[Fate.ANSWERED] - fates[Fate.WRONG],
        fates={str(fate): count for fate, count in sorted(fates.items())},
        wrong_answers=_wrong(stage, questions),
        hung=sum(one.fate is Fate.HUNG and one.surface not in happening.befalls for one in told),
        recovery=max([0.0, recovered - ended - _CALM, *(moment - ended for moment in late)]),
        documents_wrong=wrong,
        compared=compared,
        dead_letters=tuple(one.reason for one in await dead_letters(stage.direct)),
    )


def _wrong(stage: Stage, questions: Questions) -> tuple[str, ...]:
    """What was answered wrongly, and what the query API says that it failed at."""
    wrong = [one.detail for one in questions.told if one.fate is Fate.WRONG]
    if wrong:
        wrong += [str(line) for line in stage.product.failures()]
    return tuple(wrong)


async def warm_up(stage: Stage, load: Load, chance: random.Random, *, seconds: float) -> None:
    """Load without a fault: an engine that has just started is slow for a while by itself."""
    async with _loaded(stage, load, chance) as (questions, _):
        await asyncio.sleep(seconds)
        await _is_calm(questions, since=time.monotonic())


@asynccontextmanager
async def _loaded(
    stage: Stage, load: Load, chance: random.Random
) -> AsyncIterator[tuple[Questions, Surfaces]]:
    """Meanwhile people search and type, and the catalogue changes."""
    async with AsyncExitStack() as running:
        tasks = max(1, round(load.changes / _EACH))
        for number in range(tasks):
            sounds = stage.sounds[number + 1 :: tasks]  # the first is the canary
            await running.enter_async_context(
                steady_load(stage.direct, sounds, interval=tasks / load.changes)
            )
        product = stage.product
        yield await running.enter_async_context(
            asked(
                stage.beacons,
                chance,
                search=product.search_address,
                suggest=product.suggest_address,
                searches=load.searches,
                suggests=load.suggests,
            )
        )


async def _is_as_before(
    stage: Stage, surfaces: Surfaces, questions: Questions, ended: float
) -> None:
    """Wait until a change is found, and for a while nobody got a bad answer."""
    word = next(_WORDS)
    canary = stage.sounds[0]
    async with open_application(stage.direct, connections=1) as application:
        await application.apply(writes.rename("sound", canary, f"The {word}"))

    async def is_found() -> bool:
        with contextlib.suppress(RefusedError, WrongAnswerError, OSError, TimeoutError):
            async with asyncio.timeout(5):
                return str(canary) in [hit["id"] for hit in await surfaces.hits(word)]
        return False

    await until(
        is_found, within=_GIVEN_UP, what="a change is found", state=stage.product.worker.tail
    )

    await _is_calm(questions, since=ended)


async def _is_calm(questions: Questions, *, since: float) -> None:
    """Wait until everybody was answered for a while after `since`."""

    async def calm() -> bool:
        now = time.monotonic()
        told = questions.since(max(since, now - _CALM))
        is_long = now - since >= _CALM
        return is_long and bool(told) and all(one.fate is Fate.ANSWERED for one in told)

    await until(calm, within=_GIVEN_UP, what="all questions are answered")


async def _differences(stage: Stage) -> tuple[int, int]:
    """How many documents are wrong once nothing is on its way, and how many there are."""
    worker = stage.product.worker
    async with open_view(stage.direct) as broker:

        async def is_quiet() -> bool:
            pending = (await worker.metrics())("pending_changes")
            return not pending and not await broker.waiting()

        await until(is_quiet, within=_GIVEN_UP, what="no event waits", state=worker.tail)
    settings: Settings = stage.direct
    async with open_index(settings) as index:
        found = await index.verify(patience=2.0)
    return len(found.differences), found.compared
