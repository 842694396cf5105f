"""What can go wrong with suggestions."""

from pathlib import Path

from core.errors import DiscoError


class SuggestError(DiscoError):
    """Root of the errors of suggestions."""


class PhraseError(SuggestError):
    """A phrase cannot be taken. The message names where it stands and what to mend there."""

    exit_code = 2


class SnapshotError(SuggestError):
    """A snapshot file cannot be used: missing, foreign, damaged, or of another version.

    Whoever served another snapshot before goes on serving it.
    """

    exit_code = 2

    def __init__(self, path: Path, fault: str, remedy: str) -> None:
        super().__init__(f"snapshot {path} {fault}; {remedy}")
        self.path = path
