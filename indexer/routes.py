"""Routes: every generation gets documents made by its own recipe."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.definitions import Recipe
from indexer.generation import Generation

# How old a worker's knowledge of the generations may be when it hydrates. Who builds a generation
# waits longer than this before it scans: whatever a worker wrote without knowing the generation was
# committed before the scan read it (ADR 0001).
LEASE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Route:
    """Generations that take the same documents: no entity type has two recipes in it.

    While a definition changes there are two routes, for its generations before and after.
    """

    recipes: Mapping[str, Recipe]  # by entity type
    indices: Mapping[str, Sequence[str]]  # index names by entity type; none: not indexed yet


def plan_routes(
    generations: Iterable[Generation], definitions: Mapping[str, Recipe]
) -> Sequence[Route]:
    """The routes to all generations; what is live is in the first, as far as anything is.

    An entity type without a generation is in the first route, too, with the recipe of its
    definition: what depends on it is found by that.
    """
    routes: list[dict[str, list[Generation]]] = [{}]
    for one in sorted(generations, key=lambda one: not one.is_live):
        entity, recipe = one.recipe.entity, one.recipe
        for route in routes:
            if entity not in route or route[entity][0].recipe == recipe:
                route.setdefault(entity, []).append(one)
                break
        else:
            routes.append({entity: [one]})
    unbuilt = {entity: recipe for entity, recipe in definitions.items() if entity not in routes[0]}
    return [_route(groups, unbuilt if groups is routes[0] else {}) for groups in routes]


def _route(groups: Mapping[str, Sequence[Generation]], unbuilt: Mapping[str, Recipe]) -> Route:
    return Route(
        recipes={entity: group[0].recipe for entity, group in groups.items()} | dict(unbuilt),
        indices={entity: [one.index for one in group] for entity, group in groups.items()},
    )
