"""What can go wrong in the indexer."""

from core.errors import DiscoError


class IndexerError(DiscoError):
    """Root of the indexer's errors."""


class TemporarilyUnavailableError(IndexerError):
    """A service did not take the work now. The work is kept, and tried again from its hydration."""

    exit_code = 3

    def __init__(self, service: str, detail: str) -> None:
        super().__init__(f"{service} is unavailable: {detail}")
        self.service = service


class NoGenerationError(IndexerError):
    """An entity type has no index yet. Build one with `disco index reindex ENTITY`."""
