"""Waiting for a condition, with a deadline."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], *, within: float, every: float = 0.05) -> bool:
    """Ask until the answer is yes.

    Args:
        condition: The question.
        within: How many seconds to go on; it is asked at least once.
        every: Seconds between two askings.

    Returns:
        The last answer: False means that the deadline passed.
    """
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True
