"""How alike two rankings are, in one number: rank-biased overlap.

Source: Webber, Moffat, Zobel: A similarity measure for indefinite rankings. ACM Transactions on
Information Systems 28 (4), 2010; its extrapolated form, equation 32, for lists of any lengths.
"""

from collections.abc import Hashable, Sequence


def rank_biased_overlap(
    one: Sequence[Hashable], other: Sequence[Hashable], *, persistence: float = 0.9
) -> float:
    """1 for equal rankings, 0 for rankings without a common item; the top counts most.

    Each ranking is best first, and holds no item twice. `persistence`, between 0 and 1, is how
    likely a reader goes on to the next item: with 0.9, the first ten have 86 % of the weight.
    What is beyond the ends is assumed to agree as what is seen. Takes time in proportion to the
    lengths.
    """
    if not 0 < persistence < 1:
        raise ValueError(f"persistence is {persistence}; it must be between 0 and 1")
    shorter, longer = sorted((one, other), key=len)
    if not shorter:
        return float(not longer)
    overlaps = _overlaps(shorter, longer)
    at_end, in_short = overlaps[-1], overlaps[len(shorter) - 1]
    total, weight = 0.0, 1.0
    for depth, overlap in enumerate(overlaps, start=1):
        weight *= persistence
        beyond = max(0, depth - len(shorter))  # items that the shorter ranking does not have
        total += weight * (overlap + in_short * beyond / len(shorter)) / depth
    agreement = (at_end - in_short) / len(longer) + in_short / len(shorter)
    return min(1.0, total * (1 - persistence) / persistence + agreement * weight)


def _overlaps(shorter: Sequence[Hashable], longer: Sequence[Hashable]) -> list[int]:
    """How many items both have in common at each depth, from 1 to the length of the longer."""
    seen_short: set[Hashable] = set()
    seen_long: set[Hashable] = set()
    common, overlaps = 0, []
    for depth, item in enumerate(longer):
        seen_long.add(item)
        common += item in seen_short
        if depth < len(shorter):
            seen_short.add(shorter[depth])
            common += shorter[depth] in seen_long
        overlaps.append(common)
    return overlaps
