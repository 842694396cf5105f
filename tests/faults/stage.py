"""The stage: the whole product as processes, between them and the services wires that can fail."""

import asyncio
import dataclasses
import random
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.settings import Settings
from demo import writes
from demo.application import open_application
from stack import ports
from stack.assembly import Stack
from suggest.store import Store
from tests.faults import beacons as lights
from tests.faults.beacons import Beacons
from tests.faults.wire import Wire, laid
from tests.integration.indexer import worker_process
from tests.integration.indexer.oracle import open_index
from tests.integration.indexer.waiting import until
from tests.integration.indexer.worker_process import DISCO, PRODUCT, Worker

_SOUNDS = 200  # that the load changes
_START = 60.0  # seconds that a process has to serve
_WIRED = ("engine_url", "broker_url", "database_url", "replica_url")

Server = Worker  # a process with a log, like any other


class Product:
    """The processes: a worker, the query API, the suggest service. Each can be started again."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self._folder = folder
        self._commands = {
            "worker": PRODUCT,
            "query API": (str(DISCO), "serve", "query-api"),
            "suggest": (str(DISCO), "serve", "suggest"),
        }
        self.processes: dict[str, Server] = {}

    @property
    def search_address(self) -> str:
        """Where the query API answers."""
        return f"http://127.0.0.1:{self.settings.query_api_port}"

    @property
    def suggest_address(self) -> str:
        """Where the suggest service answers."""
        return f"http://127.0.0.1:{self.settings.suggest_port}"

    @property
    def worker(self) -> Worker:
        """The worker that runs."""
        return self.processes["worker"]

    def failures(self) -> list[dict[str, Any]]:
        """Log lines of the query API about what nobody foresaw."""
        lines = self.processes["query API"].lines()
        return [line for line in lines if line["level"] == "error"]

    async def start(self, *names: str) -> None:
        """Start processes (default: all) and wait until they serve."""
        wanted = names or tuple(self._commands)
        for name in wanted:
            self.processes[name] = worker_process.spawn(
                self.settings, self._folder, command=self._commands[name]
            )
        await asyncio.gather(*(self._serves(name) for name in wanted))

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a process a signal."""
        self.processes[name].process.send_signal(number)

    async def kill(self, name: str) -> None:
        """End a process as a crash would."""
        await self.processes[name].kill()

    async def close(self) -> None:
        """End all that still runs."""
        for process in self.processes.values():
            if process.is_running:
                process.process.send_signal(signal.SIGCONT)
                await process.kill()

    async def _serves(self, name: str) -> None:
        process = self.processes[name]
        if name == "worker":
            await process.ready(within=_START)
            return
        event = "query_api_listening" if name == "query API" else "suggest_listening"

        async def listens() -> bool:
            assert process.is_running, process.tail()
            return bool(process.lines(event))

        await until(listens, within=_START, what=f"{name} serves", state=process.tail)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """All that a fault can befall."""

    stack: Stack
    direct: Settings  # for those who look on: no wire between them and the services
    product: Product
    wires: Mapping[str, Wire]  # by the setting of the address
    beacons: Beacons
    sounds: list[int]  # that may be changed
    store: Store
    edition: str  # of suggestions, the right one
    virtual_host: str


@asynccontextmanager
async def set_up(
    stack: Stack, settings: Settings, folder: Path, chance: random.Random
) -> AsyncIterator[Stage]:
    """A stage in an empty place of a stack: a catalogue, its indices, and the product at work."""
    store = Store(folder / "suggestions")
    async with open_application(settings) as application:
        beacons = await lights.light(application, chance)
        [owner] = await application.commit(writes.create_user("Someone"))
        titles = (f"Sound {number}" for number in range(_SOUNDS))
        made = await application.commit(*(writes.create_sound(owner.id, one) for one in titles))
    async with open_index(settings) as index:
        await index.build()
    edition = lights.publish(store, beacons)
    async with AsyncExitStack() as opened:
        wires: dict[str, Wire] = {}
        addresses: dict[str, Any] = {}
        for name in _WIRED:
            wires[name], addresses[name] = await opened.enter_async_context(
                laid(getattr(settings, name))
            )
        product = Product(
            dataclasses.replace(
                settings,
                **addresses,
                query_api_port=ports.choose(seed=f"{folder} search"),
                suggest_port=ports.choose(seed=f"{folder} suggest"),
                suggest_store=str(store.folder),
                log_format="json",
                sweep_rate=0,  # that it may not mend what is looked for
            ),
            folder,
        )
        opened.push_async_callback(product.close)
        await product.start()
        yield Stage(
            stack=stack,
            direct=settings,
            product=product,
            wires=wires,
            beacons=beacons,
            sounds=[one.id for one in made],
            store=store,
            edition=edition,
            virtual_host=settings.index_prefix,
        )
