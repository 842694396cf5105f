"""Compilation: the kernel is machine code where numba runs, and plain Python where it does not.

Both give the same results. Setting NUMBA_DISABLE_JIT=1 asks for plain Python.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from suggest.kernel import mode

F = TypeVar("F", bound=Callable[..., Any])


def _numba() -> Any:
    """The library; None where it is missing, or not wanted: importing it takes half a second."""
    if mode.is_plain():
        return None
    try:
        import numba  # noqa: PLC0415 - see above
    except ImportError:  # pragma: no cover - a dependency, but without a build for every machine
        return None
    return numba


_NUMBA: Final = _numba()
COMPILED: Final = _NUMBA is not None


def compiled(function: F) -> F:
    """The function as machine code, compiled at its first call and kept on disk."""
    if not COMPILED:
        return function
    made: F = _NUMBA.njit(cache=True, error_model="numpy")(function)
    _stamp(made)
    _generalise(made)
    return made


def _generalise(made: Any) -> None:
    """Compile the function once for all integers, not anew for each constant it is called with.

    The constants get into the machine code all the same, where the function is inlined.
    """
    template = made.get_call_template

    def general(args: Any, kws: Any) -> Any:
        unliteral = _NUMBA.types.unliteral
        return template(
            tuple(unliteral(arg) for arg in args), {k: unliteral(arg) for k, arg in kws.items()}
        )

    made.get_call_template = general


def _stamp(made: Any) -> None:
    """Have the copy on disk count as stale when any module of the kernel changed.

    By itself numba looks at the function's own file, although functions of others are part of the
    machine code.
    """
    file: Any = getattr(getattr(made, "_cache", None), "_cache_file", None)
    if hasattr(file, "_source_stamp"):
        file._source_stamp = _SOURCES  # noqa: SLF001 - there is no other way


def _sources() -> str:
    """A checksum of all modules of the kernel."""
    content = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        content.update(path.read_bytes())
    return content.hexdigest()


_SOURCES: Final = _sources()

#: A number of any kind as a signed one: the difference of two unsigned ones would wrap around.
signed: Callable[[int], int] = np.int64 if COMPILED else int  # type: ignore[assignment]


@compiled
def ones(bits: int) -> int:
    """How many bits are set in a number from 0 up to 2^62."""
    bits -= bits >> 1 & 0x5555555555555555
    bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333)
    bits = bits + (bits >> 4) & 0x0F0F0F0F0F0F0F0F
    bits += bits >> 8
    bits += bits >> 16
    return bits + (bits >> 32) & 0x7F
