"""Routes: every generation gets documents made by its own recipe."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.definitions import Recipe
from indexer.generation import Generation, State
from indexer.names import GenerationName
from indexer.routes import plan_routes

ENTITIES = ("sound", "user")
START = datetime(2026, 1, 1, tzinfo=UTC)


def recipe(entity: str, number: int) -> Recipe:
    return Recipe(
        entity=entity,
        source_table=f"{entity}s",
        hydrate_sql=f"SELECT {number}",
        dependents_sql=None,
        hash=f"{number:08x}",
    )


def generation(number: int, entity: str, definition: int, is_live: bool) -> Generation:
    one = recipe(entity, definition)
    name = GenerationName(
        prefix="disco",
        entity=entity,
        definition=one.hash,
        created_at=START + timedelta(seconds=number),
    )
    state = State.LIVE if is_live else State.READY
    return Generation(name=name, index=name.build(), recipe=one, state=state)


@st.composite
def installations(draw: st.DrawFn) -> list[Generation]:
    """A few generations of each type, at most one of them live."""
    found: list[Generation] = []
    for entity in ENTITIES:
        definitions = draw(st.lists(st.integers(1, 3), max_size=4))
        live = draw(st.integers(0, 4))
        found += [
            generation(len(found) + n, entity, one, n == live) for n, one in enumerate(definitions)
        ]
    return found


DEFINITIONS = {entity: recipe(entity, 3) for entity in (*ENTITIES, "set")}


@given(installations())
def test_every_generation_is_on_exactly_one_route(generations: list[Generation]) -> None:
    routes = plan_routes(generations, DEFINITIONS)
    reached = [index for route in routes for indices in route.indices.values() for index in indices]
    assert sorted(reached) == sorted(one.index for one in generations)


@given(installations())
def test_a_generation_gets_documents_of_its_own_recipe(generations: list[Generation]) -> None:
    by_index = {one.index: one for one in generations}
    for route in plan_routes(generations, DEFINITIONS):
        for entity, indices in route.indices.items():
            assert {by_index[index].recipe for index in indices} == {route.recipes[entity]}


@given(installations())
def test_what_is_live_is_on_the_first_route(generations: list[Generation]) -> None:
    first = plan_routes(generations, DEFINITIONS)[0]
    for one in generations:
        if one.is_live:
            assert one.index in first.indices[one.recipe.entity]


@given(installations())
def test_there_are_no_more_routes_than_recipes(generations: list[Generation]) -> None:
    most = max(len({g.recipe for g in generations if g.recipe.entity == e}) for e in ENTITIES)
    assert len(plan_routes(generations, DEFINITIONS)) == max(1, most)


@given(installations())
def test_a_type_without_a_generation_is_known_by_its_definition(
    generations: list[Generation],
) -> None:
    first = plan_routes(generations, DEFINITIONS)[0]
    assert first.recipes.keys() == DEFINITIONS.keys()
    for entity in DEFINITIONS.keys() - {one.recipe.entity for one in generations}:
        assert first.recipes[entity] == DEFINITIONS[entity]
        assert entity not in first.indices
