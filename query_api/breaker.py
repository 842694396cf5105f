"""The circuit breaker: a service that does not answer is left alone for a moment.

Without it, each request would find out by itself that a service is away, and wait for that.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from core.errors import ServiceUnavailableError
from core.telemetry import logger
from query_api.metrics import BREAKER_OPEN, BREAKER_REFUSALS

FAILURES: Final = 5  # calls in a row without an answer that open it
REST: Final = 1.0  # seconds that it then stays open before one call may try again

_log = logger("query_api")


class BreakerOpenError(ServiceUnavailableError):
    """A service did not answer the last calls, and is not called right now. Try again."""


class Breaker:
    """Watches the calls of one service. Not for threads."""

    def __init__(
        self,
        service: str,
        failures: tuple[type[Exception], ...],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`failures` are the errors that say that there was no answer; others are one."""
        self._service = service
        self._failures = failures
        self._clock = clock
        self._in_a_row = 0
        self._opened_at: float | None = None  # None: closed
        self._is_trying = False
        BREAKER_OPEN.labels(service).set(0)

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, but for the one that tries."""
        return self._opened_at is not None

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around one call of the service; raises `BreakerOpenError` instead of making it."""
        tries = self._admit()
        try:
            yield
        except self._failures:
            self._note_failure()
            raise
        except Exception:  # the service has answered, if not as hoped for
            self._note_answer()
            raise
        else:
            self._note_answer()
        finally:
            if tries:  # also when it was cancelled, which says nothing
                self._is_trying = False

    def _admit(self) -> bool:
        """Let a call pass; whether it is the one that tries."""
        if self._opened_at is None:
            return False
        if self._is_trying or self._clock() - self._opened_at < REST:
            BREAKER_REFUSALS.labels(self._service).inc()
            raise BreakerOpenError(f"{self._service} did not answer the last calls; try again soon")
        self._is_trying = True
        return True

    def _note_failure(self) -> None:
        self._in_a_row += 1
        if self._opened_at is None and self._in_a_row >= FAILURES:
            _log.warning("breaker_opened", service=self._service)
            BREAKER_OPEN.labels(self._service).set(1)
        if self._in_a_row >= FAILURES:
            self._opened_at = self._clock()

    def _note_answer(self) -> None:
        if self._opened_at is not None:
            _log.info("breaker_closed", service=self._service)
            BREAKER_OPEN.labels(self._service).set(0)
        self._in_a_row, self._opened_at = 0, None
