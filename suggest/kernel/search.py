"""Search: down the trie along what is typed, with as many edits as are allowed.

A state is a node, and how far what is typed has been followed to get there. States wait on a stack:
    node, first key, end of its keys, bytes that they share, characters that they share, typed
    characters that were followed, a character that must come before the next of them (after an
    exchange; else 0), edits left, cost of the edits so far
"""

from typing import Final

from suggest.kernel.characters import EDIT, LAST_EDIT, begins, decode, near, width_of
from suggest.kernel.compilation import compiled, signed
from suggest.kernel.memory import (
    BEST,
    CHILDREN,
    COUNT,
    LABELS,
    LENGTH,
    LOOKED,
    MASKS,
    MOST_STATES,
    NODE_KEYS,
    STACKED,
    STARTS,
    STATE,
    STATES,
    TEXT,
    TYPED,
    WORST,
    Memory,
    Numbers,
)
from suggest.kernel.ranges import accept, order_of

STEPS: Final = 60_000  # most nodes and keys that one search looks at


@compiled
def find(words: Numbers, part: Numbers, low: int, high: int, character: int) -> int:
    """The child of that label among the nodes low to high; -1 if there is none."""
    labels, end = part[LABELS], high
    while low < high:
        middle = (low + high) >> 1
        if signed(words[labels + middle]) < character:
            low = middle + 1
        else:
            high = middle
    return low if low < end and signed(words[labels + low]) == character else -1


@compiled
def end_of(words: Numbers, part: Numbers, child: int, last: int, high: int) -> int:
    """Where the keys of a node end: where its sibling's begin, or its parent's end."""
    return signed(words[part[NODE_KEYS] + child + 1]) if child + 1 < last else high


@compiled
def stack(
    work: Memory,
    node: int,
    low: int,
    high: int,
    size: int,
    depth: int,
    i: int,
    forced: int,
    left: int,
    cost: int,
) -> None:
    """Have a state wait; a search that has too many does without."""
    top = work[STACKED]
    if top >= MOST_STATES:
        return
    work[STACKED] = top + 1
    base = STATES + top * STATE
    work[base] = node
    work[base + 1] = low
    work[base + 2] = high
    work[base + 3] = size
    work[base + 4] = depth
    work[base + 5] = i
    work[base + 6] = forced
    work[base + 7] = left
    work[base + 8] = cost


@compiled
def exact(data: Numbers, words: Numbers, part: Numbers, work: Memory) -> None:
    """Accept what begins as it is typed; leave the nodes on the way on the stack."""
    length = work[LENGTH]
    node, low, high, size, i = 0, 0, part[COUNT + STARTS], 0, 0
    work[STACKED] = 0
    while i < length:
        stack(work, node, low, high, size, i, i, 0, 0, 0)
        first, last = signed(words[part[CHILDREN] + node]), signed(words[part[CHILDREN] + node + 1])
        if first == last:
            bucket(data, words, part, work, low, high, size, i, i, 0, 0, 0)
            return
        character = work[TYPED + i]
        child = find(words, part, first, last, character)
        if child < 0:
            return
        high = end_of(words, part, child, last, high)
        low = signed(words[part[NODE_KEYS] + child])
        size += width_of(character)
        node = child
        i += 1
    accept(data, words, part, work, low, high, length)


@compiled
def corrected(data: Numbers, words: Numbers, part: Numbers, work: Memory, edits: int) -> None:
    """Accept what begins as it is typed but for 1 to `edits` edits.

    Edits deep in the key first: they are the likeliest, and there is the least to look at.
    """
    exact_path = work[STACKED]
    for at in range(exact_path - 1, -1, -1):
        base = STATES + at * STATE
        node, low, high, size = work[base], work[base + 1], work[base + 2], work[base + 3]
        if words[part[CHILDREN] + node] == words[part[CHILDREN] + node + 1]:
            bucket(data, words, part, work, low, high, size, at, at, 0, edits, 0)
        else:
            branch(data, words, part, work, node, low, high, size, at, at, edits - 1, 0)
        while work[STACKED] > exact_path and work[LOOKED] < STEPS:
            follow(data, words, part, work)
        work[STACKED] = exact_path


@compiled
def follow(data: Numbers, words: Numbers, part: Numbers, work: Memory) -> None:
    """Take the uppermost state from the stack, and follow what is typed from there."""
    top = work[STACKED] - 1
    work[STACKED] = top
    base = STATES + top * STATE
    node, low, high = work[base], work[base + 1], work[base + 2]
    size, depth, i = work[base + 3], work[base + 4], work[base + 5]
    forced, left, cost = work[base + 6], work[base + 7], work[base + 8]
    length = work[LENGTH]
    while i < length or forced:
        work[LOOKED] += 1
        first, last = signed(words[part[CHILDREN] + node]), signed(words[part[CHILDREN] + node + 1])
        if first == last:
            bucket(data, words, part, work, low, high, size, depth, i, forced, left, cost)
            return
        if left and not forced:
            branch(data, words, part, work, node, low, high, size, depth, i, left - 1, cost)
        character = forced or work[TYPED + i]
        child = find(words, part, first, last, character)
        if child < 0:
            return
        high = end_of(words, part, child, last, high)
        low = signed(words[part[NODE_KEYS] + child])
        size += width_of(character)
        depth += 1
        node = child
        if forced:
            forced = 0
        else:
            i += 1
    accept(data, words, part, work, low, high, cost << 8 | depth)


@compiled
def branch(
    data: Numbers,
    words: Numbers,
    part: Numbers,
    work: Memory,
    node: int,
    low: int,
    high: int,
    size: int,
    depth: int,
    i: int,
    left: int,
    cost: int,
) -> None:
    """Put all states on the stack that come of one by an edit at once; `left` are left then."""
    first, last = signed(words[part[CHILDREN] + node]), signed(words[part[CHILDREN] + node + 1])
    typed, following = work[TYPED + i], 0
    final = i == work[LENGTH] - 1
    if final:
        info = (cost + LAST_EDIT) << 8 | depth
        around(data, words, part, work, first, last, low, high, typed, info)
    else:
        following = work[TYPED + i + 1]
    cost += EDIT
    if not final and following != typed:
        stack(work, node, low, high, size, depth, i + 1, 0, left, cost)
        child = find(words, part, first, last, following)
        if child >= 0:
            end = end_of(words, part, child, last, high)
            begin, wide = signed(words[part[NODE_KEYS] + child]), size + width_of(following)
            stack(work, child, begin, end, wide, depth + 1, i + 2, typed, left, cost)
    other = 0 if final else 1 << (following & 31)
    missing = 1 << (typed & 31)
    worst = work[WORST]
    work[LOOKED] += last - first
    for child in range(first, last):
        # Masks first: they stand close together, and mostly settle it.
        mask = signed(words[part[MASKS] + child])
        if left == 0 and mask & (other | missing) == 0:
            continue
        label = signed(words[part[LABELS] + child])
        place = signed(words[part[BEST] + child])
        if label == typed or order_of(data, part, place, cost) >= worst:
            continue
        end = end_of(words, part, child, last, high)
        begin, wide = signed(words[part[NODE_KEYS] + child]), size + width_of(label)
        if not final and (left or mask & other):
            stack(work, child, begin, end, wide, depth + 1, i + 1, 0, left, cost)
        if left or mask & missing:
            stack(work, child, begin, end, wide, depth + 1, i, 0, left, cost)


@compiled
def around(
    data: Numbers,
    words: Numbers,
    part: Numbers,
    work: Memory,
    first: int,
    last: int,
    low: int,
    high: int,
    character: int,
    info: int,
) -> None:
    """Accept the keys low to high without those that go on with a character."""
    child = find(words, part, first, last, character)
    if child < 0:
        accept(data, words, part, work, low, high, info)
        return
    accept(data, words, part, work, low, signed(words[part[NODE_KEYS] + child]), info)
    accept(data, words, part, work, end_of(words, part, child, last, high), high, info)


@compiled
def bucket(
    data: Numbers,
    words: Numbers,
    part: Numbers,
    work: Memory,
    low: int,
    high: int,
    size: int,
    depth: int,
    i: int,
    forced: int,
    left: int,
    cost: int,
) -> None:
    """Accept those of a few keys that go on as what is typed."""
    begin, info = -1, 0  # of neighbours that match alike
    for key in range(low, high):
        byte = part[TEXT] + signed(words[part[STARTS] + key]) + size
        fits = fit(data, work, byte, i, forced, left)
        if fits >= 0:
            fits += cost << 8
            # Without any edit it is found already.
            fits = -1 if left and fits >> 8 == 0 else fits + depth
        if begin >= 0 and fits != info:
            accept(data, words, part, work, begin, key, info)
            begin = -1
        if fits >= 0 and begin < 0:
            begin, info = key, fits
    work[LOOKED] += high - low
    if begin >= 0:
        accept(data, words, part, work, begin, high, info)


@compiled
def fit(data: Numbers, work: Memory, byte: int, i: int, forced: int, left: int) -> int:
    """As `near`, after a forced character."""
    taken = 0
    if forced:
        character, width = decode(data, byte)
        if character != forced:
            return -1
        byte += width
        taken = 1
    fits = near(data, work, byte, i, left) if left else begins(data, work, byte, i)
    return fits + taken if fits >= 0 else -1
