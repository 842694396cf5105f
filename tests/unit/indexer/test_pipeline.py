"""What the pipeline asks of its ports, in which order, and how it ends for each key.

That its result is right whatever happens around it is shown by `tests/simulation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from indexer.changes import Answer, Change, Key, Outcome, Row, Stored, Write
from indexer.errors import DependentsUnknownError, TemporarilyUnavailableError
from indexer.pipeline import SETTLE_ROUNDS, Hydration, Pipeline

NOW = 1_000
TOLERANCE = 10
SOUND, USER = ("sound", 1), ("user", 2)
INDEXED = Answer(Outcome.INDEXED, "", 0)
DELETED = Answer(Outcome.DELETED, "", 0)
CONFLICT = Answer(Outcome.CONFLICT, "newer", 2_000)
REJECTED = Answer(Outcome.REJECTED, "no such field", 0)
UNAVAILABLE = Answer(Outcome.UNAVAILABLE, "429", 0)


@dataclass
class Ports:
    """All three ports: they answer from scripts, and note what they were asked."""

    rows: dict[Key, Row] = field(default_factory=dict)
    failures: dict[Key, str] = field(default_factory=dict)
    answers: list[list[Answer]] = field(default_factory=list)  # of each write
    stored: dict[Key, list[Stored]] = field(default_factory=dict)
    unknown: dict[Key, str] = field(default_factory=dict)  # dependents that cannot be found
    asked: list[str] = field(default_factory=list)
    written: list[list[Write]] = field(default_factory=list)
    announced: list[Write] = field(default_factory=list)
    told: list[tuple[Key, int]] = field(default_factory=list)

    async def hydrate(self, keys: Sequence[Key]) -> Hydration:
        self.asked.append("hydrate")
        failures = {key: why for key, why in self.failures.items() if key in keys}
        return Hydration(NOW, {k: self.rows[k] for k in keys if k in self.rows}, failures)

    async def write(self, writes: Sequence[Write]) -> list[Answer]:
        self.asked.append("write")
        self.written.append(list(writes))
        return self.answers.pop(0) if self.answers else [INDEXED for _ in writes]

    async def read(self, keys: Sequence[Key]) -> dict[Key, list[Stored]]:
        self.asked.append("read")
        return {key: self.stored[key] for key in keys}

    async def publish(self, keys: Sequence[Key], now: int) -> None:
        self.asked.append("publish")
        self.told += [(key, now) for key in keys]
        if self.unknown:
            raise DependentsUnknownError(self.unknown)

    async def announce(self, writes: Sequence[Write]) -> None:
        self.asked.append("announce")
        self.announced += writes


@pytest.fixture
def ports() -> Ports:
    return Ports()


@pytest.fixture
def pipeline(ports: Ports) -> Pipeline:
    return Pipeline(hydrator=ports, store=ports, cascade=ports, clock_tolerance=TOLERANCE)


def row(updated_at: int, digest: int = 1) -> Row:
    return Row(updated_at, b"{}", digest)


def change(key: Key, version: int, *, cascades: bool = False) -> Change:
    return Change(key, version, cascades)


async def test_an_own_write_needs_no_second_look(ports: Ports, pipeline: Pipeline) -> None:
    ports.rows = {SOUND: row(500)}
    results = await pipeline.process([change(SOUND, 500)])
    assert ports.asked == ["hydrate", "write"]
    assert results.outcomes == {SOUND: Outcome.INDEXED}
    assert results.now == NOW


async def test_dependents_are_told_after_the_write(ports: Ports, pipeline: Pipeline) -> None:
    ports.rows = {USER: row(500), SOUND: row(400)}
    await pipeline.process([change(USER, 500, cascades=True), change(SOUND, 400)])
    assert ports.asked == ["hydrate", "write", "publish"]
    assert ports.told == [(USER, NOW)]


async def test_a_doubtful_write_is_read_back_before_it_is_hydrated_again(
    ports: Ports, pipeline: Pipeline
) -> None:
    ports.rows, ports.stored = {SOUND: row(500)}, {SOUND: [Stored(600, 1)]}
    results = await pipeline.process([change(SOUND, 600)])
    assert ports.asked == ["hydrate", "write", "read", "hydrate"]
    assert results.resettled == 0


async def test_a_settlement_is_announced_before_it_is_written(
    ports: Ports, pipeline: Pipeline
) -> None:
    ports.rows, ports.stored = {SOUND: row(500)}, {SOUND: [Stored(2_000, 7)]}
    ports.answers = [[CONFLICT], [CONFLICT]]

    async def agree(writes: Sequence[Write]) -> None:
        ports.asked.append("announce")
        ports.announced += writes
        ports.stored = {SOUND: [Stored(2_002, 1)]}

    ports.announce = agree  # type: ignore[method-assign]
    results = await pipeline.process([change(SOUND, 500)])
    assert ports.asked == [
        *("hydrate", "write", "read", "hydrate", "announce"),
        *("write", "read", "hydrate"),
    ]
    assert ports.announced == ports.written[1] == [Write(SOUND, 2_001, row(500))]
    assert results.resettled == 1
    assert results.outcomes == {SOUND: Outcome.CONFLICT}


async def test_what_never_agrees_is_tried_again_later(ports: Ports, pipeline: Pipeline) -> None:
    ports.rows, ports.stored = {SOUND: row(500)}, {SOUND: [Stored(600, 7)]}
    results = await pipeline.process([change(SOUND, 600)])
    assert results.again == {SOUND}
    assert len(ports.written) == SETTLE_ROUNDS


async def test_only_what_is_in_doubt_is_settled(ports: Ports, pipeline: Pipeline) -> None:
    ports.rows = {SOUND: row(500), USER: row(500)}
    ports.stored = {USER: [Stored(700, 7)]}
    ports.answers = [[INDEXED, CONFLICT]]
    await pipeline.process([change(SOUND, 500), change(USER, 500)])
    assert {write.key for write in ports.announced} == {USER}


async def test_a_missing_row_is_deleted_and_read_back(ports: Ports, pipeline: Pipeline) -> None:
    ports.stored, ports.answers = {SOUND: [Stored(0, None)]}, [[DELETED]]
    results = await pipeline.process([change(SOUND, 600)])
    assert ports.written == [[Write(SOUND, 600, None)]]
    assert ports.asked == ["hydrate", "write", "read", "hydrate"]
    assert results.outcomes == {SOUND: Outcome.DELETED}


async def test_a_time_far_ahead_is_clamped_and_counted(ports: Ports, pipeline: Pipeline) -> None:
    ports.rows = {SOUND: row(500), USER: row(500)}
    ports.stored = {SOUND: [Stored(NOW, 1)], USER: [Stored(NOW + TOLERANCE, 1)]}
    results = await pipeline.process(
        [change(SOUND, NOW + TOLERANCE + 1), change(USER, NOW + TOLERANCE)]
    )
    assert [write.version for write in ports.written[0]] == [NOW, NOW + TOLERANCE]
    assert results.clamped == 1


async def test_what_cannot_be_hydrated_is_poison_and_the_rest_goes_on(
    ports: Ports, pipeline: Pipeline
) -> None:
    ports.rows, ports.failures = {SOUND: row(500)}, {USER: "division by zero"}
    results = await pipeline.process([change(USER, 500, cascades=True), change(SOUND, 500)])
    assert results.poison == {USER: "division by zero"}
    assert results.outcomes == {SOUND: Outcome.INDEXED}
    assert ports.told == []


async def test_what_the_engine_refuses_is_poison(ports: Ports, pipeline: Pipeline) -> None:
    ports.rows, ports.answers = {SOUND: row(500), USER: row(500)}, [[REJECTED, INDEXED]]
    results = await pipeline.process([change(SOUND, 500), change(USER, 500)])
    assert results.poison == {SOUND: "no such field"}
    assert results.outcomes == {USER: Outcome.INDEXED}


async def test_what_the_engine_has_no_room_for_is_tried_again(
    ports: Ports, pipeline: Pipeline
) -> None:
    ports.rows, ports.answers = {SOUND: row(500), USER: row(500)}, [[UNAVAILABLE, INDEXED]]
    results = await pipeline.process([change(SOUND, 500), change(USER, 500)])
    assert results.again == {SOUND}
    assert results.outcomes == {USER: Outcome.INDEXED}


async def test_unknown_dependents_are_poison_though_the_entity_was_written(
    ports: Ports, pipeline: Pipeline
) -> None:
    ports.rows, ports.unknown = {USER: row(500)}, {USER: "no such table"}
    results = await pipeline.process([change(USER, 500, cascades=True)])
    assert results.poison == {USER: "no such table"}
    assert ports.written == [[Write(USER, 500, row(500))]]


async def test_a_service_that_is_away_ends_the_attempt(ports: Ports, pipeline: Pipeline) -> None:
    async def be_away(writes: Sequence[Write]) -> list[Answer]:
        raise TemporarilyUnavailableError("Elasticsearch", "gone")

    ports.write = be_away  # type: ignore[method-assign]
    with pytest.raises(TemporarilyUnavailableError):
        await pipeline.process([change(USER, 500, cascades=True)])
    assert ports.told == []


async def test_what_no_generation_takes_has_its_outcome(ports: Ports, pipeline: Pipeline) -> None:
    ports.answers = [[Answer(Outcome.UNINDEXED, "", 0)]]
    results = await pipeline.process([change(SOUND, 500)])
    assert results.outcomes == {SOUND: Outcome.UNINDEXED}
    assert ports.asked == ["hydrate", "write"]
