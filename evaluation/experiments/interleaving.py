"""Team-draft interleaving: two rankings in one list, of which clicks say which is liked better.

Radlinski, Kurup and Joachims, How does clickthrough data reflect retrieval quality?, CIKM 2008. In
each round both rankings choose once, in an order that is drawn, the best that they have and that is
not in the list yet. A click is a point for whoever chose the hit.
"""

import random
from collections.abc import Hashable, Sequence
from typing import Final, TypeVar

#: The names of the two teams, in the log.
FIRST: Final = "first"
SECOND: Final = "second"

K = TypeVar("K", bound=Hashable)


def team_draft(
    first: Sequence[K], second: Sequence[K], *, seed: str, most: int
) -> list[tuple[K, str]]:
    """The list, up to `most` long, and whose each of its entries is.

    The same seed gives the same list, and a shorter one is the beginning of a longer one, also of
    rankings that are cut, if none is shorter than the list.
    """
    draw = random.Random(seed)  # noqa: S311 - a fair coin, no secret
    drafted: list[tuple[K, str]] = []
    taken: set[K] = set()
    left = {FIRST: iter(first), SECOND: iter(second)}
    while left and len(drafted) < most:
        order = [FIRST, SECOND] if draw.random() < 0.5 else [SECOND, FIRST]
        for team in order:
            if team not in left:
                continue
            chosen = next((one for one in left[team] if one not in taken), None)
            if chosen is None:
                del left[team]
                continue
            taken.add(chosen)
            drafted.append((chosen, team))
    return drafted[:most]
