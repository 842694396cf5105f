"""Assembly: what answers searches, put together from settings; for the server, and for others."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from elasticsearch import AsyncElasticsearch

from core import definitions
from core.settings import Settings
from query_api.cursors import CursorSigner
from query_api.guarded_engine import create_guarded_engine
from query_api.index_profiles import IndexProfiles
from query_api.live_indices import LiveIndices
from query_api.profiles import Profiles
from query_api.query_ids import QueryIds
from query_api.search import Searcher
from query_api.search_log import SearchLog
from query_api.trials import FollowedTrials
from query_api.variant_indices import VariantIndices

# Seconds beyond the engine's own deadline, for its answer to arrive.
NETWORK_MARGIN: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """What searchers are made of. Whoever has it closes its engine."""

    engine: AsyncElasticsearch
    trials: FollowedTrials
    profiles: Profiles  # of the files; indices may note others
    query_ids: QueryIds
    signer: CursorSigner
    secret: bytes = field(repr=False)  # what cursors, sessions and query ids are signed by
    _indices: VariantIndices
    _deadline: float  # seconds that a search may take

    def searcher(self, log: SearchLog | None) -> Searcher:
        """One that notes searches in `log`; None: nowhere."""
        return Searcher(
            self.engine,
            self.trials,
            self._indices,
            deadline=self._deadline,
            signer=self.signer,
            query_ids=self.query_ids,
            log=log,
        )


def assemble(settings: Settings) -> Assembly:
    """Put it together. The engine is not asked yet.

    Raises `DefinitionError` when a search profile cannot be used, and `TrialsError` when the file
    of experiments cannot.
    """
    secret = _secret(settings)
    read = definitions.load(settings.definitions_path)
    trials = FollowedTrials(Path(settings.experiments) if settings.experiments else None, read)
    known = trials.current().live.profiles
    engine = create_guarded_engine(
        settings, request_seconds=settings.search_deadline + NETWORK_MARGIN
    )
    live = LiveIndices(engine, settings.index_prefix, known)
    return Assembly(
        engine=engine,
        trials=trials,
        profiles=known,
        query_ids=QueryIds(secret),
        signer=CursorSigner(secret),
        secret=secret,
        _indices=VariantIndices(engine, settings, live, IndexProfiles(engine, read)),
        _deadline=settings.search_deadline,
    )


def _secret(settings: Settings) -> bytes:
    """What signs; a random one serves one process until it ends."""
    return settings.cursor_secret.encode() or secrets.token_bytes(32)
