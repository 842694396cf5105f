"""The cascade: what joins a changed entity is indexed again, through the batch queue.

A document that shows its user's name changes without its own row changing. So for each dependent,
found by the definition's SQL, a refresh event is published, stamped by the database's clock after
the change was committed.
"""

import asyncio
from collections.abc import Mapping, Sequence

import asyncpg
from aio_pika.abc import AbstractChannel
from pamqp.commands import Basic

from core.broker import INDEXER_EXCHANGE
from core.broker import UNAVAILABLE_ERRORS as BROKER_UNAVAILABLE_ERRORS
from core.database import STATEMENT_ERRORS, UNAVAILABLE_ERRORS
from core.definitions import Recipe
from core.events import Action, encode_refresh
from indexer.changes import Key, Write
from indexer.errors import DependentsUnknownError, TemporarilyUnavailableError
from indexer.fence import ReplicaFence
from indexer.metrics import DEPENDENTS

_IN_FLIGHT = 500  # messages that may await their confirm
_IDS_A_MESSAGE = 500
_PERSISTENT = 2


class RefreshPublisher:
    """Publishes refresh events to the batch queue, each confirmed by the broker."""

    def __init__(self, channel: AbstractChannel, *, exchange: str = INDEXER_EXCHANGE) -> None:
        """With `URGENT_EXCHANGE`, to the urgent queue."""
        self._channel = channel
        self._exchange = exchange

    async def publish(self, stamped: Sequence[tuple[Key, int]]) -> None:
        """Publish an event for each key and time (microseconds); return once the broker has all.

        Raises `TemporarilyUnavailableError`; some may have been published then.
        """
        channel = await self._channel.get_underlay_channel()
        messages = _messages(stamped)
        for start in range(0, len(messages), _IN_FLIGHT):
            try:
                await asyncio.gather(
                    *(
                        channel.basic_publish(
                            body,
                            exchange=self._exchange,
                            routing_key=f"{Action.REFRESH}.{entity}",
                            properties=Basic.Properties(
                                delivery_mode=_PERSISTENT, content_type="application/json"
                            ),
                            timeout=30,
                        )
                        for entity, body in messages[start : start + _IN_FLIGHT]
                    )
                )
            except BROKER_UNAVAILABLE_ERRORS as error:
                raise TemporarilyUnavailableError("RabbitMQ", repr(error)) from error


def _messages(stamped: Sequence[tuple[Key, int]]) -> list[tuple[str, bytes]]:
    """Entity type and body of each message; one message refreshes many entities."""
    groups: dict[tuple[str, int], list[int]] = {}
    for (entity, entity_id), moment in stamped:
        groups.setdefault((entity, moment), []).append(entity_id)
    return [
        (entity, encode_refresh(ids[start : start + _IDS_A_MESSAGE], moment))
        for (entity, moment), ids in groups.items()
        for start in range(0, len(ids), _IDS_A_MESSAGE)
    ]


class DatabaseCascade:
    """Finds dependents in the database, and publishes refresh events for them."""

    def __init__(
        self,
        recipes: Mapping[str, Recipe],
        fence: ReplicaFence,
        publisher: RefreshPublisher,
    ) -> None:
        self._sql = {e: d.dependents_sql for e, d in recipes.items() if d.dependents_sql}
        self._fence = fence
        self._publisher = publisher

    async def publish(self, keys: Sequence[Key], now: int) -> None:
        """Return when the broker has a refresh event for each dependent of the keys.

        Raises `DependentsUnknownError` for keys whose dependents cannot be found, after those of
        all others were told.
        """
        parents: dict[str, list[int]] = {}
        for entity, entity_id in keys:
            if entity in self._sql:
                parents.setdefault(entity, []).append(entity_id)
        failures: dict[Key, str] = {}
        for entity, ids in parents.items():
            dependents = sorted(await self._find(entity, ids, now, failures))
            DEPENDENTS.inc(len(dependents))
            await self._publisher.publish([(key, now) for key in dependents])
        if failures:
            raise DependentsUnknownError(failures)

    async def announce(self, writes: Sequence[Write]) -> None:
        """Return when the broker has a refresh event of each write under its version."""
        await self._publisher.publish([(write.key, write.version) for write in writes])

    async def _find(
        self, entity: str, ids: list[int], now: int, failures: dict[Key, str]
    ) -> set[Key]:
        """The dependents; halve the ids to find one whose dependents cannot be found.

        What joined them after `now`, the moment of the hydration, has an event of its own.
        """
        pool = await self._fence.beyond(now)
        try:
            rows = await self._fence.fetch(pool, self._sql[entity], ids)
        except (*UNAVAILABLE_ERRORS, asyncpg.QueryCanceledError) as error:
            raise TemporarilyUnavailableError("PostgreSQL", repr(error)) from error
        except asyncpg.PostgresError as error:
            if len(ids) == 1 or isinstance(error, STATEMENT_ERRORS):
                reason = f"dependents of {entity} not found: {type(error).__name__}: {error}"
                failures.update(((entity, one), reason) for one in ids)
                return set()
            middle = len(ids) // 2
            return await self._find(entity, ids[:middle], now, failures) | await self._find(
                entity, ids[middle:], now, failures
            )
        return {(row[0], row[1]) for row in rows}
