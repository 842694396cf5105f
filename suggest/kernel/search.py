"""Search: down the trie along what is typed, with as many edits as are allowed.

A state is a node, and how far what is typed has been followed to get there. States wait on a stack:
    node, bytes that its keys share, characters that they share, typed characters that were
    followed, a character that must come before the next of them (after an exchange; else 0), edits
    left, cost of the edits so far
"""

from typing import Final

from suggest.kernel.characters import (
    EXCHANGED,
    EXTRA,
    LAST,
    LEAST,
    MISSING,
    OTHER,
    begins,
    decode,
    near,
    width_of,
)
from suggest.kernel.compilation import compiled, signed
from suggest.kernel.memory import (
    LABELS,
    LENGTH,
    LOOKED,
    MASKS,
    MOST_STATES,
    NODE,
    NODE_BEST,
    NODE_COST,
    NODE_END,
    NODE_FIRST,
    NODE_KEY,
    NODE_LAST,
    NODES,
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
from suggest.kernel.nodes import bit_of, child_of, find, mask_of
from suggest.kernel.ranges import accept, accept_node
from suggest.kernel.results import drain, take_listed

STEPS: Final = 60_000  # most nodes and keys that one search looks at


@compiled
def stack(
    work: Memory,
    node: int,
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
    work[base + 1] = size
    work[base + 2] = depth
    work[base + 3] = i
    work[base + 4] = forced
    work[base + 5] = left
    work[base + 6] = cost


@compiled
def exact(data: Numbers, words: Numbers, work: Memory) -> None:
    """Take what begins as it is typed among the results; leave the nodes passed on the stack."""
    length = work[LENGTH]
    node, size, i = 0, 0, 0
    work[STACKED] = 0
    while i < length:
        stack(work, node, size, i, i, 0, 0, 0)
        at = work[NODES] + NODE * node
        if words[at + NODE_FIRST] == words[at + NODE_LAST]:
            bucket(data, words, work, node, size, i, i, 0, 0, 0)
            drain(words, work)
            return
        character = work[TYPED + i]
        node = child_of(words, work, node, character, bit_of(character))
        if node < 0:
            return
        size += width_of(character)
        i += 1
    if not take_listed(words, work, node, length):
        accept_node(words, work, node, length)
        drain(words, work)


@compiled
def corrected(data: Numbers, words: Numbers, work: Memory, edits: int) -> None:
    """Take what begins as it is typed but for 1 to `edits` edits among the results.

    Edits deep in the key first: they are the likeliest, there is the least to look at, and what
    they find spares looking at what could only be worse.
    """
    exact_path = work[STACKED]
    for at in range(exact_path - 1, -1, -1):
        base = STATES + at * STATE
        node, size = work[base], work[base + 1]
        numbers = work[NODES] + NODE * node
        if words[numbers + NODE_FIRST] == words[numbers + NODE_LAST]:
            bucket(data, words, work, node, size, at, at, 0, edits, 0)
        else:
            branch(words, work, node, size, at, at, edits - 1, 0)
        while work[STACKED] > exact_path and work[LOOKED] < STEPS:
            follow(data, words, work)
        work[STACKED] = exact_path
        drain(words, work)


@compiled
def follow(data: Numbers, words: Numbers, work: Memory) -> None:
    """Take the uppermost state from the stack, and follow what is typed from there."""
    top = work[STACKED] - 1
    work[STACKED] = top
    base = STATES + top * STATE
    node, size, depth, i = work[base], work[base + 1], work[base + 2], work[base + 3]
    forced, left, cost = work[base + 4], work[base + 5], work[base + 6]
    length = work[LENGTH]
    while i < length or forced:
        work[LOOKED] += 1
        at = work[NODES] + NODE * node
        character = forced or work[TYPED + i]
        bit = bit_of(character)
        if words[at + NODE_FIRST] == words[at + NODE_LAST]:
            if left or mask_of(words, work, node) >> bit & 1:
                bucket(data, words, work, node, size, depth, i, forced, left, cost)
            return
        if left and not forced:
            branch(words, work, node, size, depth, i, left - 1, cost)
        node = child_of(words, work, node, character, bit)
        if node < 0:
            return
        size += width_of(character)
        depth += 1
        if forced:
            forced = 0
        else:
            i += 1
    accept_node(words, work, node, cost << 8 | depth)


@compiled
def branch(
    words: Numbers,
    work: Memory,
    node: int,
    size: int,
    depth: int,
    i: int,
    left: int,
    cost: int,
) -> None:
    """Put all states on the stack that come of one by an edit at once; `left` are left then."""
    typed, following = work[TYPED + i], 0
    final = i == work[LENGTH] - 1
    if final:
        around(words, work, node, typed, (cost + LAST) << 8 | depth)
    else:
        following = work[TYPED + i + 1]
    wanted = 1 << bit_of(typed)  # of the next character, where one is missing
    if not final:
        bit = bit_of(following)
        if following != typed:
            stack(work, node, size, depth, i + 1, 0, left, cost + EXTRA)
            child = child_of(words, work, node, following, bit)
            if child >= 0:
                wide = size + width_of(following)
                stack(work, child, wide, depth + 1, i + 2, typed, left, cost + EXCHANGED)
        wanted |= 1 << bit  # … or where one is another
    at = work[NODES] + NODE * node
    first, last = signed(words[at + NODE_FIRST]), signed(words[at + NODE_LAST])
    work[LOOKED] += last - first
    for child in range(first, last):
        # Masks first: they stand close together, and mostly settle it.
        at = work[MASKS] + 2 * child
        mask = signed(words[at]) | signed(words[at + 1]) << 32
        if left or mask & wanted:
            replace(words, work, child, mask, size, depth, i, left, cost)


@compiled
def replace(
    words: Numbers,
    work: Memory,
    child: int,
    mask: int,
    size: int,
    depth: int,
    i: int,
    left: int,
    cost: int,
) -> None:
    """Put the states on the stack in which a child stands for a missing or another character."""
    typed = work[TYPED + i]
    label = signed(words[work[LABELS] + child])
    at = work[NODES] + NODE * child
    best = (signed(words[at + NODE_COST]) + cost) << 32 | signed(words[at + NODE_BEST])
    if label == typed or best + (LEAST << 32) >= work[WORST]:
        return
    wide = size + width_of(label)
    another = i < work[LENGTH] - 1 and best + (OTHER << 32) < work[WORST]
    if another and (left or mask >> bit_of(work[TYPED + i + 1]) & 1):
        stack(work, child, wide, depth + 1, i + 1, 0, left, cost + OTHER)
    if left or mask >> bit_of(typed) & 1:
        stack(work, child, wide, depth + 1, i, 0, left, cost + MISSING)


@compiled
def around(words: Numbers, work: Memory, node: int, character: int, info: int) -> None:
    """Accept the keys of a node without those that go on with a character."""
    at = work[NODES] + NODE * node
    first, last = signed(words[at + NODE_FIRST]), signed(words[at + NODE_LAST])
    low, high = signed(words[at + NODE_KEY]), signed(words[at + NODE_END])
    child = find(words, work, first, last, character)
    if child < 0:
        accept_node(words, work, node, info)
        return
    at = work[NODES] + NODE * child
    accept(words, work, low, signed(words[at + NODE_KEY]), info)
    accept(words, work, signed(words[at + NODE_END]), high, info)


@compiled
def bucket(
    data: Numbers,
    words: Numbers,
    work: Memory,
    node: int,
    size: int,
    depth: int,
    i: int,
    forced: int,
    left: int,
    cost: int,
) -> None:
    """Accept those of a node's few keys that go on as what is typed."""
    at = work[NODES] + NODE * node
    low, high = signed(words[at + NODE_KEY]), signed(words[at + NODE_END])
    begin, info = -1, 0  # of neighbours that match alike
    for key in range(low, high):
        byte = work[TEXT] + signed(words[work[STARTS] + key]) + size
        fits = fit(data, work, byte, i, forced, left)
        if fits >= 0:
            fits += cost << 8
            # Without any edit it is found already.
            fits = -1 if left and fits >> 8 == 0 else fits + depth
        if begin >= 0 and fits != info:
            accept(words, work, begin, key, info)
            begin = -1
        if fits >= 0 and begin < 0:
            begin, info = key, fits
    work[LOOKED] += high - low
    if begin >= 0:
        accept(words, work, begin, high, info)


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
