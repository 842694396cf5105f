"""A definition changes: old and new generation stay right, whatever files a worker has."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from core.settings import Settings
from demo import writes
from indexer import operations
from tests.integration.indexer.scene import Scene, open_scene


def _copy_of_definitions(settings: Settings, folder: Path) -> Path:
    shutil.copytree(settings.definitions_path, folder)
    return folder


@pytest.fixture
def changed(indexed: Settings, tmp_path: Path) -> Settings:
    """The same place, with a definition of sounds that has one more field."""
    folder = _copy_of_definitions(indexed, tmp_path / "changed")
    mapping_file = folder / "sound.mapping.json"
    mapping = json.loads(mapping_file.read_text())
    mapping["properties"]["minutes"] = {"type": "integer"}
    mapping_file.write_text(json.dumps(mapping))
    sql_file = folder / "sound.hydrate.sql"
    sql = sql_file.read_text().replace("s.duration_ms,", "s.duration_ms, 3 AS minutes,")
    assert "minutes" in sql
    sql_file.write_text(sql)
    return dataclasses.replace(indexed, definitions=str(folder))


@pytest.fixture
def without_groups(indexed: Settings, tmp_path: Path) -> Settings:
    """The same place, seen by a process whose files know no groups."""
    folder = _copy_of_definitions(indexed, tmp_path / "without_groups")
    for file in folder.glob("group.*"):
        file.unlink()
    return dataclasses.replace(indexed, definitions=str(folder))


async def _differences(settings: Settings) -> tuple[int, list[str]]:
    """How many generations of sounds there are, and on what they differ from the database."""
    found = []
    async with operations.open_indexer(settings) as services:
        generations = await operations.generations_of(services, "sound", live_only=False)
        for generation in generations:
            async for verdict in operations.verify(services, "sound", generation=generation):
                found += [f"{generation.index}: {one}" for one in verdict.differences]
    return len(generations), found


@pytest.mark.parametrize("worker_has", ["old files", "new files"])
async def test_both_generations_follow_every_change(
    scene: Scene, changed: Settings, tmp_path: Path, worker_has: str
) -> None:
    [artist] = await scene.application.apply(writes.create_user("Ana"))
    [kept] = await scene.application.apply(writes.create_sound(artist.id, "Rain"))
    [gone] = await scene.application.apply(writes.create_sound(artist.id, "Hail"))
    async with open_scene(changed, tmp_path) as new:
        worker_scene = new if worker_has == "new files" else scene
        async with worker_scene.worker() as worker:
            await scene.shows("sound", kept.id, title="Rain")
            await new.index.build(["sound"])
            await scene.application.apply(writes.rename("sound", kept.id, "Snow"))
            await scene.application.apply(writes.delete("sound", gone.id))
            await scene.application.apply(writes.rename("user", artist.id, "Bea"))
            await scene.shows("sound", kept.id, title="Snow", subtitle="Bea", minutes=3)
            await scene.is_gone("sound", gone.id)
            await scene.is_drained(worker)
    assert await _differences(scene.settings) == (2, [])
    assert await scene.broker.dead() == 0


async def test_a_worker_learns_of_an_entity_type_from_its_generation(
    scene: Scene, without_groups: Settings, tmp_path: Path
) -> None:
    [owner] = await scene.application.apply(writes.create_user("Ana"))
    async with open_scene(without_groups, tmp_path) as ignorant, ignorant.worker() as worker:
        [group] = await scene.application.apply(writes.create_group(owner.id, "Rain lovers"))
        await scene.shows("group", group.id, title="Rain lovers")
        await scene.is_drained(worker)
    assert await scene.broker.dead() == 0
