"""A stack of these tests' own, made from nothing and deleted at the end."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stack import operations
from stack.assembly import Stack
from stack.operations import Started

NAME = "own"


@dataclass(kw_only=True)
class OwnStack:
    """A stack that a test may disturb as it likes."""

    root: Path  # the folder that holds `.stack/`
    said: list[str] = field(default_factory=list)  # progress lines, of the last command too

    def up(self) -> Started:
        self.said.clear()
        return operations.up(
            NAME, root=self.root, heap="512m", secure=True, progress=self.said.append
        )

    def open(self) -> Stack:
        return operations.open_stack(NAME, root=self.root)


@pytest.fixture(scope="session")
def own_stack() -> Iterator[OwnStack]:
    """Lies in a folder that is closed to others, as root's home is."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as outside:
        Path(outside).chmod(0o755)
        patch.setenv("DISCO_STATE", outside)
        with tempfile.TemporaryDirectory() as root:
            made = OwnStack(root=Path(root))
            try:
                yield made
            finally:
                operations.down(NAME, root=made.root, purge=True, progress=print)
                assert not any(Path(outside).iterdir())


@pytest.fixture
def running(own_stack: OwnStack) -> OwnStack:
    """The own stack, up, whatever the test before has done to it."""
    own_stack.up()
    return own_stack
