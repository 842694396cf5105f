"""One index of the sound definition, and the engine that holds it, for the tests of a module."""

from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from core.definitions import Definition, load
from core.settings import Settings


@pytest.fixture(scope="module")
def sound() -> Definition:
    """The definition whose text fields the tests look into; all entity types share the analysis."""
    return load(Settings().definitions_path)["sound"]


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Elasticsearch]:
    with Elasticsearch(settings.engine_url) as client:
        yield client


@pytest.fixture(scope="module")
def index(engine: Elasticsearch, settings: Settings, sound: Definition) -> str:
    """The name of an empty, live index; it goes away with the module's place."""
    name = f"{settings.index_prefix}-sound-{sound.hash}-20260101000000000000"
    engine.indices.create(
        index=name,
        settings={"number_of_replicas": 0, "analysis": dict(sound.analysis)},
        mappings=dict(sound.mappings),
        aliases={f"{settings.index_prefix}-sound": {}},
    )
    return name
