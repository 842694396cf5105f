"""Results: the best completions so far, each entity once, in order.

A result is its order, where its key begins in the text of all records, its entity, the cost of
edits with eight bits for the characters of the key that matched, and its place.
"""

from suggest.kernel.compilation import compiled, signed
from suggest.kernel.memory import (
    FOUND,
    HEAPED,
    LIMIT,
    NODE,
    NODE_TOP,
    NODES,
    ORDER,
    PLACE,
    PLACE_ENTITY,
    PLACES,
    RANGE,
    RANGES,
    RESULT,
    RESULTS,
    SLOTS,
    STARTS,
    TOP,
    TOPS,
    TOPS_EACH,
    TYPES,
    USED,
    VIEW_BOUNDS,
    VIEW_KEYS,
    WORST,
    Memory,
    Numbers,
)
from suggest.kernel.ranges import LISTED, NOTHING, order_of, pop, wait, wait_listed


@compiled
def drain(words: Numbers, work: Memory) -> None:
    """Take completions from the heap until none can be among the best."""
    while work[HEAPED] > 0:
        order, slot = work[ORDER], work[SLOTS]
        if order >= work[WORST]:
            break
        pop(work)
        base = RANGES + slot * RANGE
        low, high, position = work[base], work[base + 1], work[base + 2]
        info, view = work[base + 3], work[base + 4]
        if view == LISTED:
            offer(words, work, order, signed(words[work[TOPS] + low * TOP + 1]), info)
            wait_listed(words, work, slot, low + 1, high, info)
            continue
        key = position
        if view >= 0:
            keys = work[VIEW_KEYS] + signed(words[work[VIEW_BOUNDS] + 2 * view])
            key = signed(words[keys + position])
        offer(words, work, order, signed(words[work[STARTS] + key]), info)
        wait(words, work, slot, view, low, position, info)
        wait(words, work, -1, view, position + 1, high, info)
    work[HEAPED] = work[USED] = 0


@compiled
def take_listed(words: Numbers, work: Memory, node: int, info: int) -> bool:
    """Take the results from the list of a node, if that has what is wanted; there are none yet."""
    top = signed(words[work[NODES] + NODE * node + NODE_TOP])
    limit = work[LIMIT]
    if top == NOTHING or work[TYPES] >= 0 or limit > TOPS_EACH:
        return False
    found, at = 0, work[TOPS] + top * TOPS_EACH * TOP
    while found < limit and signed(words[at]) != NOTHING:
        place = signed(words[at])
        base = RESULTS + found * RESULT
        work[base] = order_of(words, work, place, info >> 8)
        work[base + 1] = signed(words[at + 1])
        work[base + 2] = signed(words[work[PLACES] + PLACE * place + PLACE_ENTITY])
        work[base + 3], work[base + 4] = info, place
        found += 1
        at += TOP
    work[FOUND] = found
    if found == limit:
        work[WORST] = work[RESULTS + (limit - 1) * RESULT]
    return True


@compiled
def offer(words: Numbers, work: Memory, order: int, start: int, info: int) -> None:
    """Put a key among the results, unless its entity is there already by a better one."""
    place = order & 0xFFFFFFFF
    entity = signed(words[work[PLACES] + PLACE * place + PLACE_ENTITY])
    found, limit = work[FOUND], work[LIMIT]
    at = found
    for other in range(found):
        base = RESULTS + other * RESULT
        if work[base + 2] == entity:
            if work[base] <= order:
                return
            at = other
            break
    if at == found:
        if found < limit:
            work[FOUND] = found + 1
        else:
            at -= 1
    while at > 0 and work[RESULTS + (at - 1) * RESULT] > order:
        base = RESULTS + at * RESULT
        for number in range(RESULT):
            work[base + number] = work[base + number - RESULT]
        at -= 1
    base = RESULTS + at * RESULT
    work[base], work[base + 1], work[base + 2] = order, start, entity
    work[base + 3], work[base + 4] = info, place
    if work[FOUND] == limit:
        work[WORST] = work[RESULTS + (limit - 1) * RESULT]
