"""Drift: whether a new snapshot is so much poorer than the published one that it must be wrong."""

from collections.abc import Mapping
from typing import Any, Final

from suggest.errors import SuggestError

#: Of the phrases of a type there must be this share again.
LEAST_SHARE: Final = 0.5
_FEW: Final = 100  # phrases of a type that may come and go


class DriftError(SuggestError):
    """A snapshot lacks phrases. Look at the database and the sources, or build with `--force`."""


def check(facts: Mapping[str, Any], published: Mapping[str, Any]) -> None:
    """Compare what a new snapshot has with what the published one had; raises `DriftError`."""
    types: Mapping[str, int] = facts["types"]
    former: Mapping[str, int] = published.get("types", {})
    poorer = [
        f"{types.get(name, 0):,} of {count:,} phrases of type {name or '(none)'}"
        for name, count in former.items()
        if count > _FEW and types.get(name, 0) < count * LEAST_SHARE
    ]
    if poorer:
        raise DriftError(
            f"far fewer phrases than in the published snapshot: {'; '.join(poorer)}. "
            "If that is right, build with --force"
        )
