"""What the kernel works on: a snapshot's bytes, and memory of its own.

Functions of the kernel take the same three, because a few arrays are passed quicker than many:
    data: the bytes of the file
    words: the same as numbers of 32 bits
    work: numbers of 64 bits: where each section of the snapshot begins, in `data` or, if it is one
        of words, in `words`; how many numbers each has; and what a search needs to note
"""

from collections.abc import MutableSequence, Sequence
from typing import Final

#: Arrays or views, or parts of such.
Numbers = Sequence[int]
Memory = MutableSequence[int]

#: The order of the sections in `work`. What they hold stands in suggest/builder.py.
SECTIONS: Final = (
    *("text", "starts", "key_places", "minima", "places", "cards"),
    *("nodes", "labels", "masks", "tops", "type_names", "type_starts"),
    *("view_keys", "view_minima", "view_bounds", "fold_points", "fold_shapes"),
)
TEXT, STARTS, KEY_PLACES, MINIMA, PLACES, CARDS = range(6)
NODES, LABELS, MASKS, TOPS, TYPE_NAMES, TYPE_STARTS = range(6, 12)
VIEW_KEYS, VIEW_MINIMA, VIEW_BOUNDS, FOLD_POINTS, FOLD_SHAPES = range(12, 17)
#: Added to a section: how many numbers it has.
COUNT: Final = len(SECTIONS)

# The numbers of a place, see suggest/builder.py.
PLACE: Final = 3
PLACE_ENTITY, PLACE_CARD, PLACE_COST = range(PLACE)
PLACE_TYPE: Final = 16  # bits of the cost; the type stands above
TYPE_BITS: Final = 6
PLACE_FINE: Final = PLACE_TYPE + TYPE_BITS  # what the cost was rounded by stands at the top
# The numbers of a node, see suggest/trie.py.
NODE: Final = 7
NODE_KEY, NODE_END, NODE_FIRST, NODE_LAST, NODE_BEST, NODE_COST, NODE_TOP = range(NODE)
TOPS_EACH: Final = 10  # places that are listed for a node
TOP: Final = 2  # numbers of one: the place, and where the key begins

LONGEST: Final = 128  # most characters of what is typed
MOST_RESULTS: Final = 100
DEFAULT_LIMIT: Final = 10  # results, where nobody says how many
MOST_STATES: Final = 4096  # places where a search still has to go on
MOST_RANGES: Final = 2048  # ranges that wait in the heap
_MOST_FORKS: Final = 32
# How many numbers there are to one of each.
STATE: Final = 8
RANGE: Final = 5
RESULT: Final = 5
FORK: Final = 4

# Where each begins in `work`.
LENGTH: Final = 2 * COUNT  # characters typed
STACKED: Final = LENGTH + 1  # states
USED: Final = LENGTH + 2  # ranges
HEAPED: Final = LENGTH + 3  # ranges that wait
FOUND: Final = LENGTH + 4  # results
LOOKED: Final = LENGTH + 5  # nodes and keys that were looked at
WORST: Final = LENGTH + 6  # the order that a range must stay below to be of any use
TYPES: Final = LENGTH + 7  # wanted types as bits, -1 for all
LIMIT: Final = LENGTH + 8  # most results
TYPED: Final = LENGTH + 9  # code points
STATES: Final = TYPED + LONGEST
RANGES: Final = STATES + MOST_STATES * STATE
ORDER: Final = RANGES + MOST_RANGES * RANGE  # the heap: what ranges are ordered by …
SLOTS: Final = ORDER + MOST_RANGES  # … and which they are
RESULTS: Final = SLOTS + MOST_RANGES
FORKS: Final = RESULTS + MOST_RESULTS * RESULT
#: How many entities are hidden, how many were met by a search, and a bit for each entity.
HIDING: Final = FORKS + _MOST_FORKS * FORK
MET: Final = HIDING + 1
HIDDEN: Final = HIDING + 2
HIDDEN_BITS: Final = 32  # of one number
#: How long `work` is without those bits.
SCRATCH: Final = HIDDEN
#: The order of a range that is worse than any.
NEVER: Final = 1 << 62
