"""Files that commands read: a path, or `-` for standard input; always readable more than once."""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ranker.errors import EdgeFileError

STANDARD_INPUT = "-"


def name_of(path: str) -> str:
    """What messages call it."""
    return "standard input" if path == STANDARD_INPUT else path


@contextmanager
def opened(path: str, error: type[EdgeFileError]) -> Iterator[IO[bytes]]:
    """The file, or a temporary copy of what can be read once only: a pipe, standard input.

    Raises:
        EdgeFileError: of the type asked for, if it cannot be read.
    """
    try:
        with _open(path) as file:
            yield file
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise error(name_of(path), f"cannot be read ({reason}); give another file") from problem


@contextmanager
def _open(path: str) -> Iterator[IO[bytes]]:
    if path == STANDARD_INPUT:
        with _copy(sys.stdin.buffer) as copy:
            yield copy
        return
    with Path(path).open("rb") as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            yield file
            return
        with _copy(file) as copy:
            yield copy


@contextmanager
def _copy(file: IO[bytes]) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.seek(0)
        yield copy
