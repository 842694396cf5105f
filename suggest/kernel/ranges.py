"""Ranges of keys: the best of one, and the heap in which they wait.

A range is one of all keys (view -1), of those of one entity type, which are numbered among
themselves (its view), or of the list that a node has of its best (view -2; its position is the
node).
"""

from typing import Final

from suggest.kernel.compilation import compiled, signed
from suggest.kernel.memory import (
    COUNT,
    HEAPED,
    KEY_PLACES,
    LIMIT,
    MINIMA,
    MOST_RANGES,
    NODE,
    NODE_END,
    NODE_KEY,
    NODE_TOP,
    NODES,
    ORDER,
    PLACE,
    PLACE_COST,
    PLACE_TYPE,
    PLACES,
    RANGE,
    RANGES,
    SLOTS,
    STARTS,
    TOP,
    TOPS,
    TOPS_EACH,
    TYPES,
    USED,
    VIEW_BOUNDS,
    VIEW_KEYS,
    VIEW_MINIMA,
    WORST,
    Memory,
    Numbers,
)

BLOCK: Final = 64  # keys, see suggest/range_minima.py
ALL: Final = -1
LISTED: Final = -2
NOTHING: Final = 0xFFFFFFFF


@compiled
def order_of(words: Numbers, work: Memory, place: int, cost: int) -> int:
    """What a place is ordered by after edits that cost so much: less is better."""
    own = signed(words[work[PLACES] + PLACE * place + PLACE_COST]) & ((1 << PLACE_TYPE) - 1)
    return (own + cost) << 32 | place


@compiled
def place_at(words: Numbers, work: Memory, keys: int, position: int) -> int:
    """The place of the key at a position; `keys` is where the view's keys are, -1 for all."""
    if keys >= 0:
        position = signed(words[keys + position])
    return signed(words[work[KEY_PLACES] + position])


@compiled
def least(
    words: Numbers, work: Memory, keys: int, minima: int, blocks: int, low: int, high: int
) -> int:
    """The position of the least place in a range that is not empty, the leftmost of equal ones.

    Args:
        words: The snapshot.
        work: See `memory`.
        keys: Where the view's keys are, -1 for all.
        minima: Where its range minima are.
        blocks: How many blocks they have.
        low: First position.
        high: End.
    """
    first, last = (low + BLOCK - 1) // BLOCK, high // BLOCK
    within = first >= last
    found, value = low, place_at(words, work, keys, low)
    for position in range(low + 1, high if within else first * BLOCK):
        other = place_at(words, work, keys, position)
        if other < value:
            found, value = position, other
    if within:
        return found
    row = 0
    while 2 << row <= last - first:
        row += 1
    for block in (first, last - (1 << row)):
        position = signed(words[minima + row * blocks + block])
        other = place_at(words, work, keys, position)
        if other < value:
            found, value = position, other
    for position in range(last * BLOCK, high):
        other = place_at(words, work, keys, position)
        if other < value:
            found, value = position, other
    return found


@compiled
def push(work: Memory, order: int, slot: int) -> None:
    """Put a range into the heap."""
    at = work[HEAPED]
    work[HEAPED] = at + 1
    while at > 0:
        above = (at - 1) >> 1
        if work[ORDER + above] <= order:
            break
        work[ORDER + at], work[SLOTS + at] = work[ORDER + above], work[SLOTS + above]
        at = above
    work[ORDER + at], work[SLOTS + at] = order, slot


@compiled
def pop(work: Memory) -> None:
    """Remove the first range from the heap."""
    size = work[HEAPED] - 1
    work[HEAPED] = size
    order, slot = work[ORDER + size], work[SLOTS + size]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and work[ORDER + below + 1] < work[ORDER + below]:
            below += 1
        if order <= work[ORDER + below]:
            break
        work[ORDER + at], work[SLOTS + at] = work[ORDER + below], work[SLOTS + below]
        at = below
    work[ORDER + at], work[SLOTS + at] = order, slot


@compiled
def wait(
    words: Numbers,
    work: Memory,
    slot: int,
    view: int,
    low: int,
    high: int,
    info: int,
) -> None:
    """Have a range of a view wait in the heap, unless even its best is too late.

    `info` is the cost of the edits, then eight bits for the characters of the key that matched;
    `slot` is where the range is noted, -1 for a new one.
    """
    if low >= high:
        return
    keys, minima, count = -1, work[MINIMA], work[COUNT + STARTS]
    if view >= 0:
        bounds = work[VIEW_BOUNDS] + 2 * view
        keys = work[VIEW_KEYS] + signed(words[bounds])
        minima = work[VIEW_MINIMA] + signed(words[bounds + 1])
        count = signed(words[bounds + 2]) - signed(words[bounds])
    position = least(words, work, keys, minima, (count + BLOCK - 1) // BLOCK, low, high)
    order = order_of(words, work, place_at(words, work, keys, position), info >> 8)
    if order >= work[WORST]:
        return
    note(work, slot, view, low, high, position, info, order)


@compiled
def wait_listed(
    words: Numbers, work: Memory, slot: int, node: int, low: int, high: int, info: int
) -> None:
    """Have the rows low to high of the list of a node's best wait, the next of them first."""
    if low >= high:
        return
    place = signed(words[work[TOPS] + low * TOP])
    if place == NOTHING:
        return
    order = order_of(words, work, place, info >> 8)
    if order < work[WORST]:
        note(work, slot, LISTED, low, high, node, info, order)


@compiled
def note(
    work: Memory, slot: int, view: int, low: int, high: int, position: int, info: int, order: int
) -> None:
    """Write down a range that waits; a search that has too many does without."""
    if slot < 0:
        slot = work[USED]
        if slot >= MOST_RANGES:
            return
        work[USED] = slot + 1
    base = RANGES + slot * RANGE
    work[base] = low
    work[base + 1] = high
    work[base + 2] = position
    work[base + 3] = info
    work[base + 4] = view
    push(work, order, slot)


@compiled
def accept_node(words: Numbers, work: Memory, node: int, info: int) -> None:
    """Take all keys of a node."""
    at = work[NODES] + NODE * node
    top = signed(words[at + NODE_TOP])
    if top != NOTHING and work[TYPES] < 0 and work[LIMIT] <= TOPS_EACH:
        begin = top * TOPS_EACH
        wait_listed(words, work, -1, node, begin, begin + TOPS_EACH, info)
        return
    low, high = signed(words[at + NODE_KEY]), signed(words[at + NODE_END])
    accept(words, work, low, high, info)


@compiled
def lower_bound(words: Numbers, low: int, high: int, value: int) -> int:
    """The first of the ascending numbers low to high that is not below a value."""
    while low < high:
        middle = (low + high) >> 1
        if signed(words[middle]) < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def accept(words: Numbers, work: Memory, low: int, high: int, info: int) -> None:
    """Take a range of keys that match, or those of the wanted types in it."""
    if low >= high:
        return
    types = work[TYPES]
    if types < 0:
        wait(words, work, -1, ALL, low, high, info)
        return
    for view in range((work[COUNT + VIEW_BOUNDS] >> 1) - 1):
        if types >> view & 1:
            bounds = work[VIEW_BOUNDS] + 2 * view
            begin = work[VIEW_KEYS] + signed(words[bounds])
            end = work[VIEW_KEYS] + signed(words[bounds + 2])
            first = lower_bound(words, begin, end, low)
            last = lower_bound(words, first, end, high)
            wait(words, work, -1, view, first - begin, last - begin, info)
