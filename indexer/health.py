"""What the doctor observes: one thing about one service, and what to do if it is not well."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Condition(StrEnum):
    """How something is, from good to bad."""

    OK = "ok"  # as it should be
    WARNING = "warning"  # it works, and will need a look
    PROBLEM = "problem"  # something does not work, or will be lost
    UNREACHABLE = "unreachable"  # the service does not answer


_SEVERITY = tuple(Condition)


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One thing about one service."""

    service: str  # e.g. "RabbitMQ"
    subject: str  # what was looked at, e.g. "dead letters"
    condition: Condition
    what: str  # what was seen
    remedy: str = ""  # what to do; empty when all is well


class Chart:
    """The observations of one service, in the order in which they are made."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.observations: list[Observation] = []

    def ok(self, subject: str, what: str) -> None:
        """Note that something is as it should be."""
        self._note(Condition.OK, subject, what, "")

    def warning(self, subject: str, what: str, remedy: str) -> None:
        """Note what works, and will need a look."""
        self._note(Condition.WARNING, subject, what, remedy)

    def problem(self, subject: str, what: str, remedy: str) -> None:
        """Note what does not work."""
        self._note(Condition.PROBLEM, subject, what, remedy)

    def unreachable(self, what: str, remedy: str) -> None:
        """Note that the service does not answer."""
        self._note(Condition.UNREACHABLE, "connection", what, remedy)

    def _note(self, condition: Condition, subject: str, what: str, remedy: str) -> None:
        self.observations.append(
            Observation(
                service=self.service,
                subject=subject,
                condition=condition,
                what=what,
                remedy=remedy,
            )
        )


def worst(observations: Iterable[Observation]) -> Condition:
    """The worst condition of all; `ok` for none."""
    return max((one.condition for one in observations), key=_SEVERITY.index, default=Condition.OK)
