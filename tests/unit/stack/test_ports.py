import socket

import pytest

from stack import ports
from stack.errors import StackError
from stack.loopback import LOOPBACK


def test_a_port_that_is_listened_on_is_not_free() -> None:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        port = server.getsockname()[1]
        assert not ports.is_free(port)
    assert ports.is_free(port)


def test_the_choice_is_free_and_below_the_kernels_range() -> None:
    port = ports.choose(seed="x")
    assert ports.is_free(port)
    assert ports.FIRST <= port <= ports.LAST < 32_768


def test_the_same_seed_gives_the_same_port() -> None:
    def always(_: int) -> bool:
        return True

    first = ports.choose(seed="one", free=always)
    assert ports.choose(seed="one", free=always) == first
    assert ports.choose(seed="other", free=always) != first
    assert ports.choose(seed="one", avoid={first}, free=always) != first


def test_taken_ports_are_passed_over() -> None:
    wanted = ports.FIRST + 7
    assert ports.choose(seed="x", free=lambda port: port == wanted) == wanted


def test_no_port_at_all_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(StackError, match=r"no free port between 20000 and 31999.*stop"):
        ports.choose(seed="x", free=lambda _: False)
