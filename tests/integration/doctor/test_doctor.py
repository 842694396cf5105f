"""The doctor sees each thing that can be wrong with the services, and changes nothing."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest
from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiormq.exceptions import ChannelNotFoundEntity

from cli import main, output
from core import definitions
from core.broker import (
    BATCH_QUEUE,
    DEAD_EXCHANGE,
    DEAD_QUEUE,
    INTERACTIVE_QUEUE,
    URGENT_QUEUE,
    declare_topology,
    open_broker,
)
from core.engine import create_engine
from core.settings import Settings
from indexer import broker_health, database_health, engine_health
from indexer.doctor import examine
from indexer.generations import Generations
from indexer.health import Condition, Observation
from stack import faults, ports
from stack.assembly import Stack

PRIMARY, REPLICA = "PostgreSQL primary", "PostgreSQL replica"
BROKER, ENGINE = "RabbitMQ", "Elasticsearch"


def test_in_an_empty_place_it_names_all_that_is_missing(fresh_settings: Settings) -> None:
    seen = _examine(fresh_settings)
    missing = {one.subject for one in seen if one.condition is Condition.PROBLEM}
    aliases = {f"{fresh_settings.index_prefix}-{e}" for e in ("group", "set", "sound", "user")}
    assert missing == {
        *("models", URGENT_QUEUE, INTERACTIVE_QUEUE, BATCH_QUEUE, DEAD_QUEUE),
        *aliases,
    }
    assert {one.condition for one in seen} == {Condition.OK, Condition.PROBLEM}
    assert all(one.remedy for one in seen if one.condition is not Condition.OK)
    assert asyncio.run(_queues(fresh_settings)) == set(), "it declared what it only should look at"


def test_where_all_is_made_only_the_worker_is_missing(made: Settings) -> None:
    seen = _examine(made)
    assert _ill(seen) == {
        (BROKER, URGENT_QUEUE, Condition.WARNING),
        (BROKER, INTERACTIVE_QUEUE, Condition.WARNING),
        (BROKER, BATCH_QUEUE, Condition.WARNING),
    }
    assert _one(seen, ENGINE, f"{made.index_prefix}-sound").what == "0 documents"
    assert {one.service for one in seen} == {"configuration", PRIMARY, REPLICA, BROKER, ENGINE}


async def test_a_consumer_makes_the_queue_well(made: Settings) -> None:
    async with _channel(made) as channel:
        queue = await channel.get_queue(INTERACTIVE_QUEUE)
        await queue.consume(_ignore)
        seen = await broker_health.examine(made)
    assert _one(seen, BROKER, INTERACTIVE_QUEUE).condition is Condition.OK
    assert _one(seen, BROKER, BATCH_QUEUE).condition is Condition.WARNING


async def test_it_tells_of_dead_letters(made: Settings) -> None:
    async with _channel(made) as channel:
        exchange = await channel.get_exchange(DEAD_EXCHANGE)
        await exchange.publish(Message(b"?"), routing_key="save.sound")
        letters = _one(await broker_health.examine(made), BROKER, DEAD_QUEUE)
        await (await channel.get_queue(DEAD_QUEUE)).purge()
    assert letters.condition is Condition.WARNING
    assert letters.what.startswith("1 events")
    assert "disco dead-letters list" in letters.remedy


async def test_a_delivery_limit_that_the_queues_do_not_have_is_a_problem(made: Settings) -> None:
    other = dataclasses.replace(made, delivery_limit=made.delivery_limit + 1)
    seen = await broker_health.examine(other)
    assert _one(seen, BROKER, INTERACTIVE_QUEUE).condition is Condition.PROBLEM
    assert "DISCO_DELIVERY_LIMIT" in _one(seen, BROKER, INTERACTIVE_QUEUE).remedy


async def test_a_replica_that_lags_is_a_warning(stack: Stack, settings: Settings) -> None:
    impatient = dataclasses.replace(settings, replica_patience=0.2)
    with faults.paused_replay(stack):
        connection = await asyncpg.connect(settings.database_url)
        await connection.execute("CREATE TABLE news (id int)")
        await connection.close()
        seen = await database_health.examine(impatient)
    lag = _one(seen, REPLICA, "lag")
    assert (lag.condition, "more than 0.2 s behind" in lag.what) == (Condition.WARNING, True)
    faults.await_replica(stack)
    assert _one(await database_health.examine(settings), REPLICA, "lag").condition is Condition.OK


async def test_primary_and_replica_mistaken_for_each_other(settings: Settings) -> None:
    assert settings.replica_url is not None
    swapped = dataclasses.replace(
        settings, database_url=settings.replica_url, replica_url=settings.database_url
    )
    assert _ill(await database_health.examine(swapped)) == {
        (PRIMARY, "writable", Condition.PROBLEM),
        (REPLICA, "recovery", Condition.PROBLEM),
    }


async def test_a_database_that_cannot_be_written_or_does_not_flush(settings: Settings) -> None:
    name = settings.database_url.rpartition("/")[2]
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        seen = await database_health.examine(dataclasses.replace(settings, replica_url=None))
    finally:
        await connection.execute("SET default_transaction_read_only = off")
        await connection.execute(f"ALTER DATABASE {name} RESET ALL")
        await connection.close()
    assert _ill(seen) == {
        (PRIMARY, "writable", Condition.PROBLEM),
        (PRIMARY, "commits", Condition.PROBLEM),
    }


async def test_an_ordinary_user_of_the_database_may_ask(settings: Settings) -> None:
    name = settings.database_url.rpartition("/")[2]
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'visitor'")
    address = settings.database_url.rpartition("@")[2]
    visitor = f"postgresql://{name}:visitor@{address}"
    try:
        seen = await database_health.examine(
            dataclasses.replace(settings, database_url=visitor, replica_url=None)
        )
        refused = await database_health.examine(
            dataclasses.replace(
                settings, database_url=visitor.replace(":visitor", ":wrong"), replica_url=None
            )
        )
    finally:
        await connection.execute(f"DROP ROLE {name}")
        await connection.close()
    assert _ill(seen) == set()
    assert _ill(refused) == {(PRIMARY, "connection", Condition.PROBLEM)}


async def test_a_blocked_index_and_a_changed_definition(made: Settings) -> None:
    loaded = definitions.load(made.definitions_path)
    changed = {
        **loaded,
        "sound": dataclasses.replace(loaded["sound"], hash="00000000"),
        "group": dataclasses.replace(loaded["group"], dependents_sql="SELECT 'sound', 1"),
        "set": dataclasses.replace(loaded["set"], profile={}),
        "label": dataclasses.replace(loaded["group"], entity="label"),
    }
    async with create_engine(made) as engine:
        block = {"index.blocks.read_only_allow_delete": True}
        await engine.indices.put_settings(index=f"{made.index_prefix}-user", settings=block)
        seen = await engine_health.examine(made, changed)
        unblock = {"index.blocks.read_only_allow_delete": None}
        await engine.indices.put_settings(index=f"{made.index_prefix}-user", settings=unblock)
        again = await engine_health.examine(made, loaded)
    assert _ill(seen) == {
        (ENGINE, "blocks", Condition.PROBLEM),
        (ENGINE, f"{made.index_prefix}-sound", Condition.WARNING),
        (ENGINE, f"{made.index_prefix}-group", Condition.WARNING),
        (ENGINE, f"{made.index_prefix}-set", Condition.WARNING),
        (ENGINE, f"{made.index_prefix}-label", Condition.PROBLEM),
    }
    remedies = {one.subject: one.remedy for one in seen if one.condition is Condition.WARNING}
    assert remedies == {
        f"{made.index_prefix}-sound": "disco index apply sound",
        f"{made.index_prefix}-group": "disco index reindex group",
        f"{made.index_prefix}-set": "disco index apply set",
    }
    assert _ill(again) == set()


async def test_an_alias_of_two_indices_is_a_problem(made: Settings) -> None:
    loaded = definitions.load(made.definitions_path)
    async with create_engine(made) as engine:
        generations = Generations(engine, made)
        second = await generations.create(loaded["set"])
        alias = f"{made.index_prefix}-set"
        await engine.indices.put_alias(index=second.index, name=alias)
        seen = await engine_health.examine(made, loaded)
        await generations.delete(second)
    assert _ill(seen) == {(ENGINE, alias, Condition.PROBLEM)}


def test_a_port_where_nobody_listens(fresh_settings: Settings) -> None:
    port = _silent_port()
    lost = dataclasses.replace(
        fresh_settings,
        database_url=f"postgresql://postgres@127.0.0.1:{port}/disco",
        replica_url=f"postgresql://postgres@127.0.0.1:{port}/disco",
        broker_url=f"amqp://guest:guest@127.0.0.1:{port}/",
        engine_url=f"http://127.0.0.1:{port}",
    )
    assert _ill(_examine(lost)) == {
        (service, "connection", Condition.UNREACHABLE)
        for service in (PRIMARY, REPLICA, BROKER, ENGINE)
    }


async def test_a_database_that_is_not_there(settings: Settings) -> None:
    wrong = dataclasses.replace(
        settings, database_url=f"{settings.database_url}_not", replica_url=None
    )
    (seen,) = [one for one in await database_health.examine(wrong) if one.service == PRIMARY]
    assert (seen.subject, seen.condition) == ("connection", Condition.PROBLEM)
    assert "does not exist" in seen.what


def test_the_command_tells_programs_and_people(
    made: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _set_environment(monkeypatch, made)
    assert _run("doctor") == output.OK, "warnings do not fail it"
    prose = capsys.readouterr().out
    assert "RabbitMQ\n" in prose
    assert "→ start one: `disco work indexer`" in prose
    assert _run("doctor", "--json") == output.OK
    document = json.loads(capsys.readouterr().out)
    assert document["condition"] == "warning"
    assert {one["service"] for one in document["observations"]} >= {PRIMARY, ENGINE}
    monkeypatch.setenv("DISCO_DELIVERY_LIMIT", "3")
    assert _run("doctor") == output.DOES_NOT_HOLD
    monkeypatch.setenv("DISCO_ENGINE_URL", f"http://127.0.0.1:{_silent_port()}")
    assert _run("doctor") == output.SERVICE_UNAVAILABLE
    monkeypatch.setenv("DISCO_DELIVRY_LIMIT", "3")
    assert _run("doctor") == output.BAD_USAGE


@pytest.fixture(scope="module")
def made(settings: Settings) -> Settings:
    """The module's place with all queues, and an empty live index of each entity type."""
    asyncio.run(_make(settings))
    return settings


async def _make(settings: Settings) -> None:
    async with _channel(settings) as channel:
        await declare_topology(channel, settings)
    async with create_engine(settings) as engine:
        generations = Generations(engine, settings)
        for definition in definitions.load(settings.definitions_path).values():
            await generations.promote(await generations.create(definition), before=None)


def _examine(settings: Settings) -> list[Observation]:
    return asyncio.run(examine(settings, {}))


def _one(seen: Sequence[Observation], service: str, subject: str) -> Observation:
    (found,) = [one for one in seen if (one.service, one.subject) == (service, subject)]
    return found


def _ill(seen: Sequence[Observation]) -> set[tuple[str, str, Condition]]:
    return {
        (one.service, one.subject, one.condition)
        for one in seen
        if one.condition is not Condition.OK
    }


@asynccontextmanager
async def _channel(settings: Settings) -> AsyncIterator[AbstractChannel]:
    async with open_broker(settings, name="test") as connection:
        yield await connection.channel()


async def _queues(settings: Settings) -> set[str]:
    found = set()
    async with open_broker(settings, name="test") as connection:
        for name in (URGENT_QUEUE, INTERACTIVE_QUEUE, BATCH_QUEUE, DEAD_QUEUE):
            channel = await connection.channel()
            try:
                await channel.declare_queue(name, passive=True)
                found.add(name)
            except ChannelNotFoundEntity:
                continue
    return found


def _set_environment(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    for name in ("database_url", "replica_url", "broker_url", "engine_url", "index_prefix"):
        monkeypatch.setenv(f"DISCO_{name.upper()}", str(getattr(settings, name)))


async def _ignore(message: AbstractIncomingMessage) -> None:
    del message


def _silent_port() -> int:
    """A port where nobody listens."""
    return ports.choose(seed="doctor")


def _run(*arguments: str) -> int:
    """The exit code, whether the command returns it or ends by itself."""
    try:
        return main.run(arguments)
    except SystemExit as end:
        return int(str(end.code))
