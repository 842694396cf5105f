"""What can go wrong with the log of searches and interactions."""

from evaluation.errors import EvaluationError


class InteractionsError(EvaluationError):
    """The log cannot be read or changed so; the message names what to correct."""
