"""Systems that searched a collection: measured in parts, and ours compared with the others."""

import pytest

from evaluation.collections.collection import JudgedCollection
from evaluation.collections.result import result
from evaluation.qrels import Qrels

GRADES = {str(query): {f"d{query}": 4} for query in range(1, 6)}
COLLECTION = JudgedCollection(
    name="tiny",
    documents=(),
    queries=dict.fromkeys(GRADES, "text"),
    qrels=Qrels(path="tiny", grades=GRADES),
)
RIGHT = {query: [f"d{query}"] for query in GRADES}
LATE = {query: ["x", f"d{query}"] for query in GRADES}


def test_parts_are_measured_by_themselves_and_a_lack_of_hits_counts() -> None:
    only_odd = {query: docs if int(query) % 2 else [] for query, docs in RIGHT.items()}
    found = result(COLLECTION, {"ours": only_odd}, ours="ours")
    assert {name: one.queries for name, one in found.parts.items()} == {
        "all": 5,
        "odd": 3,
        "even": 2,
    }
    assert [one.systems["ours"]["RR"] for one in found.parts.values()] == [
        pytest.approx(0.6),
        1.0,
        0.0,
    ]


def test_differences_are_ours_less_the_other() -> None:
    found = result(COLLECTION, {"defaults": LATE, "ours": RIGHT}, ours="ours")
    assert found.parts["all"].differences["defaults"]["RR"].difference == pytest.approx(0.5)
    assert "ours" not in found.parts["all"].differences


def test_one_query_is_measured_but_not_compared() -> None:
    one = JudgedCollection(
        name="one",
        documents=(),
        queries={"1": "text"},
        qrels=Qrels(path="one", grades={"1": {"d1": 4}}),
    )
    found = result(one, {"defaults": LATE, "ours": RIGHT}, ours="ours")
    assert set(found.parts) == {"all", "odd"}
    assert found.parts["all"].systems["ours"]["RR"] == 1.0
    assert found.parts["all"].differences == {"defaults": {}}
