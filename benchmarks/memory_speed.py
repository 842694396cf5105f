"""How fast this machine reads memory, at random and in a row: what a solver can hope for."""

import time
from collections.abc import Callable
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

_ROUNDS: Final = 3


@numba.njit(parallel=True, fastmath=True)
def _gather(values: NDArray[np.float64], places: NDArray[np.uint32]) -> float:
    total = 0.0
    for at in numba.prange(places.size):
        total += values[np.uint64(places[np.uint64(at)])]
    return total


@numba.njit(parallel=True, fastmath=True)
def _read(values: NDArray[np.float64]) -> float:
    total = 0.0
    for at in numba.prange(values.size):
        total += values[np.uint64(at)]
    return total


def random_gathers_a_second(values: int, gathers: int) -> float:
    """Doubles read at random places among so many, on all cores."""
    rng = np.random.default_rng(1)
    places = rng.integers(0, values, gathers, dtype=np.uint32)
    array = rng.random(values)
    return gathers / _fastest(lambda: _gather(array, places))


def bytes_read_a_second(size: int) -> float:
    """Bytes read in a row, on all cores."""
    array = np.ones(size // 8)
    return array.nbytes / _fastest(lambda: _read(array))


def _fastest(call: Callable[[], float]) -> float:
    call()  # compiles
    seconds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
