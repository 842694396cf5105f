"""Interactions: so many a second, how soon they are accepted, and whether all of them arrive.

Front ends send batches at a steady rate, whether earlier ones were answered or not. In the last run
the broker is stopped and started meanwhile; what is refused then is sent again, as the answer says.
In the end every interaction that was accepted has to be a row.
"""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import asyncpg
import orjson
import uvloop

from benchmarks.environment import Environment, Say, environment
from benchmarks.percentiles import percentiles
from benchmarks.report import Bar, Report, medians
from core.settings import Settings
from stack import faults, programs
from stack.errors import StackError

_MOST_AT_ONCE: Final = 200  # connections
_SEARCHES: Final = 50  # whose hits are clicked
_TEXT: Final = {"Content-Type": "text/plain"}  # as navigator.sendBeacon sends
_ARRIVAL_SECONDS: Final = 120.0


@dataclass(kw_only=True)
class Run:
    """One run of the benchmark."""

    accepted: set[str] = field(default_factory=set)  # ids
    seconds: list[float] = field(default_factory=list)  # of each batch that was accepted
    refused: int = 0  # batches that were told to come again, each time
    failed: int = 0  # batches without a proper answer
    lasted: float = 0.0


class Senders:
    """Front ends that tell what people did."""

    def __init__(self, api: str, batch: int) -> None:
        self._api = api
        self._batch = batch
        self._query_ids: list[str] = []

    async def run(self, *, rate: float, seconds: float, warm_up: bool = False) -> Run:
        """Send `rate` interactions a second, for so long."""
        run = Run()
        connector = aiohttp.TCPConnector(limit=_MOST_AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            if warm_up or not self._query_ids:
                self._query_ids = [await self._search(session) for _ in range(_SEARCHES)]
            began, number = time.monotonic(), 0
            async with asyncio.TaskGroup() as batches:
                while (due := number * self._batch / rate) < seconds:
                    if (pause := began + due - time.monotonic()) > 0:
                        await asyncio.sleep(pause)
                    batches.create_task(self._send(session, number, run))
                    number += 1
            run.lasted = time.monotonic() - began
        return run

    async def _search(self, session: aiohttp.ClientSession) -> str:
        async with session.get(f"{self._api}/v1/search", params={"q": "a"}) as response:
            return str((await response.json())["query_id"])

    async def _send(self, session: aiohttp.ClientSession, number: int, run: Run) -> None:
        ids = [uuid.uuid4().hex for _ in range(self._batch)]
        query_id = self._query_ids[number % len(self._query_ids)]
        body = orjson.dumps({"events": [_click(one, query_id) for one in ids]})
        while True:
            began = time.perf_counter()
            async with session.post(
                f"{self._api}/v1/interactions", data=body, headers=_TEXT
            ) as response:
                answer = await response.read()
            if response.status == 202 and orjson.loads(answer)["accepted"] == len(ids):
                run.seconds.append(time.perf_counter() - began)
                run.accepted.update(ids)
                return
            if response.status != 503:
                run.failed += 1
                return
            run.refused += 1
            await asyncio.sleep(float(response.headers["Retry-After"]))


def measure(
    *, stack: str, rate: float, seconds: float, batch: int, runs: int, restart: bool, say: Say
) -> Report:
    """Run the benchmark `runs` times, and once more with a broker that goes away meanwhile."""
    with environment(stack_name=stack, size="S", say=say) as made:
        settings = made.settings
        with (
            programs.interactions_worker(settings, made.logs),
            programs.query_api(settings, made.logs) as api,
        ):
            senders = Senders(api.url, batch)
            say("warming up")
            if not uvloop.run(senders.run(rate=rate, seconds=5, warm_up=True)).accepted:
                raise StackError(f"no interaction is accepted; see the log {api.log}")
            found = []
            for number in range(runs):
                say(f"run {number + 1} of {runs}")
                found.append(uvloop.run(senders.run(rate=rate, seconds=seconds)))
            lost = uvloop.run(_lost(settings, found))
            outage = None
            if restart:
                say("once more, while the broker restarts")
                outage = uvloop.run(_with_restart(made, senders, rate, seconds))
                lost += uvloop.run(_lost(settings, [outage]))
    return _report(found, outage, lost, rate, batch)


async def _with_restart(made: Environment, senders: Senders, rate: float, seconds: float) -> Run:
    sending = asyncio.create_task(senders.run(rate=rate, seconds=seconds))
    await asyncio.sleep(seconds / 4)
    await asyncio.to_thread(faults.restart, made.stack, "rabbitmq")
    return await sending


async def _lost(settings: Settings, found: list[Run]) -> int:
    """Accepted interactions that are no rows, after a time in which they should be."""
    wanted = set[str]().union(*(run.accepted for run in found))
    connection = await asyncpg.connect(settings.database_url)
    deadline = time.monotonic() + _ARRIVAL_SECONDS
    try:
        while True:
            rows = await connection.fetch("SELECT id FROM disco.interactions")
            missing = wanted - {row["id"] for row in rows}
            if not missing or time.monotonic() > deadline:
                return len(missing)
            await asyncio.sleep(1)
    finally:
        await connection.close()


def _report(found: list[Run], outage: Run | None, lost: int, rate: float, batch: int) -> Report:
    each = [
        {
            **{name: one * 1000 for name, one in percentiles(run.seconds, "ms_").items()},
            "accepted_per_second": len(run.accepted) / run.lasted,
        }
        for run in found
    ]
    figures = medians(each) | {
        "lost": float(lost),
        "failed": float(sum(run.failed for run in (*found, *([outage] if outage else ())))),
    }
    if outage is not None:
        figures["refused_while_away"] = float(outage.refused)
    return Report(
        bench="interactions",
        corpus={"rate": rate, "batch": batch, "broker_restarted": outage is not None},
        figures=figures,
        bars={
            "accepted_per_second": Bar(
                value=figures["accepted_per_second"], bar=0.99 * rate, at_most=False
            ),
            "ms_p99": Bar(value=figures["ms_p99"], bar=20, at_most=True),
            "lost": Bar(value=figures["lost"], bar=0, at_most=True),
            "failed": Bar(value=figures["failed"], bar=0, at_most=True),
        },
        details={"runs": each},
    )


def _click(one: str, query_id: str) -> dict[str, object]:
    return {
        "id": one,
        "query_id": query_id,
        "kind": "click",
        "type": "sound",
        "entity_id": "1",
        "position": 1,
    }
