"""The health of RabbitMQ: the queues are there, somebody consumes them, nothing is dead."""

from dataclasses import dataclass

from aio_pika.abc import AbstractConnection
from aiormq.exceptions import (
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
)

from core.broker import (
    BATCH_QUEUE,
    DEAD_QUEUE,
    INTERACTIVE_QUEUE,
    MODELS_EXCHANGE,
    UNAVAILABLE_ERRORS,
    URGENT_QUEUE,
    open_broker,
    work_queue_arguments,
)
from core.errors import ServiceUnavailableError
from core.settings import Settings
from indexer.health import Chart, Observation

OLDEST_VERSION = (3, 10)  # the first whose quorum queues hand over dead letters without loss

_REMEDY_DECLARE = "start a worker (`disco work indexer`) or `disco index reindex`: both declare it"


@dataclass(frozen=True, kw_only=True)
class _Queue:
    """What the broker says about a queue."""

    waiting: int  # messages that nobody holds
    consumers: int


async def examine(settings: Settings) -> list[Observation]:
    """Observations of the broker. Nothing is declared that is not there."""
    chart = Chart("RabbitMQ")
    try:
        async with open_broker(settings, name="disco doctor") as connection:
            _note_version(chart, connection, settings)
            await _look_at_exchange(chart, connection)
            for name in (URGENT_QUEUE, INTERACTIVE_QUEUE, BATCH_QUEUE):
                await _look_at_work(chart, connection, name, settings)
            await _look_at_letters(chart, connection)
    except ServiceUnavailableError as error:
        chart.unreachable(*_split(str(error)))
    except ChannelAccessRefused as error:
        chart.problem(
            "permissions",
            str(error),
            "let the user of DISCO_BROKER_URL configure, write and read `models` and `indexer.*`",
        )
    except UNAVAILABLE_ERRORS as error:
        chart.unreachable(f"it closed the connection ({error!r})", "look at the broker's log")
    return chart.observations


def _note_version(chart: Chart, connection: AbstractConnection, settings: Settings) -> None:
    version = _version_of(connection)
    what = f"{settings.broker_url.rpartition('@')[2]}, version {version}"
    number = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if number < OLDEST_VERSION:
        chart.problem("connection", what, "use RabbitMQ 3.10 or newer")
    else:
        chart.ok("connection", what)


def _version_of(connection: AbstractConnection) -> str:
    assert connection.transport is not None
    properties = connection.transport.connection.server_properties
    return str(properties.get("version", "0"))


async def _look_at_exchange(chart: Chart, connection: AbstractConnection) -> None:
    channel = await connection.channel()
    try:
        await channel.get_exchange(MODELS_EXCHANGE, ensure=True)
    except ChannelNotFoundEntity:
        chart.problem(
            MODELS_EXCHANGE, "the exchange is not declared: producers fail", _REMEDY_DECLARE
        )
    else:
        chart.ok(MODELS_EXCHANGE, "the exchange is declared")
        await channel.close()


async def _look_at_work(
    chart: Chart, connection: AbstractConnection, name: str, settings: Settings
) -> None:
    queue = await _ask(connection, name)
    if queue is None:
        chart.problem(name, "the queue is not declared: what is published is lost", _REMEDY_DECLARE)
    elif await _differs(connection, name, settings):
        chart.problem(
            name,
            "the queue was declared with other arguments than the settings ask for",
            "restore DISCO_DELIVERY_LIMIT, or drain and delete the queue; "
            "docs/operations.md, “Changing the delivery limit”",
        )
    elif not queue.consumers:
        chart.warning(
            name,
            f"{queue.waiting:,} events wait, and no worker consumes",
            "start one: `disco work indexer`",
        )
    else:
        workers = f"{queue.consumers} worker{'s' if queue.consumers > 1 else ''}"
        chart.ok(name, f"{queue.waiting:,} events wait for {workers}")


async def _look_at_letters(chart: Chart, connection: AbstractConnection) -> None:
    queue = await _ask(connection, DEAD_QUEUE)
    if queue is None:
        chart.problem(DEAD_QUEUE, "the queue is not declared", _REMEDY_DECLARE)
    elif queue.waiting:
        chart.warning(
            DEAD_QUEUE,
            f"{queue.waiting:,} events could not be processed",
            "read the reasons: `disco dead-letters list`, then replay or drop them",
        )
    else:
        chart.ok(DEAD_QUEUE, "no dead letter")


async def _ask(connection: AbstractConnection, name: str) -> _Queue | None:
    """What the broker says about a queue; None if there is none of that name."""
    channel = await connection.channel()
    try:
        queue = await channel.declare_queue(name, passive=True)
    except ChannelNotFoundEntity:
        return None
    await channel.close()
    told = queue.declaration_result
    return _Queue(waiting=told.message_count or 0, consumers=told.consumer_count or 0)


async def _differs(connection: AbstractConnection, name: str, settings: Settings) -> bool:
    """Whether a worker's declaration of a queue that exists would be refused."""
    channel = await connection.channel()
    try:
        await channel.declare_queue(name, durable=True, arguments=work_queue_arguments(settings))
    except ChannelPreconditionFailed:
        return True
    await channel.close()
    return False


def _split(message: str) -> tuple[str, str]:
    """What is wrong, and the remedy, of an error message of ours."""
    what, _, remedy = message.partition("; ")
    return what, remedy
