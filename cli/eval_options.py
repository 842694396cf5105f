"""Options that several commands of `disco eval` have."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from evaluation.operations import DEFAULT_SEED

F = TypeVar("F", bound=Callable[..., Any])


def seed_option(command: F) -> F:
    """The `--seed` of commands that compare systems by tests."""
    return click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=DEFAULT_SEED,
        show_default=True,
        help="Of the tests' samples.",
    )(command)
