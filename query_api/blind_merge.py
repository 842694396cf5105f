"""Blind merge: the hits of two rankings as one list that tells nothing of either.

Raters believe what stands first. So the order is drawn, anew for each rater and query, and the
same whenever he comes back. Pure.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

Hit = Mapping[str, Any]  # of the shape of `answers.Hit`


def merged(rankings: Sequence[Sequence[Hit]], *, seed: str) -> list[Hit]:
    """Each entity that any of the rankings has, once, in an order that the seed draws."""
    found = {(hit["type"], hit["id"]): hit for ranking in rankings for hit in ranking}
    return sorted(found.values(), key=lambda hit: _draw(seed, hit))


def _draw(seed: str, hit: Hit) -> bytes:
    said = f"{seed}\0{hit['type']}:{hit['id']}"
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).digest()
