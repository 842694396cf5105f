"""Labels: what entities are called, for people who look at ranks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from core.database import STATEMENT_ERRORS, UNAVAILABLE_ERRORS, open_pool
from core.definitions import Recipe
from core.errors import ServiceUnavailableError
from core.settings import Settings
from core.telemetry import logger

Key = tuple[str, int]  # entity type and id

log = logger("ranker")


async def labels(
    settings: Settings, recipes: Mapping[str, Recipe], keys: Iterable[Key]
) -> dict[Key, str]:
    """Titles, as documents have them; empty where the database does not answer.

    A name is a convenience: ranks can be looked at without a service.
    """
    by_type: defaultdict[str, list[int]] = defaultdict(list)
    for kind, one in keys:
        by_type[kind].append(one)
    found: dict[Key, str] = {}
    try:
        url = settings.replica_url or settings.database_url
        async with open_pool(url, application="disco rank", size=1) as pool:
            for kind, ids in by_type.items():
                if recipe := recipes.get(kind):
                    query = f"SELECT id, title FROM ({recipe.hydrate_by_ids()}) d"  # noqa: S608
                    found |= {(kind, row[0]): row[1] for row in await pool.fetch(query, ids)}
    except (ServiceUnavailableError, *UNAVAILABLE_ERRORS, *STATEMENT_ERRORS) as error:
        log.warning("labels_unknown", error=str(error))
    return found
