"""A generation that a gate refuses does not go live, unless somebody says why it shall."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.settings import Settings
from indexer import operations
from indexer.gates import GateFailedError
from indexer.generation import Generation, State
from indexer.services import Services
from tests.integration.gates.conftest import built, open_gates
from tests.integration.gates.planted import Planted, sql
from tests.integration.indexer.command_line import disco

HALF = Planted(
    name="half the rows",
    entity="sound",
    edits=(sql("sound", "(s.id) AND", "(s.id) AND s.id % 2 = 0 AND"),),
)


@pytest.fixture
async def services(catalogue: Settings, tmp_path: Path) -> AsyncIterator[Services]:
    """Services with a definition of sounds that finds half of them."""
    async with open_gates(catalogue, HALF.plant(tmp_path)) as opened:
        yield opened


@pytest.fixture
async def half(services: Services) -> AsyncIterator[Generation]:
    """A generation of half the sounds that no gate has seen; what was live is live afterwards."""
    live = await services.generations.live("sound")
    generation = await built(services, "sound")
    yield generation
    if (now := await services.generations.live("sound")).index != live.index:
        await services.generations.promote(live, before=now)
    await services.generations.delete(generation)


async def _state(services: Services, index: str) -> State:
    return (await services.generations.named(index)).state


async def test_it_is_refused_and_what_is_live_stays_live(
    services: Services, half: Generation
) -> None:
    live = await services.generations.live("sound")
    with pytest.raises(GateFailedError, match="population"):
        await operations.promote(services, half.index)
    assert (await services.generations.live("sound")).index == live.index
    assert await _state(services, half.index) is State.FAILED
    last = (await operations.history(services.settings, subject="sound"))[0]
    assert (last.action, last.outcome) == ("index.promote", "refused")


async def test_the_gates_are_kept_with_the_generation(services: Services, half: Generation) -> None:
    examination = await operations.examine(services, half.index)
    kept = (await services.generations.named(half.index)).gates
    assert kept is not None
    assert kept["holds"] is False
    assert [one["gate"] for one in kept["rulings"]] == [
        str(one.gate) for one in examination.rulings
    ]
    assert kept["baseline"] == (await services.generations.live("sound")).index


async def test_with_a_reason_it_goes_live_and_the_reason_is_recorded(
    services: Services, half: Generation
) -> None:
    await operations.promote(services, half.index, override="the other half was sold")
    assert await _state(services, half.index) is State.LIVE
    kept = (await services.generations.named(half.index)).gates
    assert kept is not None
    assert kept["override"] == "the other half was sold"
    last = (await operations.history(services.settings, subject="sound"))[0]
    assert (last.action, last.override_reason) == ("index.promote", "the other half was sold")
    await operations.rollback(services, "sound")
    assert await _state(services, half.index) is State.STANDBY


async def test_by_command(services: Services, half: Generation) -> None:
    settings = services.settings
    asked = await disco(settings, "index", "gates", half.index, "--json")
    assert asked.code == 1, asked.err
    said: dict[str, Any] = orjson.loads(asked.out)
    last = await disco(settings, "index", "gates", half.index, "--last", "--json")
    assert (last.code, orjson.loads(last.out)) == (1, said)
    fails = {one["gate"] for one in said["rulings"] if one["outcome"] == "fails"}
    assert "population" in fails
    refused = await disco(settings, "index", "promote", half.index)
    assert refused.code == 1
    assert "did not pass its gates" in refused.err
    planned = await disco(
        settings, "index", "promote", half.index, "--override", "known", "--dry-run", "--json"
    )
    assert orjson.loads(planned.out)["after"]["index"] == half.index
    assert await _state(services, half.index) is State.FAILED


async def test_a_diff_tells_which_hits_left(
    services: Services, half: Generation, tmp_path: Path
) -> None:
    live = await services.generations.live("sound")
    row = await services.databases.primary.fetchrow(
        "SELECT s.id, s.title FROM sounds s JOIN users u ON u.id = s.user_id WHERE s.id % 2 = 1 "
        "AND s.visibility = 'public' AND s.deleted_at IS NULL AND u.visibility = 'public' "
        "AND u.deleted_at IS NULL ORDER BY s.id LIMIT 1"
    )
    assert row is not None
    queries = tmp_path / "queries.txt"
    queries.write_text(f"{row['title']}\n")
    done = await disco(
        services.settings,
        *("index", "diff", live.index, half.index, "--queries", str(queries), "--json"),
    )
    assert done.code == 0, done.err
    said = orjson.loads(done.out)
    [query] = said["queries"]
    assert {"id": str(row["id"]), "title": row["title"], "before": 1} in query["left"]
    assert query["overlap"] < 1
    assert said["changed"] == 1


async def test_a_diff_of_what_is_equal_and_one_of_different_types(services: Services) -> None:
    live = await services.generations.live("sound")
    same = [one async for one in operations.diff(services, live.index, live.index)]
    assert len(same) > 10
    assert all(one.is_same and one.overlap == 1 for one in same)
    other = await services.generations.live("user")
    with pytest.raises(operations.UnlikeGenerationsError, match="same type"):
        [one async for one in operations.diff(services, live.index, other.index)]


async def test_the_first_generation_has_nothing_to_be_held_against(
    services: Services, half: Generation
) -> None:
    live = await services.generations.live("sound")
    engine = services.engine
    alias = f"{services.settings.index_prefix}-sound"
    await engine.indices.delete_alias(index=live.index, name=alias)
    try:
        examination = await operations.examine(services, half.index)
    finally:
        await engine.indices.put_alias(index=live.index, name=alias)
    outcomes = {str(one.gate): str(one.outcome) for one in examination.rulings}
    assert outcomes == {
        "parity": "holds",
        "population": "skipped",
        "coverage": "skipped",
        "contents": "skipped",
        "privacy": "holds",
        "profile": "holds",
        "known_items": "holds",
        "judgments": "skipped",
        "latency": "holds",
    }


async def test_judged_queries_are_measured_with_what_nobody_has_judged(
    services: Services, half: Generation
) -> None:
    rows = await services.databases.primary.fetch(
        "SELECT s.id, s.title FROM sounds s JOIN users u ON u.id = s.user_id "
        "WHERE s.visibility = 'public' AND s.deleted_at IS NULL AND u.visibility = 'public' "
        "AND u.deleted_at IS NULL ORDER BY s.id LIMIT 40"
    )
    lines = [orjson.dumps({"query": row["title"], "grades": {str(row["id"]): 2}}) for row in rows]
    file = services.settings.definitions_path / "sound.judgments.jsonl"
    file.write_bytes(b"\n".join(lines))
    examination = await operations.examine(services, half.index)
    [ruling] = [one for one in examination.rulings if one.gate == "judgments"]
    assert ruling.outcome == "fails", ruling
    assert ruling.figures["difference_high"] < 0
    assert 0 <= ruling.figures["unjudged"] <= 1
    assert ruling.figures["low"] <= ruling.figures["value"] <= ruling.figures["high"]


async def test_a_build_that_a_gate_refuses_ends_as_failed_and_the_next_one_replaces_it(
    services: Services,
) -> None:
    live = await services.generations.live("sound")
    failed = []
    for _ in range(2):
        done = await disco(services.settings, "index", "reindex", "sound")
        assert done.code == 1, done
        assert "did not pass its gates (population: " in done.err
        states = {
            one.index: one.state
            for one in await services.generations.list()
            if one.name.entity == "sound"
        }
        assert states.pop(live.index) is State.LIVE
        [(index, state)] = states.items()
        assert state is State.FAILED
        failed.append(index)
    assert failed[0] != failed[1]
    await operations.retire(services, failed[1])
