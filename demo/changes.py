"""Changes: what a committed write did, and the events that tell of it."""

from dataclasses import dataclass

from core.events import Action, Event


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One committed change of an entity. Nothing has been published yet."""

    entity: str  # "user", "sound", "set" or "group"
    id: int
    action: Action  # create, save, destroy, or refresh after activity
    occurred_at: int  # µs since 1970, by the database's clock: the version of the document
    committed_at: int  # when the commit was confirmed: `time.monotonic_ns()` of this process
    consequences: tuple[Event, ...] = ()  # other entities that the same write changed

    @property
    def event(self) -> Event:
        """The event of the entity itself."""
        return Event(self.entity, self.id, self.action, self.occurred_at)

    @property
    def events(self) -> tuple[Event, ...]:
        """All events that the change calls for, the entity's own first."""
        return (self.event, *self.consequences)
