"""From acts to edges: what counts, what is left out, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from ranker.entities import Entities, entities_of
from ranker.errors import EmptyGraphError, SignalError
from tests.unit.ranker.catalogue import acts, counted, edges, entities, loaded, policy

LIKE = {"name": "like"}
UPLOAD = {"name": "upload", "reverse_weight": 2.0, "owns": True}


def test_edges_go_from_source_to_target_and_back_with_their_weights(tmp_path: Path) -> None:
    acts(tmp_path, "like", [("user", 1, "sound", 7), ("user", 2, "sound", 7)], counts=[1.0, 3.0])
    rules = policy({"name": "like", "weight": 2.0, "reverse_weight": 0.5})
    assert edges(loaded(tmp_path, rules)) == {
        (("user", 1), ("sound", 7)): 2.0,
        (("user", 2), ("sound", 7)): 6.0,
        (("sound", 7), ("user", 1)): 0.5,
        (("sound", 7), ("user", 2)): 1.5,
    }


def test_an_old_act_weighs_less(tmp_path: Path) -> None:
    acts(tmp_path, "like", [("user", 1, "sound", 7), ("user", 2, "sound", 7)], days=[0, 10])
    found = edges(loaded(tmp_path, policy({"name": "like", "half_life_days": 10})))
    young, old = found[("user", 1), ("sound", 7)], found[("user", 2), ("sound", 7)]
    assert old / young == pytest.approx(0.5, rel=1e-4)


def test_what_cannot_be_found_has_no_edges(tmp_path: Path) -> None:
    acts(
        tmp_path,
        "like",
        [("user", 1, "sound", 7), ("user", 9, "sound", 7), ("user", 1, "sound", 8)],
    )
    entities(tmp_path, user=[1], sound=[7, 5])
    count = counted(tmp_path, policy(LIKE))["like"]
    assert (count.rows, count.used, count.unknown) == (3, 1, 2)
    assert edges(loaded(tmp_path, policy(LIKE))) == {(("user", 1), ("sound", 7)): 1.0}


def test_all_entities_are_nodes_also_those_without_activity(tmp_path: Path) -> None:
    acts(tmp_path, "like", [("user", 1, "sound", 7)])
    entities(tmp_path, user=[1, 2], sound=[7], group=[3])
    found = loaded(tmp_path, policy(LIKE))
    assert found.graph.nodes == 4
    assert found.entities.named(np.arange(4, dtype=np.uint32)) == [
        ("group", 3), ("sound", 7), ("user", 1), ("user", 2),
    ]  # fmt: skip


def test_praise_of_oneself_does_not_count(tmp_path: Path) -> None:
    acts(
        tmp_path,
        "upload",
        [("user", 1, "sound", 7), ("user", 1, "set", 4), ("user", 2, "sound", 8)],
    )
    acts(tmp_path, "like", [("user", 1, "sound", 7), ("user", 1, "sound", 8)])
    acts(tmp_path, "follow", [("user", 1, "user", 1), ("user", 1, "user", 2)])
    acts(tmp_path, "add_to_set", [("set", 4, "sound", 7), ("set", 4, "sound", 8)])
    # The order in which signals are listed does not matter.
    rules = policy({"name": "add_to_set"}, LIKE, {"name": "follow"}, UPLOAD)
    counts = counted(tmp_path, rules)
    assert {name: (one.used, one.own) for name, one in counts.items()} == {
        "add_to_set": (1, 1),  # his own sound in his own set
        "like": (1, 1),
        "follow": (1, 1),
        "upload": (3, 0),
    }
    found = edges(loaded(tmp_path, rules))
    assert found[("user", 1), ("sound", 7)] == 1.0  # by the upload alone


def test_a_source_keeps_its_heaviest_edges(tmp_path: Path) -> None:
    rows = [("user", 1, "sound", one) for one in range(5)] + [("user", 2, "sound", 0)]
    acts(tmp_path, "play", rows, counts=[3.0, 9.0, 1.0, 9.0, 4.0, 1.0])
    rules = policy({"name": "play", "most_edges": 3})
    count = counted(tmp_path, rules)["play"]
    assert (count.rows, count.used, count.capped) == (6, 4, 2)
    kept = {target[1] for source, target in edges(loaded(tmp_path, rules)) if source == ("user", 1)}
    assert kept == {1, 3, 4}


def test_those_whom_nobody_regards_can_be_left_out(tmp_path: Path) -> None:
    acts(
        tmp_path,
        "upload",
        [("user", 1, "sound", 7), ("user", 5, "sound", 8), ("user", 6, "set", 4)],
    )
    acts(
        tmp_path,
        "like",
        [("user", 1, "sound", 8), ("user", 5, "sound", 7), ("user", 9, "sound", 8)],
    )
    acts(tmp_path, "add_to_set", [("set", 4, "sound", 8)])
    rules = policy(LIKE, {"name": "add_to_set"}, UPLOAD, sources_need_in_links=True)
    counts = counted(tmp_path, rules)
    # Nobody likes what 9 made, nor the set of 6: what they do says nothing. 1 and 5 have works
    # that others like.
    assert (counts["like"].used, counts["like"].unregarded) == (2, 1)
    assert (counts["add_to_set"].used, counts["add_to_set"].unregarded) == (0, 1)
    assert counts["upload"].used == 3


@pytest.mark.parametrize("count", [float("nan"), float("inf"), -1.0, None])
def test_an_impossible_count_is_refused_with_its_row(tmp_path: Path, count: Any) -> None:
    acts(tmp_path, "like", [("user", 1, "sound", 7), ("user", 2, "sound", 7)], counts=[1.0, count])
    with pytest.raises(SignalError, match="signal like, row 2: the count is"):
        loaded(tmp_path, policy(LIKE))


def test_an_unknown_type_is_refused_by_name(tmp_path: Path) -> None:
    acts(tmp_path, "like", [("user", 1, "song", 7)])
    with pytest.raises(SignalError, match="'song' is no entity type; there are group, set"):
        loaded(tmp_path, policy(LIKE))


@pytest.mark.parametrize(
    ("column", "values", "named"),
    [
        ("source_id", pa.array(["1"]), "ids are integers"),
        ("source_id", pa.array([None], pa.int64()), "source_id is null"),
        ("source_type", pa.array([None], pa.string()), "source_type is null"),
        ("last_at", pa.array([5]), "last_at is int64"),
        ("count", pa.array([["x"]]), "count is list"),
    ],
)
def test_a_column_of_the_wrong_kind_is_refused(
    tmp_path: Path, column: str, values: pa.Array, named: str
) -> None:
    acts(tmp_path, "like", [("user", 1, "sound", 7)])
    path = tmp_path / "like.parquet"
    table = parquet.read_table(path)
    at = table.schema.names.index(column)
    parquet.write_table(table.set_column(at, column, values), path)
    with pytest.raises(SignalError, match=named):
        loaded(tmp_path, policy(LIKE))


def test_a_missing_column_and_a_broken_file_are_told(tmp_path: Path) -> None:
    acts(tmp_path, "like", [("user", 1, "sound", 7)])
    path = tmp_path / "like.parquet"
    parquet.write_table(parquet.read_table(path).drop_columns(["count"]), path)
    with pytest.raises(SignalError, match=r"like\.parquet has no column count"):
        loaded(tmp_path, policy(LIKE))
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(SignalError, match="no readable Parquet file"):
        loaded(tmp_path, policy(LIKE))


def test_no_entities_are_an_error_and_no_activity_is_none(tmp_path: Path) -> None:
    acts(tmp_path, "like", [])
    with pytest.raises(EmptyGraphError):
        loaded(tmp_path, policy(LIKE))
    entities(tmp_path, user=[1, 2])
    found = loaded(tmp_path, policy(LIKE))
    assert (found.graph.nodes, found.graph.edges) == (2, 0)


def test_a_folder_without_any_signal_is_told(tmp_path: Path) -> None:
    with pytest.raises(SignalError, match=r"like\.parquet"):
        loaded(tmp_path, policy(LIKE))


def test_ids_beyond_32_bits_are_ids_as_any_other(tmp_path: Path) -> None:
    large = 2**62 + 1
    acts(tmp_path, "like", [("user", large, "sound", 2**33), ("user", 3, "sound", 2**33)])
    found = edges(loaded(tmp_path, policy(LIKE)))
    assert set(found) == {
        (("user", large), ("sound", 2**33)),
        (("user", 3), ("sound", 2**33)),
    }


def test_an_id_below_zero_is_refused(tmp_path: Path) -> None:
    acts(tmp_path, "like", [("user", -1, "sound", 7)])
    with pytest.raises(SignalError, match="a user with the id -1"):
        loaded(tmp_path, policy(LIKE))


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]),
        st.sets(st.integers(0, 40) | st.integers(2**40, 2**63 - 1), max_size=12),
        min_size=1,
    ).filter(lambda some: any(some.values()))
)
def test_every_entity_has_a_number_of_its_own(ids: dict[str, set[int]]) -> None:
    made = entities_of({name: np.array(sorted(some), np.int64) for name, some in ids.items()})
    numbers: list[int] = []
    for name, some in ids.items():
        own = made.numbers(name, np.array(sorted(some), np.int64))
        assert made.named(own.astype(np.uint32)) == [(name, one) for one in sorted(some)]
        numbers += own.tolist()
        absent = np.array(sorted({41, 42, 2**39} | {one + 1 for one in some if one < 2**63 - 1}))
        unknown = made.numbers(name, absent)
        assert [int(one) in some for one in absent] == (unknown >= 0).tolist()
    assert sorted(numbers) == list(range(len(made)))


def test_sparse_ids_take_no_table() -> None:
    made = Entities(ids={"user": np.array([0, 2**62], np.int64)})
    assert made.numbers("user", np.array([2**62, 5])).tolist() == [1, -1]
