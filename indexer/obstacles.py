"""Obstacles: what keeps a build from going on, as far as engine and broker tell."""

from elasticsearch import NotFoundError

from indexer.builds import Build
from indexer.errors import TemporarilyUnavailableError, engine_within_reach
from indexer.range_messages import consumers
from indexer.services import Services

_UNPLACED = "red"


async def obstacle_to(services: Services, build: Build) -> str:
    """What a build waits for, and what to do about it; empty: nothing that the engine knows of."""
    if not build.index or not build.is_under_way:
        return ""
    try:
        with engine_within_reach():
            return await _obstacle(services, build.index)
    except NotFoundError:
        return ""  # the index was deleted, and the build is about to notice
    except TemporarilyUnavailableError as error:
        return str(error)


async def unattended(services: Services, build: Build) -> str:
    """That nobody does the work of a build; empty: somebody does, or there is none to do."""
    if not build.is_under_way or build.is_paused or await consumers(services.settings) != 0:
        return ""
    return (
        "no worker takes it up: nobody consumes indexer.batch; start one (`disco work indexer`), "
        f"or have the command do it (`disco index reindex {build.entity} --resume`)"
    )


async def _obstacle(services: Services, index: str) -> str:
    engine = services.engine
    found = await engine.indices.get_settings(
        index=index, name="index.blocks.*", flat_settings=True
    )
    settings = found[index]["settings"] if found else {}
    if blocks := sorted(name for name, value in settings.items() if value == "true"):
        said = ", ".join(blocks)
        return (
            f"the engine takes no writes to it ({said}), as when its disk is full; make room, and "
            "it goes on by itself"
        )
    health = await engine.cluster.health(index=index, filter_path="status")
    if health["status"] == _UNPLACED:
        return "the engine has no place for it; see its disk, and `disco doctor`"
    return ""
