"""The gate: lets as many through at a time as a limit says, which may change meanwhile."""

import asyncio
from collections import deque
from collections.abc import Callable


class Gate:
    """A semaphore whose limit is asked for each time, first come, first served."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._waiters: deque[asyncio.Future[None]] = deque()
        self.inside = 0  # how many were let through and have not left

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits to be let through."""
        return bool(self._waiters)

    async def enter(self) -> None:
        """Wait for one's turn. Whoever was let through must `leave`."""
        if self.inside < self._limit() and not self._waiters:
            self.inside += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            else:
                self._waiters.remove(turn)
            raise

    def leave(self) -> None:
        """Make room for those who wait, as many as the limit allows by now."""
        self.inside -= 1
        while self._waiters and self.inside < self._limit():
            turn = self._waiters.popleft()
            if not turn.cancelled():
                self.inside += 1
                turn.set_result(None)
