"""Results: the best completions so far, each entity once, in order.

A result is its order, where its key begins in the text of all records, its entity, the cost of
edits with eight bits for the characters of the key that matched, and its place. Entities that are
hidden are passed over.
"""

from typing import Final

from suggest.kernel.compilation import compiled, signed
from suggest.kernel.memory import (
    FOUND,
    HEAPED,
    HIDDEN,
    HIDDEN_BITS,
    HIDING,
    LIMIT,
    MET,
    NODE,
    NODE_END,
    NODE_KEY,
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
from suggest.kernel.ranges import (
    ALL,
    LISTED,
    NOTHING,
    order_of,
    place_at,
    pop,
    wait,
    wait_listed,
)

#: So many hidden keys are passed over one by one; then what waits is looked through from end to
#: end, because each of them divides a range, and there is room for so many ranges.
MOST_MET: Final = 512


@compiled
def is_hidden(words: Numbers, work: Memory, place: int) -> bool:
    """Whether a place belongs to an entity that is hidden."""
    if work[HIDING] == 0:
        return False
    entity = signed(words[work[PLACES] + PLACE * place + PLACE_ENTITY])
    return work[HIDDEN + entity // HIDDEN_BITS] >> (entity % HIDDEN_BITS) & 1 != 0


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
            if is_hidden(words, work, order & 0xFFFFFFFF):
                # What is hidden takes places in the list, so there is more behind its end.
                at = work[NODES] + NODE * position
                begin, end = signed(words[at + NODE_KEY]), signed(words[at + NODE_END])
                wait(words, work, slot, ALL, begin, end, info)
                continue
            offer(words, work, order, signed(words[work[TOPS] + low * TOP + 1]), info)
            wait_listed(words, work, slot, position, low + 1, high, info)
            continue
        key = position
        if is_hidden(words, work, order & 0xFFFFFFFF):
            work[MET] += 1
            if work[MET] > MOST_MET:
                look_through(words, work, view, low, high, info)
                continue
        if view >= 0:
            keys = work[VIEW_KEYS] + signed(words[work[VIEW_BOUNDS] + 2 * view])
            key = signed(words[keys + position])
        offer(words, work, order, signed(words[work[STARTS] + key]), info)
        wait(words, work, slot, view, low, position, info)
        wait(words, work, -1, view, position + 1, high, info)
    work[HEAPED] = work[USED] = 0


@compiled
def look_through(words: Numbers, work: Memory, view: int, low: int, high: int, info: int) -> None:
    """Take completions from a range key by key."""
    keys = work[VIEW_KEYS] + signed(words[work[VIEW_BOUNDS] + 2 * view]) if view >= 0 else -1
    for position in range(low, high):
        order = order_of(words, work, place_at(words, work, keys, position), info >> 8)
        if order < work[WORST]:
            key = position if keys < 0 else signed(words[keys + position])
            offer(words, work, order, signed(words[work[STARTS] + key]), info)


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
        if is_hidden(words, work, place):
            work[FOUND] = 0
            return False
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
    if is_hidden(words, work, place):
        return
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
