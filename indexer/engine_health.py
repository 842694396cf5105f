"""The health of Elasticsearch: its version, its room, and a live index for each entity type."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from core.definitions import Definition
from core.engine import create_engine, is_unavailable
from core.settings import Settings, shown
from indexer.definition_changes import Remedy, changes_of
from indexer.disk_room import wanted_free
from indexer.errors import TemporarilyUnavailableError
from indexer.generation import Generation, changeable_settings
from indexer.generations import Generations
from indexer.health import Chart, Observation
from indexer.names import generation_pattern, live_alias

_MAJOR_VERSION = "9"
_REQUEST_SECONDS = 5.0
_REFUSED = (401, 403)


async def examine(settings: Settings, definitions: Mapping[str, Definition]) -> list[Observation]:
    """Observations of the engine; an alias is expected for each definition."""
    chart = Chart("Elasticsearch")
    engine = create_engine(settings, request_seconds=_REQUEST_SECONDS)
    try:
        await _note_version(chart, engine, settings)
        await _note_health(chart, engine)
        await _note_room(chart, engine)
        await _note_blocks(chart, engine, settings)
        await _note_aliases(chart, engine, settings, definitions)
    except (ApiError, TransportError, TemporarilyUnavailableError) as error:
        _note_failure(chart, settings, error)
    finally:
        await engine.close()
    return chart.observations


def _note_failure(chart: Chart, settings: Settings, error: Exception) -> None:
    if isinstance(error, ApiError) and error.meta.status in _REFUSED:
        chart.problem(
            "connection",
            f"{shown(settings.engine_url)} refuses us: {error}",
            "correct DISCO_ENGINE_USERNAME and DISCO_ENGINE_PASSWORD, or the user's role "
            "(docs/operations.md, “Permissions”)",
        )
    elif isinstance(error, ApiError) and not is_unavailable(error):
        chart.problem(
            "connection",
            f"{shown(settings.engine_url)} answers {error}",
            "is DISCO_ENGINE_URL the address of Elasticsearch?",
        )
    else:
        chart.unreachable(
            f"{shown(settings.engine_url)} does not answer ({error})",
            "start it (`disco stack up`) or set DISCO_ENGINE_URL",
        )


async def _note_version(chart: Chart, engine: AsyncElasticsearch, settings: Settings) -> None:
    number = str((await engine.info())["version"]["number"])
    what = f"{shown(settings.engine_url)}, version {number}"
    if number.partition(".")[0] == _MAJOR_VERSION:
        chart.ok("connection", what)
    else:
        chart.problem("connection", what, "use Elasticsearch 9")


async def _note_health(chart: Chart, engine: AsyncElasticsearch) -> None:
    health = await engine.cluster.health()
    status, nodes = health["status"], health["number_of_nodes"]
    what = f"{status}, {nodes} node{'s' if nodes > 1 else ''}"
    if unassigned := health["unassigned_shards"]:
        what += f", {unassigned} shards on none"
    remedy = "ask it why: GET /_cluster/allocation/explain"
    if status == "green":
        chart.ok("health", what)
    elif status == "yellow":
        chart.warning("health", what, f"{remedy}; one node holds no copies: DISCO_ENGINE_REPLICAS")
    else:
        chart.problem("health", f"{what}: part of the index is missing", remedy)


async def _note_room(chart: Chart, engine: AsyncElasticsearch) -> None:
    told = await engine.cluster.get_settings(
        include_defaults=True, filter_path=["*.cluster.routing.allocation.disk"]
    )
    disk: dict[str, Any] = {}
    for level in ("defaults", "persistent", "transient"):  # the later win
        found = told.get(level, {}).get("cluster", {}).get("routing", {}).get("allocation", {})
        _merge(disk, found.get("disk", {}))
    nodes = await engine.nodes.stats(
        metric="fs",
        filter_path=[
            "nodes.*.name",
            "nodes.*.fs.total.total_in_bytes",
            "nodes.*.fs.total.available_in_bytes",
        ],
    )
    for node in nodes["nodes"].values():
        if "fs" in node:
            _note_node(chart, node["name"], node["fs"]["total"], disk)


def _note_node(chart: Chart, name: str, room: Mapping[str, int], disk: Mapping[str, Any]) -> None:
    total, free = room["total_in_bytes"], room["available_in_bytes"]
    what = f"node {name} has {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
    if str(disk.get("threshold_enabled", "true")) == "false":
        chart.ok("disk", f"{what}; it watches no watermark")
    elif free <= wanted_free(total, disk["watermark"], "flood_stage"):
        chart.problem(
            "disk", f"{what}: too little to take writes", "free some, or add disk or nodes"
        )
    elif free <= wanted_free(total, disk["watermark"], "high"):
        chart.warning(
            "disk", f"{what}: it will soon take no writes", "free some, or add disk or nodes"
        )
    else:
        chart.ok("disk", what)


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Overlay the engine's nested settings."""
    for key, value in more.items():
        if isinstance(value, Mapping):
            _merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


async def _note_blocks(chart: Chart, engine: AsyncElasticsearch, settings: Settings) -> None:
    found = await engine.indices.get_settings(
        index=generation_pattern(settings.index_prefix), name="index.blocks.*", flat_settings=True
    )
    blocked: dict[str, list[str]] = defaultdict(list)
    for index, content in sorted(found.items()):
        for block, value in content["settings"].items():
            if str(value) == "true":
                blocked[block].append(index)
    for block, indices in sorted(blocked.items()):
        chart.problem(
            "blocks",
            f"{block} is set on {', '.join(indices[:3])}{' …' if len(indices) > 3 else ''}",
            "make room on the disk; docs/operations.md, “The engine takes no writes”",
        )
    if not blocked:
        chart.ok("blocks", "no index is blocked")


async def _note_aliases(
    chart: Chart,
    engine: AsyncElasticsearch,
    settings: Settings,
    definitions: Mapping[str, Definition],
) -> None:
    live: dict[str, list[Generation]] = defaultdict(list)
    for generation in await Generations(engine, settings).list():
        if generation.is_live:
            live[generation.name.entity].append(generation)
    for entity, definition in definitions.items():
        alias = live_alias(settings.index_prefix, entity)
        remedy = f"disco index reindex {entity}"
        if not live[entity]:
            chart.problem(alias, "no live index: nothing of this type is found", remedy)
        elif len(live[entity]) > 1:
            names = ", ".join(one.index for one in live[entity])
            chart.problem(alias, f"is the alias of more than one index: {names}", remedy)
        elif (changes := await _changes(engine, settings, live[entity][0], definition)) is not None:
            chart.warning(alias, *changes)
        else:
            chart.ok(alias, f"{await _count(engine, alias):,} documents")


async def _changes(
    engine: AsyncElasticsearch, settings: Settings, live: Generation, definition: Definition
) -> tuple[str, str] | None:
    """What is not as a generation was built, and what to do about it; None if all is."""
    found = (await engine.indices.get_settings(index=live.index))[live.index]["settings"]["index"]
    changes = changes_of(live, definition, found=found, wanted=changeable_settings(settings))
    if changes.remedy is Remedy.NOTHING:
        return None
    parts = {
        "mapping, analysis of documents or SQL": changes.documents,
        "how queries are read": changes.queries,
        "search profile": changes.profile,
        ", ".join(changes.settings): bool(changes.settings),
    }
    what = "; ".join(part for part, has_changed in parts.items() if has_changed)
    command = "reindex" if changes.remedy is Remedy.REINDEX else "apply"
    entity = definition.entity
    return f"changed since it was built: {what}", f"disco index {command} {entity}"


async def _count(engine: AsyncElasticsearch, alias: str) -> int:
    return int((await engine.count(index=alias))["count"])
