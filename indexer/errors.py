"""What can go wrong in the indexer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from elastic_transport import TransportError
from elasticsearch import ApiError

from core.engine import is_unavailable
from core.errors import DiscoError


class IndexerError(DiscoError):
    """Root of the indexer's errors."""


class TemporarilyUnavailableError(IndexerError):
    """A service did not take the work now. The work is kept, and tried again from its hydration."""

    exit_code = 3

    def __init__(self, service: str, detail: str) -> None:
        super().__init__(f"{service} is unavailable: {detail}")
        self.service = service


class UnfinishedError(IndexerError):
    """The engine is at the work still, by itself. Ask again later whether it is done."""


@contextmanager
def engine_within_reach() -> Iterator[None]:
    """What is within raises `TemporarilyUnavailableError` when the engine cannot take it now.

    Whatever else the engine's client raises passes through.
    """
    try:
        yield
    except (ApiError, TransportError) as error:
        if is_unavailable(error):
            raise TemporarilyUnavailableError("Elasticsearch", repr(error)[:300]) from error
        raise


class DependentsUnknownError(IndexerError):
    """The dependents SQL fails on some entities; `reasons` has the database's words for each.

    Their events are dead-lettered. Mend the rows or the definition, then replay them.
    """

    def __init__(self, reasons: Mapping[tuple[str, int], str]) -> None:
        super().__init__("; ".join(sorted(set(reasons.values()))))
        self.reasons = reasons


class UnreadableEntityError(IndexerError):
    """The SQL of a definition fails for every row; the message has PostgreSQL's words."""


class ScanRejectedError(IndexerError):
    """The engine refuses documents of this definition; the message has the first reason.

    Mend the mapping or the SQL, check them with `disco index check`, and build again.
    """


class NoGenerationError(IndexerError):
    """An entity type has no index yet. Build one with `disco index reindex ENTITY`."""


class ConcurrentPromotionError(IndexerError):
    """Somebody else changed which generation is live. Look at `disco index list`, and try again."""
