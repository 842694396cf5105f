"""A model of the database: rows, transactions, one clock, and a replica that lags.

What it has of PostgreSQL is what the version rule rests on: a row is stamped when a statement
changes it, and seen when its transaction commits; locks order the transactions of one row; the
replica replays commits in their order, later.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from core.events import Action, Event
from indexer.changes import Key, Row

EPOCH = 1_600_000_000_000_000  # microseconds; the model's clock starts here
POISON = 9  # a title that the engine refuses
KEYS: tuple[Key, ...] = (("sound", 1), ("user", 1), ("sound", 2), ("user", 2))


class User(NamedTuple):
    """A row of `users`."""

    updated_at: int
    name: int
    public: bool


class Sound(NamedTuple):
    """A row of `sounds`; its document shows its user's name."""

    updated_at: int
    title: int
    public: bool
    user: int  # id


Record = User | Sound
State = Mapping[Key, Record]


class Statement(StrEnum):
    """What a statement does to a row. An absent row is created, whatever the statement."""

    CHANGE = "changes"
    HIDE = "hides or shows"
    DELETE = "deletes"
    MOVE = "moves"  # a sound to another user
    SPOIL = "spoils"  # the document will be refused


class Transaction:
    """Statements that will be seen together, or never."""

    def __init__(self, began: int) -> None:
        self.began = began  # in steps of the schedule
        self.rows: dict[Key, Record | None] = {}  # locked; None: deleted
        self.events: dict[Key, Event] = {}  # to be published after the commit


def document(state: State, key: Key) -> Row | None:
    """What the hydration SQL gives for a key in a state."""
    record = state.get(key)
    if record is None or not record.public:
        return None
    content: tuple[object, ...] = (*key, *record)
    if isinstance(record, Sound):
        user = state.get(("user", record.user))
        if not isinstance(user, User) or not user.public:
            return None
        content = (*content, user.name)
    return Row(record.updated_at, repr(content).encode(), hash(content))


def is_poison(state: State, key: Key) -> bool:
    """Whether the engine refuses the key's document."""
    record = state.get(key)
    return isinstance(record, Sound) and record.title == POISON


class Database:
    """The primary and its replica."""

    def __init__(self, rows: State) -> None:
        self.clock = EPOCH
        self.replayed = 0  # position of the replica
        self.transactions: list[Transaction] = []
        self._states: list[State] = [rows]  # after each commit; the index is the position

    @property
    def position(self) -> int:
        """The primary's write-ahead log position."""
        return len(self._states) - 1

    @property
    def primary(self) -> State:
        """What a query on the primary sees."""
        return self._states[-1]

    @property
    def replica(self) -> State:
        """What a query on the replica sees."""
        return self._states[self.replayed]

    def run(self, transaction: Transaction, key: Key, statement: Statement) -> bool:
        """Run a statement; false if it would have to wait for a lock, or breaks a foreign key."""
        seen = {**self.primary, **transaction.rows}
        old = seen.get(key)
        changed = _changed(seen, key, statement)
        if changed is None or any(self._is_locked(transaction, one) for one in changed):
            return False
        if not self._may_refer(transaction, changed):
            return False
        stamp = self.stamp(old)
        for one, record in changed.items():
            action = Action.DESTROY if record is None else Action.SAVE
            transaction.rows[one] = record and record._replace(updated_at=stamp)
            transaction.events[one] = Event(*one, action, stamp)
        return True

    def stamp(self, old: Record | None) -> int:
        """The time of a statement: its row's, strictly increasing, whatever the clock says."""
        self.clock += 1
        return self.clock if old is None else max(self.clock, old.updated_at + 1)

    def commit(self, transaction: Transaction) -> list[Event]:
        """Make a transaction seen; returns the events of what it did."""
        rows = {**self.primary, **transaction.rows}
        self._states.append({key: record for key, record in rows.items() if record is not None})
        self.transactions.remove(transaction)
        return list(transaction.events.values())

    def roll_back(self, transaction: Transaction) -> None:
        """Make a transaction as if it had never been."""
        self.transactions.remove(transaction)

    def _is_locked(self, transaction: Transaction, key: Key) -> bool:
        return any(key in one.rows for one in self.transactions if one is not transaction)

    def _may_refer(self, transaction: Transaction, changed: Mapping[Key, Record | None]) -> bool:
        """Whether no other transaction holds a row that must stay, or must not come."""
        others = [one.rows for one in self.transactions if one is not transaction]
        for key, record in changed.items():
            if isinstance(record, Sound):
                user = ("user", record.user)
                if any(user in rows and rows[user] is None for rows in others):
                    return False
            elif record is None and key[0] == "user":
                sounds = [one for rows in others for one in rows.values()]
                if any(isinstance(one, Sound) and one.user == key[1] for one in sounds):
                    return False
        return True


def _changed(  # noqa: PLR0911 - a line for each statement
    seen: Mapping[Key, Record | None], key: Key, statement: Statement
) -> dict[Key, Record | None] | None:
    """The rows that a statement changes, not stamped yet; None if it cannot be."""
    record = seen.get(key)
    users = [one for one, other in seen.items() if isinstance(other, User)]
    if record is None:
        return _created(key, users)
    if statement is Statement.DELETE:
        return dict.fromkeys([key, *_sounds_of(seen, key)])
    if statement is Statement.HIDE:
        return {key: record._replace(public=not record.public)}
    if isinstance(record, User):
        return {key: record._replace(name=1 - record.name)}
    if statement is Statement.MOVE:
        user = next((one for _, one in users if one != record.user), None)
        return None if user is None else {key: record._replace(user=user)}
    if statement is Statement.SPOIL:
        return {key: record._replace(title=POISON)}
    return {key: record._replace(title=0 if record.title == POISON else 1 - record.title)}


def _created(key: Key, users: list[Key]) -> dict[Key, Record | None] | None:
    if key[0] == "user":
        return {key: User(0, 0, public=True)}
    return {key: Sound(0, 0, public=True, user=users[0][1])} if users else None


def _sounds_of(seen: Mapping[Key, Record | None], key: Key) -> list[Key]:
    if key[0] != "user":
        return []
    return [o for o, record in seen.items() if isinstance(record, Sound) and record.user == key[1]]
