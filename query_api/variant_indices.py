"""The indices that a variant is answered by at this moment, and the profiles that go with them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from elasticsearch import AsyncElasticsearch

from core import telemetry
from core.definitions import DefinitionError
from core.settings import Settings
from indexer import operations
from indexer.operations import Generation
from query_api.index_profiles import IndexProfiles
from query_api.live_indices import LiveIndices
from query_api.problems import Code, QueryError
from query_api.profiles import Profiles
from query_api.variants import Variant

_LEASE: Final = 1.0  # seconds that knowledge of all generations is used for
_STATES: Final = frozenset({"ready", "standby"})
_MOST_MADE: Final = 100

_log = telemetry.logger("query_api")


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A variant on its indices."""

    variant: Variant  # as it searches them
    indices: Mapping[str, str]  # by entity type; a type without one is not in it

    @property
    def profiles(self) -> Profiles:
        """How these indices are searched."""
        return self.variant.profiles


class VariantIndices:
    """Finds the indices of variants. Errors of the engine's client pass through."""

    def __init__(
        self,
        engine: AsyncElasticsearch,
        settings: Settings,
        live: LiveIndices,
        noted: IndexProfiles,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._live = live
        self._noted = noted
        self._known: Sequence[Generation] = ()
        self._read_at = float("-inf")  # monotonic seconds
        # By identity; both are kept beside, so that none of these is given to another one.
        self._made: dict[tuple[int, ...], tuple[Variant, Profiles, Variant]] = {}

    async def place(self, variant: Variant, *, fresh: bool = False) -> Placed:
        """A variant on the indices that it means now.

        Raises `QueryError` when there is no such index as the variant names. `fresh`: asked of the
        engine after the call, rather than known from a moment ago.
        """
        return await self.on(variant, await self._indices(variant, fresh=fresh))

    async def on(self, variant: Variant, indices: Mapping[str, str]) -> Placed:
        """A variant on these indices."""
        noted = await self._noted.of(indices)
        key = (id(variant), *(id(noted[entity]) for entity in sorted(noted)))
        if key not in self._made:
            if len(self._made) >= _MOST_MADE:
                self._made.clear()
            self._made[key] = (variant, noted, _searching(variant, noted))
        return Placed(variant=self._made[key][2], indices=indices)

    async def _indices(self, variant: Variant, *, fresh: bool) -> Mapping[str, str]:
        live = await (self._live.fresh() if fresh else self._live.current())
        if not variant.generations:
            return live
        known = await self._generations(fresh=fresh)
        chosen = {
            entity: _choose(variant, entity, wanted, known)
            for entity, wanted in variant.generations.items()
        }
        return {**live, **chosen}

    async def _generations(self, *, fresh: bool) -> Sequence[Generation]:
        now = time.monotonic()
        if fresh or now - self._read_at >= _LEASE:
            self._known = await operations.known_generations(self._engine, self._settings)
            self._read_at = now
        return self._known


def _searching(variant: Variant, noted: Profiles) -> Variant:
    """The variant as it searches indices that note these profiles."""
    try:
        return variant.on(noted)
    except DefinitionError as error:
        # Types that are searched together, of which one was promoted and another was not yet.
        _log.error("profiles_disagree", variant=variant.name, reason=str(error))
        return variant


def _choose(variant: Variant, entity: str, wanted: str, known: Sequence[Generation]) -> str:
    """The newest index of that state, or the one of that name."""
    fitting = [
        one
        for one in known
        if one.name.entity == entity and wanted == (one.state if wanted in _STATES else one.index)
    ]
    if not fitting:
        what = f"{wanted} index" if wanted in _STATES else f"index {wanted}"
        raise QueryError(
            Code.VARIANT_UNAVAILABLE,
            f"The variant '{variant.name}' is made for the {what} of {entity}, and there is none "
            "(any more). `disco index list` shows those there are.",
            parameter="variant",
        )
    return max(fitting, key=lambda one: (one.promoted_at or 0, one.name.created_at)).index
