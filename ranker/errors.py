"""What can go wrong in the ranker."""

from core.errors import DiscoError


class RankerError(DiscoError):
    """Root of the ranker's errors."""


class EdgeFileError(RankerError):
    """A file of edges is missing or malformed: mend the line that the message names."""

    exit_code = 2

    def __init__(self, path: str, problem: str, *, line: int | None = None) -> None:
        super().__init__(f"{path}{'' if line is None else f', line {line:,}'}: {problem}")
        self.line = line


class ScoreFileError(EdgeFileError):
    """A file of scores (a prior, a teleport vector) is missing or malformed."""


class EdgeError(RankerError):
    """Edges that no graph can be made of; the message names the edge by its place."""

    exit_code = 2

    def __init__(self, problem: str, *, row: int | None = None) -> None:
        super().__init__(f"edges{'' if row is None else f', row {row:,}'}: {problem}")
        self.row = row


class TooManyNodesError(EdgeError):
    """Nodes are numbered with 32 bits: a graph takes no more than 4,294,967,296 of them."""


class EmptyGraphError(RankerError):
    """There is nothing to rank: a graph needs at least one node."""

    exit_code = 2


class ParameterError(RankerError):
    """A parameter of the calculation does not fit; the message says which values do."""

    exit_code = 2


class NotConvergedError(RankerError):
    """The scores were not within the tolerance when the iterations were used up."""

    def __init__(self, iterations: int, bound: float, tolerance: float) -> None:
        super().__init__(
            f"after {iterations:,} iterations the scores are only known to be within {bound:.3g} "
            f"of the exact ones, and {tolerance:.3g} was asked for; raise the number of "
            "iterations or the tolerance, or lower the damping"
        )
        self.iterations = iterations
        self.bound = bound


class OutputError(RankerError):
    """The scores cannot be written where they were asked for; nothing is left half-written."""

    exit_code = 2


class SignalError(RankerError):
    """A signal cannot be used. The message names its file, or what it gave, and the remedy."""

    exit_code = 2
