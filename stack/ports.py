"""Free TCP ports on the loopback address, chosen once and kept."""

import random
import socket
from collections.abc import Callable, Collection, Iterator

from stack.errors import StackError
from stack.loopback import LOOPBACK

#: Below the range that the kernel gives to outgoing connections (32768 and up), so that none of
#: them sits on a service's port while the service is down.
FIRST, LAST = 20_000, 31_999


def is_free(port: int) -> bool:
    """Whether a service could listen on that port of the loopback address now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing is free to listen on.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose(*, seed: str, avoid: Collection[int] = (), free: Callable[[int], bool] = is_free) -> int:
    """A free port that is not one of `avoid`.

    Args:
        seed: The same seed tries the same ports in the same order, so that a stack tends to get
            the ports that it had before, and two stacks tend not to meet.
        avoid: Ports that are promised to others.
        free: Tells whether a port can be listened on.

    Raises:
        StackError: Every port of the range is taken.
    """
    for port in _candidates(seed):
        if port not in avoid and free(port):
            return port
    raise StackError(f"no free port between {FIRST} and {LAST} on {LOOPBACK}: stop what holds them")


def _candidates(seed: str) -> Iterator[int]:
    order = random.Random(seed)  # noqa: S311 (spreading, not secrecy)
    yield from order.sample(range(FIRST, LAST + 1), LAST + 1 - FIRST)
