"""Mode: whether the kernel becomes machine code, chosen before it is first imported."""

import os


class _Mode:
    """What this process wants; the environment may have chosen for it."""

    plain = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"


def prefer_plain() -> None:
    """Leave the kernel plain Python, if it was not imported yet: for a process of few queries.

    To import numba and to load machine code takes longer than a hundred answers.
    """
    _Mode.plain = True


def is_plain() -> bool:
    """Whether the kernel is left plain Python."""
    return _Mode.plain
