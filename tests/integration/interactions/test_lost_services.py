"""What was accepted is not lost when the broker or the database goes away, and what does not fit
is refused rather than accepted."""

import asyncio
import dataclasses

import httpx

from core.broker import INTERACTIONS_DEAD_QUEUE, open_broker
from core.settings import Settings
from stack import faults
from stack.assembly import Stack
from tests.integration.interactions.conftest import PATIENCE, fetched, logged_place, storing
from tests.integration.interactions.test_logging import DONE, event, search, tell
from tests.integration.query_api.serving import served


def test_what_was_accepted_waits_for_the_broker(stack: Stack, logging_settings: Settings) -> None:
    small = dataclasses.replace(logging_settings, interactions_buffer=20)
    with (
        served(small) as at,
        httpx.Client(base_url=at, timeout=PATIENCE) as api,
        storing(small),
    ):
        before = search(api)
        tell(api, event(before))
        fetched(small, DONE, before["query_id"], rows=1)
        faults.kill(stack, "rabbitmq")
        try:
            found = search(api)
            accepted = 0
            while (answer := tell(api, event(found), event(found))).status_code == 202:
                accepted += 2
                assert accepted <= 20, "more was accepted than there is room for"
            assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
            assert search(api)["hits"], "a search needs no broker"
        finally:
            faults.start(stack, "rabbitmq")
        rows = fetched(small, DONE, found["query_id"], rows=accepted)
        assert accepted > 0
        assert len(rows) == accepted


def test_a_message_of_somebody_else_is_set_aside(stack: Stack, fresh_settings: Settings) -> None:
    # A place of its own: a RabbitMQ that is killed seconds after a quorum queue was declared may
    # forget whose log it was, and leave it without a leader. The test beside this one kills it.
    logging_settings = logged_place(fresh_settings)
    host = logging_settings.broker_url.rpartition("/")[2]
    with (
        served(logging_settings) as at,
        httpx.Client(base_url=at, timeout=PATIENCE) as api,
        storing(logging_settings),
    ):
        for payload in ("rubbish", '[{"record": "search", "day": "2026-05-24", "first": -1}]'):
            stack.broker.call(
                "POST",
                f"exchanges/{host}/interactions/publish",
                {"properties": {}, "routing_key": "log", "payload": payload,
                 "payload_encoding": "string"},
            )  # fmt: skip
        found = search(api)
        tell(api, event(found))
        fetched(logging_settings, DONE, found["query_id"], rows=1)
        assert asyncio.run(_set_aside(logging_settings, 2)) == ["[{", "ru"]


async def _set_aside(settings: Settings, wanted: int) -> list[str]:
    """How the messages begin that were set aside, once there are so many; they stay."""
    begins: list[str] = []
    async with asyncio.timeout(PATIENCE), open_broker(settings, name="tests") as connection:
        queue = await (await connection.channel()).get_queue(INTERACTIONS_DEAD_QUEUE)
        async with queue.iterator() as messages:
            async for message in messages:
                begins.append(message.body[:2].decode())
                if len(begins) == wanted:
                    break
    return sorted(begins)
