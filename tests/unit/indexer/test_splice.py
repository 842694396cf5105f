"""The splice: ranks in documents and in their digests."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.definitions import Recipe
from core.rank_editions import RankStore, Slot, Slots
from indexer.errors import TemporarilyUnavailableError
from indexer.splice import RankView, complete, marks_of, rows_of

RANKED = Recipe(
    entity="sound", source_table="sounds", hydrate_sql="", dependents_sql=None, ranked=True
)
PLAIN = Recipe(entity="sound", source_table="sounds", hydrate_sql="", dependents_sql=None)
RANKS = st.integers(0, 255)


def put(store: RankStore, ranks: dict[int, int]) -> str:
    ids = sorted(ranks)
    arrays: dict[str, NDArray[Any]] = {
        "sound.ids.npy": np.array(ids, np.int64),
        "sound.ranks.npy": np.array([ranks[one] for one in ids], np.uint8),
    }
    return store.put(arrays, {}, at=datetime.now(UTC)).name


@pytest.fixture
def store(tmp_path: Path) -> RankStore:
    made = RankStore(tmp_path / "ranks")
    made.record(Slots(a=put(made, {1: 10, 2: 0}), b=put(made, {1: 0, 2: 20, 3: 30})))
    return made


def records(*ids: int) -> list[Any]:
    return [(one, 100 + one, f'{{"id":{one},"title":"x"}}', one * 7) for one in ids]


def documents(recipe: Recipe, view: RankView, *ids: int) -> dict[int, dict[str, Any]]:
    rows = rows_of(recipe, records(*ids), view)
    assert [key for key, _ in rows] == [("sound", one) for one in ids]
    found = {key[1]: json.loads(row.document) for key, row in rows}
    assert all(found[key[1]]["digest"] == row.digest for key, row in rows)
    assert all(row.updated_at == 100 + key[1] for key, row in rows)
    return found


def test_documents_have_the_ranks_of_both_slots_and_zeros_are_left_out(store: RankStore) -> None:
    found = documents(RANKED, RankView(store), 1, 2, 3, 4)
    ranks = {one: {key: found[one].get(key) for key in ("rank_a", "rank_b")} for one in found}
    assert ranks == {
        1: {"rank_a": 10, "rank_b": None},
        2: {"rank_a": None, "rank_b": 20},
        3: {"rank_a": None, "rank_b": 30},
        4: {"rank_a": None, "rank_b": None},
    }
    assert found[4] == {"type": "sound", "digest": 28, "id": 4, "title": "x"}
    assert found[1]["digest"] != 7


def test_where_documents_have_no_fields_for_ranks_they_stay_as_they_are(store: RankStore) -> None:
    assert documents(PLAIN, RankView(store), 1)[1] == {
        "type": "sound", "digest": 7, "id": 1, "title": "x",
    }  # fmt: skip


def test_without_a_store_documents_are_what_they_always_were(tmp_path: Path) -> None:
    view = RankView(RankStore(tmp_path / "none"))
    assert documents(RANKED, view, 1)[1]["digest"] == 7


@given(st.lists(st.tuples(RANKS, RANKS), unique=True, min_size=2))
def test_no_two_pairs_of_ranks_have_one_mark(pairs: list[tuple[int, int]]) -> None:
    a, b = (np.array(column, np.uint8) for column in zip(*pairs, strict=True))
    marks = marks_of(a, b)
    assert len(set(marks.tolist())) == len(pairs)
    assert [mark == 0 for mark in marks] == [pair == (0, 0) for pair in pairs]


def test_verification_sees_the_digests_that_documents_carry(store: RankStore) -> None:
    view = RankView(store)
    rows = rows_of(RANKED, records(1, 2, 3, 4), view)
    plain = np.array([[record[0], record[3]] for record in records(1, 2, 3, 4)], np.int64)
    marked = view.marked(RANKED, plain)
    assert marked.tolist() == [[key[1], row.digest] for key, row in rows]
    assert view.marked(PLAIN, plain).tolist() == plain.tolist()


def test_a_window_tells_the_same_for_who_has_the_database_splice(store: RankStore) -> None:
    view = RankView(store)
    ids, texts, marks = view.window(RANKED, 0, 3)
    assert ids == [1, 2]
    rows = dict(rows_of(RANKED, records(*ids), view))
    for one, text, mark in zip(ids, texts, marks, strict=True):
        _, _, document, digest = records(one)[0]
        assert complete("sound", document, digest ^ mark, text) == rows["sound", one].document
    assert view.window(RANKED, 4, 9) == ([], [], [])
    assert view.window(PLAIN, 0, 9) == ([], [], [])


def test_the_view_follows_the_slots(store: RankStore) -> None:
    view = RankView(store)
    assert documents(RANKED, view, 1)[1]["rank_a"] == 10
    store.record(store.slots().with_edition(Slot.A, put(store, {1: 11})))
    assert documents(RANKED, view, 1)[1]["rank_a"] == 11
    store.record(Slots())
    assert "rank_a" not in documents(RANKED, view, 1)[1]


def test_a_damaged_edition_is_refused_and_the_former_ranks_stay(store: RankStore) -> None:
    view = RankView(store)
    documents(RANKED, view, 1)
    damaged = put(store, {1: 99})
    file = store.folder / damaged / "sound.ranks.npy"
    file.write_bytes(file.read_bytes()[:-1])
    store.record(store.slots().with_edition(Slot.A, damaged))
    assert documents(RANKED, view, 1)[1]["rank_a"] == 10
    # Who starts now knows no former ranks: nothing is written rather than something wrong.
    with pytest.raises(TemporarilyUnavailableError, match="damaged or was altered"):
        rows_of(RANKED, records(1), RankView(store))
