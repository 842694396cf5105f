"""Lines of text files, or of standard input (`-`), as they are written for trec_eval."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from evaluation.errors import FileError

STANDARD_INPUT: Final = "-"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LONGEST_QUOTE: Final = 60  # characters of a line that a message shows


def name_of(path: str) -> str:
    """What messages call it."""
    return "standard input" if path == STANDARD_INPUT else path


@contextmanager
def opened(path: str, error: type[FileError]) -> Iterator[IO[bytes]]:
    """The file.

    Raises:
        FileError: of the type asked for, if it cannot be read.
    """
    try:
        if path == STANDARD_INPUT:
            yield sys.stdin.buffer
        else:
            with Path(path).open("rb") as file:
                yield file
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise error(name_of(path), f"cannot be read ({reason}); give another file") from problem


def numbered(file: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers from 1, without a byte order mark."""
    for number, line in enumerate(file, start=1):
        plain = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        if not plain.isspace() and plain:
            yield number, plain


class Refusal:
    """Raises the errors of one file."""

    def __init__(self, path: str, error: type[FileError]) -> None:
        self._name = name_of(path)
        self._error = error

    def whole(self, problem: str) -> NoReturn:
        """The file as a whole is wrong."""
        raise self._error(self._name, problem)

    def at(self, line: int, problem: str) -> NoReturn:
        """A line is wrong."""
        raise self._error(self._name, problem, line=line)

    def text(self, line: int, raw: bytes) -> str:
        """The text of some bytes; refused unless they are UTF-8 that C can hold as well."""
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            self.at(line, f"{shown(raw)} is not UTF-8; convert the file")
        if "\0" in text:
            self.at(line, f"{shown(raw)} has a NUL character; remove it")
        return text

    def duplicate(self, line: int, query: str, doc: str) -> NoReturn:
        """A pair of query and document stands in two lines."""
        self.at(
            line,
            f"document {doc!r} of query {query!r} stands in an earlier line, too; "
            "remove one of them",
        )


def number(raw: bytes, kind: Callable[[bytes], Any]) -> Any:
    """The number that the bytes write, or None; 1_000 is none, though Python takes it."""
    try:
        return None if b"_" in raw else kind(raw)
    except ValueError:
        return None


def shown(raw: bytes) -> str:
    """Some bytes as a message shows them: quoted, and not too many."""
    text = raw.decode(errors="backslashreplace").rstrip("\r\n")
    return repr(text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…")
