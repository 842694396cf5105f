"""Generations that there are not, for tests of what is decided about them."""

from datetime import UTC, datetime, timedelta

from core.definitions import Recipe
from indexer.generation import Generation, State
from indexer.names import GenerationName

START = datetime(2026, 1, 1, tzinfo=UTC)


def generation(
    number: int, state: State, *, promoted_at: int | None = None, entity: str = "sound"
) -> Generation:
    name = GenerationName(
        prefix="disco",
        entity=entity,
        definition=f"{number:08x}",
        created_at=START + timedelta(seconds=number),
    )
    recipe = Recipe(
        entity=entity,
        source_table=f"{entity}s",
        hydrate_sql="SELECT 1",
        dependents_sql=None,
        hash=name.definition,
    )
    return Generation(
        name=name, index=name.build(), recipe=recipe, state=state, promoted_at=promoted_at
    )
