import pytest

from suggest.waiting import Waiting


def test_the_urgent_are_taken_first_and_each_once() -> None:
    waiting = Waiting()
    assert not waiting.woken.is_set()
    waiting.add([("sound", 1), ("sound", 2), ("sound", 1)], urgent=False)
    waiting.add([("sound", 3), ("sound", 2)], urgent=True)
    assert waiting.woken.is_set()
    assert list(waiting.take(1)) == [("sound", 3)]
    assert list(waiting.take(5)) == [("sound", 2), ("sound", 1)]
    assert not waiting.woken.is_set()
    assert len(waiting) == 0


def test_what_could_not_be_looked_at_waits_on() -> None:
    waiting = Waiting()
    waiting.add([("sound", 1), ("sound", 2)], urgent=False)
    taken = waiting.take(5)
    waiting.add([("sound", 1)], urgent=False)  # it changed meanwhile
    waiting.put_back(taken)
    assert waiting.take(5) == taken
    assert len(waiting) == 0


@pytest.mark.parametrize("first", [True, False])
def test_parents_wait_until_their_dependents_do(first: bool) -> None:
    waiting = Waiting()
    waiting.add_parents({("user", 1): first})
    waiting.add_parents({("user", 1): not first})
    assert waiting.parents(urgent=True) == [("user", 1)]
    assert waiting.parents(urgent=False) == []
    assert waiting.take(5) == {}
    assert waiting.woken.is_set()
    waiting.remove_parents([("user", 1)])
    assert not waiting.woken.is_set()
