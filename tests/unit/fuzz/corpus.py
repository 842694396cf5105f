"""The corpus: inputs that once broke a reader, or nearly did. Each is tried before any other.

A file an input, in a folder a reader. What a fuzzer finds is put there, and stays.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import strategies

_FOLDER = Path(__file__).parent / "corpus"
Test = Callable[..., Any]


def inputs(reader: str) -> list[bytes]:
    """The kept inputs of a reader, in order of their names."""
    return [path.read_bytes() for path in sorted((_FOLDER / reader).iterdir())]


def fuzzed(reader: str, *, like: bytes) -> Callable[[Test], Test]:
    """Has a test try the corpus, then anything, then damaged forms of what is `like` the right."""
    anything = strategies.binary(max_size=300)

    def decorate(test: Test) -> Test:
        made: Test = hypothesis.given(raw=anything | damaged(like))(test)
        for kept in inputs(reader):
            made = hypothesis.example(raw=kept)(made)
        return made

    return decorate


@strategies.composite
def damaged(draw: strategies.DrawFn, whole: bytes) -> bytes:
    """An input with some bytes changed, cut off, repeated or put in between."""
    raw = bytearray(whole)
    for _ in range(draw(strategies.integers(1, 4))):
        at = draw(strategies.integers(0, max(0, len(raw) - 1)))
        match draw(strategies.sampled_from(("change", "cut", "repeat", "insert", "remove"))):
            case "change" if raw:
                raw[at] = draw(strategies.integers(0, 255))
            case "cut":
                del raw[at:]
            case "repeat":
                raw[at:at] = raw[at : at + draw(strategies.integers(1, 40))]
            case "insert":
                raw[at:at] = draw(strategies.binary(max_size=20))
            case _:
                del raw[at : at + draw(strategies.integers(1, 20))]
    return bytes(raw)
