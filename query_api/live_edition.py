"""The live rank edition: which one the ranks of a search came from.

Answers do not wait for it: what is known is a few seconds old at most, and asked for beside.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from core import telemetry
from core.errors import DiscoError
from core.live_ranks import slots_by_index
from core.rank_bucket import open_rank_store
from core.rank_editions import Slot, Slots
from core.settings import Settings
from query_api.variants import Variant

_LEASE: Final = 5.0  # seconds
_FORCED: Final = {slot.field: slot for slot in Slot}

_log = telemetry.logger("query_api")


class LiveEdition:
    """The rank edition behind each index, as this process knows it."""

    def __init__(self, engine: AsyncElasticsearch, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._slots = Slots()
        self._by_index: Mapping[str, Slot] = {}
        self._read_at = float("-inf")  # monotonic seconds
        self._reading: asyncio.Task[None] | None = None

    def of(self, variant: Variant, indices: Mapping[str, str]) -> str | None:
        """The edition that a variant's searches of these indices use; None: none, or unknown."""
        if time.monotonic() - self._read_at >= _LEASE and self._reading is None:
            self._reading = asyncio.create_task(self._read())
        fields = {profile.rank.field for profile in variant.profiles.values() if profile.rank}
        forced = next((_FORCED[field] for field in sorted(fields) if field in _FORCED), None)
        live = next(
            (self._by_index[one] for one in indices.values() if one in self._by_index), None
        )
        slot = forced or live
        return self._slots.edition(slot) if fields and slot else None

    async def close(self) -> None:
        """Give up what is being asked."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        try:
            pattern = f"{self._settings.index_prefix}-*"
            self._by_index = await slots_by_index(self._engine, pattern)
            self._slots = await asyncio.to_thread(self._recorded)
        except (DiscoError, ApiError, TransportError, OSError) as error:
            _log.info("rank_edition_unknown", error=type(error).__name__)
        finally:
            self._read_at = time.monotonic()
            self._reading = None

    def _recorded(self) -> Slots:
        return open_rank_store(self._settings).slots()
