"""Happenings: every fault that can befall the product, as what is the case meanwhile.

When the `async with` is left, the fault is over: what had to be started again has been.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

from core.broker import INTERACTIVE_QUEUE
from core.engine import create_engine
from stack import faults
from tests.faults.stage import Stage

PRIMARY, REPLICA = "postgresql", "postgresql-replica"
BROKER, ENGINE = "rabbitmq", "elasticsearch"
_SLOW = 0.3  # seconds a piece
_LAG = 30.0  # seconds that the replica is behind
_ROOM = 20  # messages that a queue at its limit takes
# The engine counts requests as a whole; without the second it would see a bulk only in parts.
_TIGHT = {"network.breaker.inflight_requests.limit": "1kb", "rest.incremental_bulk": False}

Manner = Callable[[Stage], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One fault."""

    name: str  # as the table has it
    manner: Manner
    befalls: frozenset[str] = frozenset()  # surfaces whose own process it stops: nobody answers
    shared: bool = False  # whether it befalls a service, and with it all who use that


def _killed(process: str) -> Manner:
    @asynccontextmanager
    async def manner(stage: Stage) -> AsyncIterator[None]:
        await stage.product.kill(process)
        try:
            yield
        finally:
            await stage.product.start(process)

    return manner


def _paused(process: str) -> Manner:
    @asynccontextmanager
    async def manner(stage: Stage) -> AsyncIterator[None]:
        stage.product.send(process, signal.SIGSTOP)
        try:
            yield
        finally:
            stage.product.send(process, signal.SIGCONT)

    return manner


def _service_killed(service: str) -> Manner:
    @asynccontextmanager
    async def manner(stage: Stage) -> AsyncIterator[None]:
        await asyncio.to_thread(faults.kill, stage.stack, service)
        try:
            yield
        finally:
            await asyncio.to_thread(faults.start, stage.stack, service)

    return manner


def _service_paused(service: str) -> Manner:
    @asynccontextmanager
    async def manner(stage: Stage) -> AsyncIterator[None]:
        with faults.paused(stage.stack, service):
            yield

    return manner


@asynccontextmanager
async def _primary_restarted(stage: Stage) -> AsyncIterator[None]:
    restarting = asyncio.create_task(asyncio.to_thread(faults.restart, stage.stack, PRIMARY))
    try:
        yield
    finally:
        await restarting


@asynccontextmanager
async def _replica_lags(stage: Stage) -> AsyncIterator[None]:
    with faults.lagging_replica(stage.stack, seconds=_LAG):
        yield


@asynccontextmanager
async def _flood_stage(stage: Stage) -> AsyncIterator[None]:
    """As the engine does it itself when its disk is full: writes are refused, reads are not."""
    async with create_engine(stage.direct) as engine:

        async def block(value: bool | None) -> None:
            await engine.indices.put_settings(
                index=f"{stage.direct.index_prefix}-*",
                settings={"index.blocks.read_only_allow_delete": value},
            )

        await block(True)
        try:
            yield
        finally:
            await block(None)


@asynccontextmanager
async def _engine_overloaded(stage: Stage) -> AsyncIterator[None]:
    """429 to every request that is not tiny."""
    async with create_engine(stage.direct) as engine:
        await engine.cluster.put_settings(persistent=_TIGHT)
        try:
            yield
        finally:
            await engine.cluster.put_settings(persistent=dict.fromkeys(_TIGHT))


@asynccontextmanager
async def _queue_at_limit(stage: Stage) -> AsyncIterator[None]:
    """No worker empties the queue, and it takes no more: producers are refused."""
    path = f"policies/{quote(stage.virtual_host)}/limit"
    policy = {
        "pattern": f"^{INTERACTIVE_QUEUE.replace('.', '[.]')}$",
        "definition": {"max-length": _ROOM},
        "apply-to": "queues",
    }
    await stage.product.kill("worker")
    await asyncio.to_thread(stage.stack.broker.call, "PUT", path, policy)
    try:
        yield
    finally:
        await asyncio.to_thread(stage.stack.broker.call, "DELETE", path)
        await stage.product.start("worker")


@asynccontextmanager
async def _snapshot_truncated(stage: Stage) -> AsyncIterator[None]:
    """A snapshot is published of which only half is there."""
    whole = stage.store.path_of(stage.edition).read_bytes()
    half = stage.store.path_of("f" * len(stage.edition))
    half.write_bytes(whole[: len(whole) // 2])
    pointer = stage.store.pointer
    pointed = pointer.read_bytes()
    pointer.write_bytes(pointed + f"{half.stem}\n".encode())
    try:
        yield
    finally:
        pointer.write_bytes(pointed)
        half.unlink()


def _slow(wire: str) -> Manner:
    @asynccontextmanager
    async def manner(stage: Stage) -> AsyncIterator[None]:
        with stage.wires[wire].slow(_SLOW):
            yield

    return manner


def _stalled(wire: str) -> Manner:
    @asynccontextmanager
    async def manner(stage: Stage) -> AsyncIterator[None]:
        with stage.wires[wire].stalled():
            yield

    return manner


def _cut(wire: str) -> Manner:
    return lambda stage: stage.wires[wire].cut()


def _half_closed(wire: str) -> Manner:
    return lambda stage: stage.wires[wire].half_closed()


_SEARCH, _SUGGEST = frozenset({"search"}), frozenset({"suggest"})
_LIST = (
    Happening(name="worker killed (SIGKILL)", manner=_killed("worker")),
    Happening(name="worker paused (SIGSTOP)", manner=_paused("worker")),
    Happening(name="query API killed", manner=_killed("query API"), befalls=_SEARCH),
    Happening(name="query API paused", manner=_paused("query API"), befalls=_SEARCH),
    Happening(name="suggest killed", manner=_killed("suggest"), befalls=_SUGGEST),
    Happening(name="engine killed", manner=_service_killed(ENGINE), shared=True),
    Happening(name="engine paused", manner=_service_paused(ENGINE), shared=True),
    Happening(name="engine at flood stage", manner=_flood_stage),
    Happening(name="engine answers 429", manner=_engine_overloaded, shared=True),
    Happening(name="broker killed", manner=_service_killed(BROKER), shared=True),
    Happening(name="broker connections cut", manner=_cut("broker_url")),
    Happening(name="broker queue at its limit", manner=_queue_at_limit),
    Happening(name="primary restarted", manner=_primary_restarted, shared=True),
    Happening(name="primary paused", manner=_service_paused(PRIMARY), shared=True),
    Happening(name="replica lags 30 s", manner=_replica_lags, shared=True),
    Happening(name="replica gone", manner=_service_killed(REPLICA), shared=True),
    Happening(name="snapshot file truncated", manner=_snapshot_truncated),
    Happening(name="wire to the engine: 0.3 s late", manner=_slow("engine_url")),
    Happening(name="wire to the engine: nothing arrives", manner=_stalled("engine_url")),
    Happening(name="wire to the engine: half closed", manner=_half_closed("engine_url")),
    Happening(name="wire to the broker: nothing arrives", manner=_stalled("broker_url")),
    Happening(name="wire to the broker: half closed", manner=_half_closed("broker_url")),
    Happening(name="wire to the primary: nothing arrives", manner=_stalled("database_url")),
    Happening(name="wire to the primary: cut", manner=_cut("database_url")),
    Happening(name="wire to the replica: nothing arrives", manner=_stalled("replica_url")),
)
HAPPENINGS: Mapping[str, Happening] = {one.name: one for one in _LIST}
