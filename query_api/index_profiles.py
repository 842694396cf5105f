"""Profiles of indices: each index notes by which search profile it is searched.

It is the profile that it was built with, or that was applied to it since. So a search profile comes
and goes with its index: a promotion and its rollback exchange both in one step.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from core import telemetry
from core.definitions import Definition, DefinitionError
from query_api import profiles
from query_api.profiles import Profiles, SearchProfile

# Seconds that knowledge is used for: so soon a profile that was applied to an index is in use.
_LEASE: Final = 1.0
_FORGOTTEN: Final = 600.0  # seconds after which an index that nobody asks for is not remembered
_PATHS: Final = ("*.mappings._meta.profile", "*.mappings.properties")

_log = telemetry.logger("query_api")


@dataclass(frozen=True, kw_only=True)
class _Noted:
    """What an index notes."""

    raw: Any  # as the engine has it
    profile: SearchProfile | None  # None: there is none, or none that can be used
    read_at: float  # monotonic seconds


class IndexProfiles:
    """The profiles that indices note, as this process knows them."""

    def __init__(self, engine: AsyncElasticsearch, definitions: Mapping[str, Definition]) -> None:
        self._engine = engine
        self._definitions = definitions
        self._known: dict[str, _Noted] = {}  # by index
        self._turn = asyncio.Lock()

    async def of(self, indices: Mapping[str, str]) -> Profiles:
        """The profiles of indices, by entity type; one that notes none, or is gone, is not in it.

        Errors of the engine's client pass through, unless the indices were known a moment ago.
        """
        known = {entity: one for entity, one in indices.items() if entity in self._definitions}
        if self._stale(known):
            async with self._turn:
                if stale := self._stale(known):
                    await self._read(stale)
        found = {entity: self._known[index].profile for entity, index in known.items()}
        return {entity: profile for entity, profile in found.items() if profile is not None}

    def _stale(self, indices: Mapping[str, str]) -> Mapping[str, str]:
        """Those of the indices that have to be asked for."""
        since = time.monotonic() - _LEASE
        return {
            entity: index
            for entity, index in indices.items()
            if index not in self._known or self._known[index].read_at < since
        }

    async def _read(self, indices: Mapping[str, str]) -> None:
        now = time.monotonic()
        try:
            found = await self._engine.indices.get_mapping(
                index=[*indices.values()], ignore_unavailable=True, filter_path=_PATHS
            )
        except (ApiError, TransportError):
            if not self._known.keys() >= set(indices.values()):
                raise
            for index in indices.values():
                self._known[index] = replace(self._known[index], read_at=now)
            return
        for entity, index in indices.items():
            mappings = found.get(index, {}).get("mappings", {})
            if not mappings and index in self._known:  # it is gone, which its search finds out
                self._known[index] = replace(self._known[index], read_at=now)
                continue
            self._known[index] = self._noted(entity, index, mappings, now)
        self._known = {
            index: noted for index, noted in self._known.items() if noted.read_at > now - _FORGOTTEN
        }

    def _noted(self, entity: str, index: str, mappings: Mapping[str, Any], now: float) -> _Noted:
        raw = mappings.get("_meta", {}).get("profile")
        before = self._known.get(index)
        if before is not None and before.raw == raw:
            return replace(before, read_at=now)
        if not raw:
            return _Noted(raw=raw, profile=None, read_at=now)
        noted = replace(self._definitions[entity], profile=raw, mappings=mappings)
        try:
            profile: SearchProfile | None = profiles.read({entity: noted})[entity]
        except DefinitionError as error:
            _log.error("profile_refused", index=index, reason=str(error))
            profile = before.profile if before else None
        return _Noted(raw=raw, profile=profile, read_at=now)
