"""What verification finds: each difference once, by its kind, wherever it lies."""

import dataclasses
from pathlib import Path

import pytest

from core.settings import Settings
from demo import writes
from indexer import operations, verification
from indexer.errors import NoGenerationError
from tests.integration.indexer.altered_definitions import altered
from tests.integration.indexer.oracle import Verification, open_index
from tests.integration.indexer.scene import Scene, open_scene
from tests.integration.verify.planting import plant, users, write_ghosts

_FAR = (10**6, 10**12, 2**53 + 1, 2**62 + 1, 2**63 - 2)  # ids with nothing between them


async def _verify(scene: Scene, *, patience: float = 0) -> Verification:
    return await scene.index.verify(patience=patience)


async def _user_with_id(scene: Scene, user_id: int, name: str) -> None:
    await scene.index.services.databases.primary.execute(
        "insert into users (id, username, display_name) values ($1, $2, $3)",
        *(user_id, f"user-{user_id}", name),
    )


async def test_each_kind_is_found_and_what_agrees_is_not(scene: Scene) -> None:
    planted = await plant(scene)
    found = await _verify(scene)
    assert found.kinds() == {("user", one, kind) for one, kind in planted.kinds().items()}
    assert len(found.differences) == 3
    # Rows or documents, whichever are more: right, stale, ghost; right, stale, missing.
    assert found.compared == 3


async def test_what_is_hidden_must_have_no_document(scene: Scene) -> None:
    private, deleted = await users(scene, "Private", "Deleted")
    await scene.application.commit(
        writes.make_private("user", private), writes.delete("user", deleted)
    )
    assert (await _verify(scene)).kinds() == {
        ("user", private, "ghost"),
        ("user", deleted, "ghost"),
    }


async def test_a_document_that_somebody_altered_is_stale(scene: Scene) -> None:
    [user] = await users(scene, "Ana")
    stored = await scene.index.stored("user", user)
    assert stored is not None
    version = stored.pop("_version")
    await scene.index.write("user", user, version=version + 1, **(stored | {"digest": 1}))
    assert (await _verify(scene)).kinds() == {("user", user, "stale")}


async def test_a_document_without_a_digest_is_stale(scene: Scene) -> None:
    [user] = await users(scene, "Ana")
    stored = await scene.index.stored("user", user)
    assert stored is not None
    version = stored.pop("_version")
    del stored["digest"]
    await scene.index.write("user", user, version=version + 1, **stored)
    assert (await _verify(scene)).kinds() == {("user", user, "stale")}


async def test_ids_far_apart_are_compared(scene: Scene) -> None:
    for one in _FAR:
        await _user_with_id(scene, one, f"Far {one}")
    ghosts = [one - 1 for one in _FAR]
    await write_ghosts(scene, [0, *ghosts])
    found = await _verify(scene)
    assert found.kinds() == {
        *(("user", one, "missing") for one in _FAR),
        *(("user", one, "ghost") for one in (0, *ghosts)),
    }
    await scene.index.take(*(("user", one) for one in _FAR))
    found = await _verify(scene)
    assert found.kinds() == {("user", one, "ghost") for one in (0, *ghosts)}


async def test_differences_at_the_edges_of_windows_are_found_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await users(scene, *(f"User {number}" for number in range(30)))
    at = [ids[0], ids[9], ids[10], ids[11], ids[20], ids[29]]
    for one in at:
        await scene.application.commit(writes.rename("user", one, "Another"))
    monkeypatch.setattr(verification, "WINDOW_ROWS", 10)
    found = await _verify(scene)
    assert sorted(one.id for one in found.differences) == at
    assert found.compared == 30


@pytest.mark.parametrize("count", [verification.WINDOW_ROWS, 2 * verification.WINDOW_ROWS + 1])
async def test_more_ghosts_than_the_engine_gives_at_once_are_all_found(
    scene: Scene, count: int
) -> None:
    ghosts = range(1_000, 1_000 + count)
    await write_ghosts(scene, ghosts)
    found = await _verify(scene)
    assert found.compared == count
    assert [one.id for one in found.differences] == [*ghosts]
    assert {one.kind for one in found.differences} == {verification.Kind.GHOST}


async def test_an_empty_catalogue_agrees(scene: Scene) -> None:
    found = await _verify(scene)
    assert (found.compared, found.differences) == (0, [])


async def test_a_change_that_arrives_within_the_patience_is_no_difference(scene: Scene) -> None:
    [user] = await users(scene, "Ana")
    [change] = await scene.application.commit(writes.rename("user", user, "Bea"))
    async with operations.open_indexer(scene.settings) as services:
        verdicts = operations.verify(services, "user", patience=60)
        async with scene.worker() as worker:
            await scene.publish(change.event)
            found = [one async for verdict in verdicts for one in verdict.differences]
            assert found == []
            await scene.agrees(worker)


async def test_a_row_that_cannot_be_read_is_listed_once_whether_it_has_a_document_or_not(
    fresh_settings: Settings, tmp_path: Path
) -> None:
    definitions = altered(
        tmp_path,
        "sound.hydrate.sql",
        "s.duration_ms,",
        "s.duration_ms / (CASE WHEN s.title = 'Zero' THEN 0 ELSE 1 END) AS duration_ms,",
    )
    changed = dataclasses.replace(fresh_settings, definitions=definitions)
    async with open_scene(changed, tmp_path) as scene:
        await scene.index.build()
        [user] = await users(scene, "Ana")
        made = await scene.application.commit(
            *(writes.create_sound(user, f"Sound {number}") for number in range(5))
        )
        known, unknown, stale = made[0].id, made[2].id, made[4].id
        await scene.index.take(*(("sound", one.id) for one in made if one.id != unknown))
        await scene.application.commit(
            writes.rename("sound", known, "Zero"),
            writes.rename("sound", unknown, "Zero"),
            writes.rename("sound", stale, "Renamed"),
        )
        found = await _verify(scene)
        assert sorted((one.id, str(one.kind)) for one in found.differences) == [
            (known, "unreadable"),
            (unknown, "unreadable"),
            (stale, "stale"),
        ]


async def test_without_a_live_index_it_says_what_to_do(fresh_settings: Settings) -> None:
    async with open_index(fresh_settings) as index:
        with pytest.raises(NoGenerationError, match="disco index reindex user"):
            async for _ in operations.verify(index.services, "user"):
                pass
