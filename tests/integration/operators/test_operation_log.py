"""The operation log: every action leaves a row, however it ends, and nobody rewrites it."""

import asyncio
from dataclasses import dataclass

import asyncpg
import pytest

from core import operation_log
from core.database import Pool
from core.errors import DiscoError, ServiceUnavailableError
from core.operation_log import (
    Actor,
    OperationInProgressError,
    OperationLog,
    Outcome,
    UnknownOperationError,
)
from core.settings import Settings
from tests.integration.indexer.waiting import until

ANA = Actor(name="ana@desk", via="cli")
BEN = Actor(name="ben", via="http")


@dataclass
class RefusalError(DiscoError):
    reason: str = "not like that"


async def test_an_action_is_known_by_who_what_when_before_and_after(primary: Pool) -> None:
    log = OperationLog(primary, ANA)
    async with log.record("index.promote", "sound", override="it is urgent") as entry:
        await entry.plan(before={"index": "a"}, after={"index": "b"})
    [newest] = await log.history(limit=1)
    assert newest == await log.find(entry.id)
    assert (newest.actor, newest.via, newest.action, newest.subject) == (
        *("ana@desk", "cli", "index.promote", "sound"),
    )
    assert (newest.before, newest.after) == ({"index": "a"}, {"index": "b"})
    assert (newest.outcome, newest.error) == (Outcome.DONE, None)
    assert newest.override_reason == "it is urgent"
    assert newest.finished_at is not None
    assert newest.finished_at >= newest.started_at


async def test_what_was_not_begun_is_refused_and_what_was_is_failed(primary: Pool) -> None:
    log = OperationLog(primary, ANA)
    with pytest.raises(RefusalError):
        async with log.record("index.promote", "refused"):
            raise RefusalError
    with pytest.raises(RefusalError):
        await _fail_after_planning(log)
    with pytest.raises(ZeroDivisionError):
        async with log.record("index.promote", "broken"):
            _ = 1 / 0
    outcomes = {one.subject: one.outcome for one in await log.history(limit=3)}
    assert outcomes == {
        "refused": Outcome.REFUSED,
        "failed": Outcome.FAILED,
        "broken": Outcome.FAILED,
    }


async def _fail_after_planning(log: OperationLog) -> None:
    async with log.record("index.promote", "failed") as entry:
        await entry.plan(before=None, after={"index": "b"})
        raise RefusalError


async def test_a_cancelled_action_says_so(primary: Pool) -> None:
    log, begun = OperationLog(primary, ANA), asyncio.Event()

    async def act() -> None:
        async with log.record("index.reindex", "cancelled") as entry:
            await entry.plan(before=None, after=None)
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(act())
    await begun.wait()
    assert (await log.history(limit=1))[0].outcome is Outcome.RUNNING
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [newest] = await log.history(limit=1)
    assert (newest.outcome, newest.error) == (Outcome.FAILED, "interrupted")


async def test_a_running_action_tells_how_far_it_is(
    primary: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation_log, "HEARTBEAT_SECONDS", 0.01)
    log = OperationLog(primary, ANA)
    async with log.record("index.reindex", "sound") as entry:
        entry.progress = {"read": 17}

        async def told() -> bool:
            return (await log.find(entry.id)).progress == {"read": 17}

        await until(told, within=10, what="the log knows the progress")


async def test_an_action_whose_process_is_gone_is_abandoned(primary: Pool) -> None:
    log = OperationLog(primary, ANA)
    number = await primary.fetchval(
        "INSERT INTO disco.operations (action, subject, actor, via, heard_at) VALUES"
        " ('index.reindex', 'sound', 'ana', 'cli', clock_timestamp() - interval '1 minute')"
        " RETURNING id"
    )
    assert (await log.find(number)).outcome is Outcome.ABANDONED


async def test_of_two_at_once_the_second_is_told_of_the_first(primary: Pool) -> None:
    async with OperationLog(primary, ANA).record("index.promote", "user", alone=True) as first:
        await first.plan(before={"index": "a"}, after={"index": "b"})
        with pytest.raises(OperationInProgressError, match=rf"ana@desk.*operation {first.id}\)"):
            async with OperationLog(primary, BEN).record("index.rollback", "user", alone=True):
                raise AssertionError("both were let in")
        # Another subject is another matter.
        async with OperationLog(primary, BEN).record("index.rollback", "sound", alone=True):
            pass
    async with OperationLog(primary, BEN).record("index.rollback", "user", alone=True):
        pass
    log = OperationLog(primary, BEN)
    outcomes = [(one.actor, one.outcome) for one in await log.history(subject="user")]
    assert outcomes == [
        ("ben", Outcome.DONE),
        ("ben", Outcome.REFUSED),
        ("ana@desk", Outcome.DONE),
    ]


async def test_what_is_over_cannot_be_rewritten_or_deleted(primary: Pool) -> None:
    log = OperationLog(primary, ANA)
    async with log.record("index.retire", "sound") as entry:
        pass
    for statement in (
        "UPDATE disco.operations SET actor = 'nobody'",
        "DELETE FROM disco.operations",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="what the log says"):
            await primary.execute(f"{statement} WHERE id = $1", entry.id)
    assert (await log.find(entry.id)).actor == "ana@desk"


async def test_history_is_of_one_area_and_one_subject(primary: Pool) -> None:
    log = OperationLog(primary, ANA)
    for action, subject in [("rank.publish", "x"), ("index.promote", "x"), ("index.promote", "y")]:
        async with log.record(action, subject):
            pass
    assert [one.action for one in await log.history(subject="x")] == [
        "index.promote",
        "rank.publish",
    ]
    assert [one.action for one in await log.history(subject="x", area="rank")] == ["rank.publish"]
    assert len(await log.history(limit=2)) == 2
    with pytest.raises(UnknownOperationError, match="no operation 999999"):
        await log.find(999_999)


async def test_what_cannot_be_recorded_is_not_begun(settings: Settings) -> None:
    from core.database import open_pool  # noqa: PLC0415 - closed before it is used, on purpose

    async with open_pool(settings.database_url, application="disco tests") as pool:
        log = OperationLog(pool, ANA)
        pool.terminate()
        with pytest.raises(ServiceUnavailableError):
            async with log.record("index.promote", "sound"):
                raise AssertionError("it was begun")
