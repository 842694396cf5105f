from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from suggest import builder
from suggest.phrases import Phrase

Pieces = Callable[..., Sequence[bytes]]


@pytest.fixture(scope="session")
def pieces() -> Pieces:
    """A snapshot of these texts, the first the heaviest."""

    def make(*texts: str, kind: str | None = "sound") -> Sequence[bytes]:
        phrases = [
            Phrase(text, 1000 - number, kind, str(number), f"/{number}")
            for number, text in enumerate(texts)
        ]
        return builder.build(phrases).pieces

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "store"
