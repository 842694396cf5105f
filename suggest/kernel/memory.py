"""What the kernel works on: a snapshot's bytes, and scratch memory.

Functions of the kernel take the same four, because a few arrays are passed quicker than many:
    data: the bytes of the file
    words: the same as numbers of 32 bits
    part: where each section begins, in `data` or, if it is one of words, in `words`; then how many
        numbers each has
    work: numbers of 64 bits, divided as below
"""

from collections.abc import MutableSequence, Sequence
from typing import Final

#: Arrays or views, or parts of such.
Numbers = Sequence[int]
Memory = MutableSequence[int]

#: The order of the sections in `part`. What they hold stands in suggest/builder.py.
SECTIONS: Final = (
    *("text", "starts", "places", "minima", "place_phrases", "place_costs"),
    *("labels", "node_keys", "children", "best", "masks", "cards", "card_starts", "kinds"),
    *("entities", "type_names", "type_starts", "view_keys", "view_minima", "view_bounds"),
    *("fold_points", "fold_shapes"),
)
TEXT, STARTS, PLACES, MINIMA, PLACE_PHRASES, PLACE_COSTS = range(6)
LABELS, NODE_KEYS, CHILDREN, BEST, MASKS, CARDS, CARD_STARTS, KINDS = range(6, 14)
ENTITIES, TYPE_NAMES, TYPE_STARTS, VIEW_KEYS, VIEW_MINIMA, VIEW_BOUNDS = range(14, 20)
FOLD_POINTS, FOLD_SHAPES = range(20, 22)
#: Added to a section: how many numbers it has.
COUNT: Final = len(SECTIONS)

LONGEST: Final = 128  # most characters of what is typed
MOST_RESULTS: Final = 100
MOST_STATES: Final = 4096  # places where a search still has to go on
MOST_RANGES: Final = 2048  # ranges that wait in the heap
_MOST_FORKS: Final = 32
# How many numbers there are to one of each.
STATE: Final = 9
RANGE: Final = 5
RESULT: Final = 4
FORK: Final = 4

# Where each begins in `work`.
LENGTH: Final = 0  # characters typed
STACKED: Final = 1  # states
USED: Final = 2  # ranges
HEAPED: Final = 3  # ranges that wait
FOUND: Final = 4  # results
LOOKED: Final = 5  # nodes and keys that were looked at
WORST: Final = 6  # the order that a range must stay below to be of any use
TYPES: Final = 7  # wanted types as bits, -1 for all
TYPED: Final = 8  # code points
STATES: Final = TYPED + LONGEST
RANGES: Final = STATES + MOST_STATES * STATE
ORDER: Final = RANGES + MOST_RANGES * RANGE  # the heap: what ranges are ordered by …
SLOTS: Final = ORDER + MOST_RANGES  # … and which they are
RESULTS: Final = SLOTS + MOST_RANGES
FORKS: Final = RESULTS + MOST_RESULTS * RESULT
#: Numbers of 64 bits that the kernel needs to work in.
SCRATCH: Final = FORKS + _MOST_FORKS * FORK
#: The order of a range that is worse than any.
NEVER: Final = 1 << 62
