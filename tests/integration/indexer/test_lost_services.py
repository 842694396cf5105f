"""Services are killed, restarted and paused under a steady load, and the worker goes on by itself.

Afterwards index and database are equal, nothing is dead, and what had to be tried again is counted.
The services belong to this module alone: others could not work meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.broker import INTERACTIVE_QUEUE
from core.events import Event
from core.settings import Settings
from demo import writes
from indexer import operations
from indexer.errors import TemporarilyUnavailableError
from stack import faults
from stack import operations as stack_operations
from stack.assembly import Stack
from tests.integration.indexer.broker_view import dead_letters
from tests.integration.indexer.scene import Scene, open_scene
from tests.integration.indexer.steady_load import steady_load
from tests.integration.indexer.waiting import until
from tests.integration.indexer.worker_process import Worker
from tests.services import ROOT

NAME = "faults"
PRIMARY, REPLICA = "postgresql", "postgresql-replica"
BROKER, ENGINE = "rabbitmq", "elasticsearch"
_NAMES = {ENGINE: "Elasticsearch", PRIMARY: "PostgreSQL"}
MANNERS = ("killed", "restarted", "paused")
_SOUNDS = 100
_PATIENCE = 1.0  # of the worker with the replica, seconds
_SOON = 5.0  # seconds in which a change is indexed while the replica is away

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Services for this module alone, deleted at the end."""
    stack_operations.up(NAME, root=ROOT, heap="512m", progress=print)
    try:
        yield stack_operations.open_stack(NAME, root=ROOT)
    finally:
        stack_operations.down(NAME, root=ROOT, purge=True, progress=print)


@pytest.fixture
async def sounds(scene: Scene) -> list[Event]:
    """Sounds with documents; their last events."""
    [user] = await scene.application.commit(writes.create_user("Ana"))
    await scene.index.take(("user", user.id))
    made = await scene.application.commit(
        *(writes.create_sound(user.id, f"Sound {number}") for number in range(_SOUNDS))
    )
    await scene.index.take(*(("sound", change.id) for change in made))
    return [change.event for change in made]


@asynccontextmanager
async def _away(stack: Stack, service: str, manner: str) -> AsyncIterator[None]:
    """Meanwhile the service is away; afterwards it serves again."""
    if manner == "paused":
        with faults.paused(stack, service):
            yield
    elif manner == "killed":
        await asyncio.to_thread(faults.kill, stack, service)
        try:
            yield
        finally:
            await asyncio.to_thread(faults.start, stack, service)
    else:
        restarting = asyncio.create_task(asyncio.to_thread(faults.restart, stack, service))
        try:
            yield
        finally:
            await restarting


@asynccontextmanager
async def _insisting(scene: Scene, events: list[Event]) -> AsyncIterator[None]:
    """Meanwhile there is always an event on its way, even if nobody can change anything."""

    async def insist() -> None:
        while True:
            await scene.publish(*events)
            await asyncio.sleep(0.02)

    insisting = asyncio.create_task(insist())
    try:
        yield
        assert not insisting.done(), insisting
    finally:
        insisting.cancel()
        await asyncio.gather(insisting, return_exceptions=True)


async def _holds(worker: Worker, least: int) -> None:
    """Wait until the worker holds so many changes that it cannot finish."""
    await worker.counted(least, "pending_changes", queue=INTERACTIVE_QUEUE)


async def _agrees_afterwards(settings: Settings, folder: Path, worker: Worker) -> None:
    """A look by new connections: those of the test's scene may have gone with a service."""
    async with open_scene(settings, folder) as afterwards:
        await afterwards.is_drained(worker, within=60)
        verification = await afterwards.index.verify(patience=0)
        assert verification.differences == []
        assert verification.compared > _SOUNDS / 2
        assert await dead_letters(settings) == []
    _logged_lines_only(worker)


def _logged_lines_only(worker: Worker) -> None:
    """No library wrote a traceback of its own between the worker's log lines."""
    lines = worker.log.read_text(encoding="utf-8").splitlines()
    strange = [line for line in lines if not line.startswith(("{", "metrics: "))]
    assert strange == []


@pytest.mark.parametrize("manner", MANNERS)
async def test_the_engine(
    scene: Scene, stack: Stack, sounds: list[Event], tmp_path: Path, manner: str
) -> None:
    async with scene.worker() as worker:
        async with steady_load(scene.settings, [one.id for one in sounds]) as load:
            await load.goes_on()
            async with _away(stack, ENGINE, manner):
                if manner == "paused":
                    await _holds(worker, 40)
                else:
                    await worker.counted(1, "retries_total", service="Elasticsearch")
                    await load.goes_on()
            await load.goes_on()
        await _agrees_afterwards(scene.settings, tmp_path, worker)


@pytest.mark.parametrize("manner", MANNERS)
async def test_the_primary(
    scene: Scene, stack: Stack, sounds: list[Event], tmp_path: Path, manner: str
) -> None:
    async with scene.worker() as worker:
        async with steady_load(scene.settings, [one.id for one in sounds]) as load:
            await load.goes_on()
            async with _away(stack, PRIMARY, manner), _insisting(scene, sounds[:40]):
                if manner == "paused":
                    await load.is_stuck()
                    await _holds(worker, 40)
                else:
                    await worker.counted(1, "retries_total", service="PostgreSQL (primary)")
            await load.goes_on()
        await _agrees_afterwards(scene.settings, tmp_path, worker)


@pytest.mark.parametrize("manner", MANNERS)
async def test_the_replica(
    scene: Scene, stack: Stack, sounds: list[Event], tmp_path: Path, manner: str
) -> None:
    async with scene.worker(replica_patience=_PATIENCE) as worker:
        async with steady_load(scene.settings, [one.id for one in sounds[1:]]) as load:
            await load.goes_on()
            async with _away(stack, REPLICA, manner), _insisting(scene, sounds[:1]):
                await worker.counted(1, "fence_timeouts_total", within=_SOON)
                if manner != "restarted":  # that is over at once
                    [change] = await scene.application.apply(
                        writes.rename("sound", sounds[0].id, "While it was away")
                    )
                    await scene.shows("sound", change.id, title="While it was away", within=_SOON)
                    await load.goes_on(within=_SOON)
            await load.goes_on()
            await _has_said(worker, "replica_level")
        await _agrees_afterwards(scene.settings, tmp_path, worker)


@pytest.mark.parametrize("manner", MANNERS)
async def test_the_broker(
    scene: Scene, stack: Stack, sounds: list[Event], tmp_path: Path, manner: str
) -> None:
    async with scene.worker() as worker:
        async with steady_load(scene.settings, [one.id for one in sounds]) as load:
            await load.goes_on()
            async with _away(stack, BROKER, manner):
                if manner == "paused":
                    await load.is_stuck()
                else:
                    await worker.counted(1, "retries_total", service="RabbitMQ")
            await load.goes_on()
            await worker.counted(1, "consuming")
        await _agrees_afterwards(scene.settings, tmp_path, worker)
        if manner == "paused":
            assert not worker.lines("broker_lost"), "a pause is no reason to begin anew"


async def test_a_whole_request_that_the_engine_has_no_room_for(
    scene: Scene, sounds: list[Event], tmp_path: Path
) -> None:
    """The engine's own breaker answers 429 before it reads a single item."""
    engine = scene.index.services.engine
    # The breaker counts requests as a whole; without the second it would see a bulk only in parts.
    tight = {"network.breaker.inflight_requests.limit": "1kb", "rest.incremental_bulk": False}
    async with scene.worker() as worker:
        async with steady_load(scene.settings, [one.id for one in sounds]) as load:
            await load.goes_on()
            await engine.cluster.put_settings(persistent=tight)
            try:
                await worker.counted(3, "retries_total", service="Elasticsearch")
                await load.goes_on()
            finally:
                await engine.cluster.put_settings(persistent=dict.fromkeys(tight))
            refused = [line["error"] for line in worker.lines("batch_postponed")]
            assert any("429" in error and "circuit_breaking" in error for error in refused), refused
            assert (await worker.metrics())("writes_total", outcome="unavailable") == 0
            await load.goes_on()
        await _agrees_afterwards(scene.settings, tmp_path, worker)


@pytest.mark.parametrize("service", [ENGINE, PRIMARY, REPLICA])
async def test_verification_says_what_it_lost_and_the_sweep_goes_on(
    scene: Scene, stack: Stack, sounds: list[Event], service: str
) -> None:
    async with operations.open_indexer(scene.settings) as services:

        async def verify() -> int:
            compared = 0
            async for verdict in operations.verify(services, "sound", patience=0):
                assert not verdict.differences
                compared = verdict.compared
            return compared

        async with scene.worker(sweep_rate=10_000) as worker:
            await worker.counted(len(sounds), "swept_total", entity="sound")
            async with _away(stack, service, "killed"):
                if service == REPLICA:  # the primary does as well
                    assert await verify() == len(sounds)
                    await _sweeps_on(worker, len(sounds))
                else:
                    with pytest.raises(TemporarilyUnavailableError, match=_NAMES[service]):
                        await verify()
                    await _has_said(worker, "sweep_postponed")
            assert await verify() == len(sounds)
            await _sweeps_on(worker, len(sounds))
            assert not worker.lines("sweep_failed"), worker.tail()
            assert (await worker.metrics())("sweep_differences_total") == 0


async def _sweeps_on(worker: Worker, count: int) -> None:
    """Wait until a whole round was made."""
    swept = (await worker.metrics())("swept_total", entity="sound")
    await worker.counted(swept + 2 * count, "swept_total", entity="sound", within=30)


async def _has_said(worker: Worker, event: str, *, within: float = 20) -> None:
    """Wait until there is a log line of that name."""

    async def look() -> bool:
        return bool(worker.lines(event))

    await until(look, within=within, what=f"log line {event}", state=worker.tail)
