"""The coalescer against a simple model of it."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from indexer.changes import Change, Key
from indexer.coalescer import Coalescer, Pending
from indexer.deliveries import Delivery

KEYS = st.tuples(st.sampled_from(["sound", "user"]), st.integers(1, 3))


@dataclass
class Model:
    """All events of one entity that wait together."""

    version: int = 0
    cascades: bool = False
    tags: list[int] = field(default_factory=list)


class CoalescerMachine(RuleBasedStateMachine):
    """Adds, takes and releases in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.coalescer = Coalescer()
        self.waiting: dict[Key, Model] = {}
        self.batches: list[dict[Key, Pending]] = []
        self.tag = 0

    @property
    def taken(self) -> set[Key]:
        return {key for batch in self.batches for key in batch}

    @rule(key=KEYS, version=st.integers(1, 9), cascades=st.booleans())
    def add(self, key: Key, version: int, cascades: bool) -> None:
        self.tag += 1
        delivery = Delivery(self.tag, "", b"")
        self.coalescer.add(key, delivery, version=version, cascades=cascades, now=float(self.tag))
        model = self.waiting.setdefault(key, Model())
        model.version = max(model.version, version)
        model.cascades |= cascades
        model.tags.append(self.tag)

    @rule(size=st.integers(1, 4))
    def take(self, size: int) -> None:
        expected = [key for key in self.waiting if key not in self.taken][:size]
        batch = self.coalescer.take(size)
        assert list(batch) == expected
        for key, pending in batch.items():
            model = self.waiting.pop(key)
            assert pending.change(key) == Change(key, model.version, model.cascades)
            assert [one.tag for one in pending.deliveries] == model.tags
            assert pending.arrived == model.tags[0]
        self.batches.append(batch)

    @precondition(lambda self: self.batches)
    @rule(number=st.integers(0, 9))
    def release(self, number: int) -> None:
        self.coalescer.release(self.batches.pop(number % len(self.batches)))

    @rule(size=st.integers(1, 6), linger=st.integers(0, 5), later=st.integers(0, 9))
    def ask(self, size: int, linger: int, later: int) -> None:
        now = self.tag + later
        wait = self.coalescer.ready(size, linger, now)
        available = [model for key, model in self.waiting.items() if key not in self.taken]
        if not available:
            assert wait is None
        elif len(self.waiting) >= size:
            assert wait == 0
        else:
            assert wait == max(0, available[0].tags[0] + linger - now)

    @invariant()
    def counts_what_it_holds(self) -> None:
        assert len(self.coalescer) == len(self.waiting) + len(self.taken)
        assert self.coalescer.is_waiting == bool(self.waiting)


TestCoalescer = CoalescerMachine.TestCase


@given(st.lists(st.tuples(KEYS, st.integers(1, 9)), max_size=30))
def test_no_delivery_is_lost_or_doubled(events: list[tuple[Key, int]]) -> None:
    coalescer = Coalescer()
    for tag, (key, version) in enumerate(events):
        coalescer.add(key, Delivery(tag, "", b""), version=version, cascades=False, now=0.0)
    batches = []
    while coalescer.is_waiting:
        batches.append(coalescer.take(2))
    tags = [
        one.tag for batch in batches for pending in batch.values() for one in pending.deliveries
    ]
    assert sorted(tags) == list(range(len(events)))
