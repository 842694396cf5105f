"""Comparing digests: a stream of COPY BINARY, and two ascending lists."""

import struct
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.changes import Row, Stored
from indexer.verification import Difference, Digests, Kind, _differences, _kind, _parse_copy

INTEGERS = st.integers(-(2**63), 2**63 - 1)
# Few ids and digests, so that both sides have much in common.
SIDES = st.dictionaries(st.integers(0, 12), st.integers(0, 2), max_size=10)
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"


def copy_stream(pairs: list[tuple[int, int]]) -> bytearray:
    """What PostgreSQL sends for two bigint columns."""
    tuples = b"".join(struct.pack(">hiqiq", 2, 8, one, 8, digest) for one, digest in pairs)
    return bytearray(_SIGNATURE + struct.pack(">ii", 0, 0) + tuples + struct.pack(">h", -1))


def digests(side: Mapping[int, int]) -> Digests:
    return np.array(sorted(side.items()), dtype=np.int64).reshape(-1, 2)


@given(st.lists(st.tuples(INTEGERS, INTEGERS)))
def test_a_copy_stream_is_parsed(pairs: list[tuple[int, int]]) -> None:
    parsed = _parse_copy(copy_stream(pairs))
    assert parsed.shape == (len(pairs), 2)
    assert parsed.dtype == np.int64
    assert [tuple(pair) for pair in parsed.tolist()] == pairs


def test_an_empty_copy_stream_has_no_rows() -> None:
    assert _parse_copy(copy_stream([])).shape == (0, 2)


def test_a_stream_that_broke_off_is_no_result() -> None:
    with pytest.raises(ValueError, match="multiple"):
        _parse_copy(copy_stream([(1, 2), (3, 4)])[:-5])


@given(SIDES, SIDES)
def test_differences_are_those_of_sets(rows: dict[int, int], documents: dict[int, int]) -> None:
    found = {(one.id, one.kind) for one in _differences("sound", digests(rows), digests(documents))}
    expected = {(one, Kind.MISSING) for one in rows.keys() - documents.keys()}
    expected |= {(one, Kind.GHOST) for one in documents.keys() - rows.keys()}
    expected |= {
        (one, Kind.STALE) for one in rows.keys() & documents.keys() if rows[one] != documents[one]
    }
    assert found == expected


@given(SIDES)
def test_equal_sides_do_not_differ(side: dict[int, int]) -> None:
    assert list(_differences("sound", digests(side), digests(side))) == []


def test_a_difference_knows_its_key() -> None:
    (one,) = _differences("sound", digests({2**40: 1}), digests({}))
    assert one == Difference(entity="sound", id=2**40, kind=Kind.MISSING)
    assert one.key == ("sound", 2**40)
    assert type(one.id) is int


ROW = Row(5, b"{}", 7)
SAME, OTHER, NOTHING = Stored(5, 7), Stored(5, 8), Stored(0, None)


@pytest.mark.parametrize(
    ("row", "stored", "kind"),
    [
        (ROW, [SAME], None),
        (ROW, [SAME, SAME], None),
        (ROW, [OTHER], Kind.STALE),
        (ROW, [SAME, OTHER], Kind.STALE),
        (ROW, [NOTHING], Kind.MISSING),
        (ROW, [SAME, NOTHING], Kind.MISSING),
        (ROW, [], None),
        (None, [NOTHING], None),
        (None, [SAME], Kind.GHOST),
        (None, [NOTHING, SAME], Kind.GHOST),
        (None, [], None),
    ],
)
def test_the_kind_of_a_second_look(
    row: Row | None, stored: list[Stored], kind: Kind | None
) -> None:
    assert _kind(row, stored) == kind
