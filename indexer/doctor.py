"""The doctor: looks at everything that the project needs to run, and says what ails it.

Nothing is changed, and nothing is waited for longer than a few seconds.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping

from core.definitions import Definition, DefinitionError, load
from core.settings import Settings
from indexer import broker_health, database_health, engine_health
from indexer.health import Chart, Observation


async def examine(settings: Settings, sources: Mapping[str, str]) -> list[Observation]:
    """All observations, service by service; `sources` says where each setting comes from."""
    configuration = Chart("configuration")
    _note_sources(configuration, sources)
    definitions = _definitions(configuration, settings)
    services = await asyncio.gather(
        database_health.examine(settings),
        broker_health.examine(settings),
        engine_health.examine(settings, definitions),
    )
    return [*configuration.observations, *(one for service in services for one in service)]


def _note_sources(chart: Chart, sources: Mapping[str, str]) -> None:
    counts = Counter("the environment" if s.isupper() else s for s in sources.values())
    defaults = counts.pop("default", 0)
    told = [f"{count} from {source}" for source, count in counts.items()]
    chart.ok("settings", ", ".join([*told, f"{defaults} by default"]))


def _definitions(chart: Chart, settings: Settings) -> dict[str, Definition]:
    try:
        definitions = load(settings.definitions_path)
    except DefinitionError as error:
        chart.problem("definitions", str(error), "mend the files: `disco index check`")
        return {}
    chart.ok("definitions", f"{', '.join(definitions)} in {settings.definitions_path}")
    return definitions
