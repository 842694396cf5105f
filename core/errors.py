"""The root of every error that the project raises on purpose.

Each package has one root of its own below `DiscoError`. A message names the input that was wrong
and the remedy; the class says how a command ends.
"""

from typing import ClassVar


class DiscoError(Exception):
    """Something the project can explain. Its message names the input and the remedy."""

    #: How `disco` exits: 1 a check does not hold, 2 bad usage, 3 a service cannot be reached.
    exit_code: ClassVar[int] = 1


class UsageError(DiscoError):
    """The caller asked for what cannot be: correct the argument or the setting it names."""

    exit_code = 2


class ServiceUnavailableError(DiscoError):
    """A service cannot be reached. Check that it runs, and its address in the settings."""

    exit_code = 3
