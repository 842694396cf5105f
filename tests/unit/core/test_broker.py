import aiormq.exceptions
import pytest

from core.broker import is_lost


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        aiormq.exceptions.ChannelInvalidStateError(),
        aiormq.exceptions.AMQPConnectionError(),
        Exception(),  # all that aiormq says of a call that was under way
    ],
    ids=repr,
)
def test_a_broker_that_is_gone(error: Exception) -> None:
    assert is_lost(error)


@pytest.mark.parametrize("error", [ValueError(), AssertionError(), KeyError("x")], ids=repr)
def test_a_defect_is_none_of_the_brokers(error: Exception) -> None:
    assert not is_lost(error)
