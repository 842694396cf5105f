import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suggest import builder, trie
from suggest.kernel.compilation import ones
from suggest.kernel.memory import (
    NODE,
    NODE_END,
    NODE_KEY,
    NODE_TOP,
    PLACE,
    PLACE_ENTITY,
    TOP,
    TOPS_EACH,
)
from suggest.kernel.nodes import bit_of
from suggest.phrases import Phrase

CHARACTERS = [*range(0x20, 0x250), 0x3B1, 0x434, 0x3042, 0x65E5, 0xAC00, 0x1F525]


def test_builder_and_kernel_agree_on_the_bit_of_a_character() -> None:
    bits = trie.bits_of(np.array(CHARACTERS))
    assert [bit_of(character) for character in CHARACTERS] == bits.tolist()
    assert bits.min() >= 0
    assert bits.max() < 63  # the sign of a number of 64 bits is left alone


def test_common_characters_have_bits_of_their_own_in_their_order() -> None:
    common = [ord(character) for character in " 0123456789abcdefghijklmnopqrstuvwxyz"]
    bits = trie.bits_of(np.array(common)).tolist()
    assert len(set(bits)) == len(common)
    assert bits == sorted(bits)


@given(st.integers(0, 2**62))
def test_ones_are_counted(bits: int) -> None:
    assert ones(bits) == bits.bit_count()


def test_a_node_lists_the_best_of_its_range_each_entity_once() -> None:
    phrases = [
        Phrase(f"{word} {number}", (number * 7919) % 1_000, "sound", str(number % 40), None)
        for word in ("rain", "rainbow", "sun")
        for number in range(60)
    ]
    sections = builder.build(phrases).sections
    nodes = sections["nodes"].reshape(-1, NODE)
    tops = sections["tops"].reshape(-1, TOPS_EACH, TOP)
    places, starts = sections["key_places"], sections["starts"]
    entity = sections["places"].reshape(-1, PLACE)[places, PLACE_ENTITY]
    listed = [node for node in nodes if node[NODE_TOP] != trie.NOTHING]
    assert len(listed) == len(tops) > 3
    for node in listed:
        seen: dict[int, int] = {}
        keys = range(node[NODE_KEY], node[NODE_END])
        for key in sorted(keys, key=lambda key: (places[key], key)):
            seen.setdefault(int(entity[key]), key)
        expected = [[places[key], starts[key]] for key in seen.values()][:TOPS_EACH]
        found = tops[node[NODE_TOP]]
        assert found[: len(expected)].tolist() == expected
        assert (found[len(expected) :] == trie.NOTHING).all()
