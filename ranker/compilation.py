"""Compiling kernels with numba: when it is there, and where the result is kept."""

import importlib
import os
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, Final

# Sums of a row may be taken in any order, so that they can be vectorised. NaN and infinity keep
# their meaning: "fast" would lose it.
FAST_SUMS: Final = {"reassoc", "contract", "nsz"}


@cache
def kernels() -> ModuleType | None:
    """The compiled kernels; None where numba cannot be imported.

    Importing numba takes a third of a second, so that a small graph does not ask for it.
    """
    try:
        return _loaded("ranker.kernels")
    except ImportError:
        return None


def required_kernels() -> ModuleType:
    """The compiled kernels, asked for only where `kernels` is known to have them."""
    found = kernels()
    assert found is not None
    return found


def change_kernels() -> ModuleType:
    """The compiled kernels that change graphs; raises `ImportError` where numba is missing."""
    return _loaded("ranker.change_kernels")


def _loaded(module: str) -> ModuleType:
    """Numba's threads wait by sleeping, unless the environment says otherwise.

    A pass takes milliseconds, and ends when its last thread does. Threads that spin while they wait
    take the processor from that one wherever others use the machine, too: a solution then takes
    three times as long.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    return importlib.import_module(module)


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function at its first call, and keep the result on disk for other processes.

    Where neither the package's folder nor the user's cache can be written, every process compiles
    anew. Other threads of Python go on while a kernel runs: one may hold a lease meanwhile.
    """
    import numba  # noqa: PLC0415 - see above

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            kernel: Callable[..., Any] = numba.njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # "cannot cache function: no locator available"
            kernel = numba.njit(nogil=True, **options)(function)
        return kernel

    return decorate
