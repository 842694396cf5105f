"""The writer's pure parts: lines of a bulk body, chunks of it, and answers to its items."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import writer
from indexer.changes import Outcome, Row, Stored, Write
from indexer.writer import _action, _chunks, _stored, answer_of

ROW = Row(5, '{"id":1,"title":"Grün"}'.encode(), 7)


def test_a_document_is_indexed_under_its_external_version() -> None:
    head, body, end = _action(Write(("sound", 42), 5, ROW), "disco-sound-x").split(b"\n")
    assert json.loads(head) == {
        "index": {
            "_index": "disco-sound-x",
            "_id": "42",
            "version": 5,
            "version_type": "external",
        }
    }
    assert body == ROW.document
    assert end == b""


def test_a_deletion_has_a_version_and_no_body() -> None:
    head, end = _action(Write(("sound", 42), 5, None), "disco-sound-x").split(b"\n")
    assert json.loads(head) == {
        "delete": {
            "_index": "disco-sound-x",
            "_id": "42",
            "version": 5,
            "version_type": "external",
        }
    }
    assert end == b""


@given(st.lists(st.none() | st.integers(0, 500), max_size=20), st.integers(1, 3))
def test_chunks_keep_the_order_and_stay_below_the_limit(
    sizes: list[int | None], generations: int
) -> None:
    limit = 1_000
    writes = [
        Write(("sound", n), 1, None if size is None else Row(1, b"x" * size, 0))
        for n, size in enumerate(sizes)
    ]
    plan = [(number, str(name)) for number in range(len(writes)) for name in range(generations)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "_LARGEST_BODY", limit)
        chunks = _chunks(plan, writes)
    assert [one for chunk in chunks for one in chunk] == plan
    for chunk in chunks:
        assert chunk
        assert sum(200 + (sizes[number] or 0) for number, _ in chunk) <= limit


def test_a_document_above_the_limit_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_LARGEST_BODY", 1_000)
    writes = [Write(("sound", n), 1, Row(1, b"x" * 5_000, 0)) for n in range(3)]
    assert _chunks([(0, "a"), (1, "a"), (2, "a")], writes) == [[(0, "a")], [(1, "a")], [(2, "a")]]


def test_what_no_generation_takes_is_not_sent() -> None:
    assert _chunks([], []) == []


@pytest.mark.parametrize(
    ("operation", "status", "outcome"),
    [
        ("index", 200, Outcome.INDEXED),
        ("index", 201, Outcome.INDEXED),
        ("delete", 200, Outcome.DELETED),
        ("delete", 404, Outcome.ABSENT),
    ],
)
def test_an_item_that_was_taken(operation: str, status: int, outcome: Outcome) -> None:
    assert answer_of(operation, {"status": status}) == (outcome, "", 0)


@pytest.mark.parametrize("operation", ["index", "delete"])
@pytest.mark.parametrize(
    ("status", "kind", "outcome"),
    [
        (409, "version_conflict_engine_exception", Outcome.CONFLICT),
        (400, "document_parsing_exception", Outcome.REJECTED),
        (400, "strict_dynamic_mapping_exception", Outcome.REJECTED),
        (413, "request_too_large", Outcome.REJECTED),
        (429, "es_rejected_execution_exception", Outcome.UNAVAILABLE),
        (429, "circuit_breaking_exception", Outcome.UNAVAILABLE),
        (503, "unavailable_shards_exception", Outcome.UNAVAILABLE),
        (404, "index_not_found_exception", Outcome.UNAVAILABLE),
        (403, "cluster_block_exception", Outcome.UNAVAILABLE),
        (400, "index_closed_exception", Outcome.UNAVAILABLE),
    ],
)
def test_an_item_that_was_not_taken(
    operation: str, status: int, kind: str, outcome: Outcome
) -> None:
    answer = answer_of(operation, {"status": status, "error": {"type": kind, "reason": "so"}})
    assert (answer.outcome, answer.reason) == (outcome, f"{kind}: so")


def test_the_cause_is_part_of_the_reason() -> None:
    error = {"type": "a", "reason": "b", "caused_by": {"reason": "c"}}
    assert answer_of("index", {"status": 400, "error": error}).reason == "a: b: c"


@pytest.mark.parametrize(
    ("reason", "version"),
    [
        (
            "[42]: version conflict, current version [17] is higher or equal to the provided [5]",
            17,
        ),
        ("[42]: version conflict", 0),
    ],
)  # fmt: skip
def test_a_conflict_tells_the_version_that_is_there(reason: str, version: int) -> None:
    error = {"type": "version_conflict_engine_exception", "reason": reason}
    assert answer_of("index", {"status": 409, "error": error}).version == version


@pytest.mark.parametrize(
    ("document", "stored"),
    [
        ({"_id": "1", "found": False}, Stored(0, None)),
        ({"_id": "1"}, Stored(0, None)),
        ({"_id": "1", "found": True, "_version": 5, "_source": {"digest": -7}}, Stored(5, -7)),
        ({"_id": "1", "found": True, "_version": 5, "_source": {"digest": 0}}, Stored(5, 0)),
        # A document without a digest equals no row, but one whose digest is 0 by chance.
        ({"_id": "1", "found": True, "_version": 5, "_source": {}}, Stored(5, 0)),
        ({"_id": "1", "found": True, "_version": 5}, Stored(5, 0)),
    ],
)
def test_what_a_multi_get_tells(document: dict[str, Any], stored: Stored) -> None:
    assert _stored(document) == stored
