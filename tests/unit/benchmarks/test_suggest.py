import random

import pytest

from benchmarks import suggest_corpus
from benchmarks.suggest import quality
from benchmarks.suggest_corpus import LONGEST_PREFIX, Name, Query, query_log, with_typo
from suggest.folding import fold
from tests.unit.suggest.oracle import cheapest


def test_generated_names_are_distinct_repeatable_and_the_heaviest_first() -> None:
    names = suggest_corpus.generated(500)
    assert names == suggest_corpus.generated(500)
    assert len({fold(name.text) for name in names}) == 500
    weights = [name.weight for name in names]
    assert weights == sorted(weights, reverse=True)
    assert {name.type for name in names} == {"sound", "user", "set", "group"}


def test_the_query_log_has_beginnings_drawn_by_weight_and_some_typos() -> None:
    names = [
        Name(text="Heavy Rain", weight=99, type="sound"),
        Name(text="x", weight=1, type="user"),
    ]
    log = query_log(names, 2_000)
    assert log == query_log(names, 2_000)
    heavy = [query for query in log if query.wanted == "Heavy Rain"]
    assert len(heavy) > 1_900
    assert {len(query.typed) for query in heavy if not query.typo} == set(range(1, 11))
    assert all("heavy rain".startswith(query.typed) for query in heavy if not query.typo)
    assert 0.1 < sum(query.typo for query in log) / len(log) < 0.2
    assert all(len(query.typed) <= LONGEST_PREFIX + 1 for query in log)


@pytest.mark.parametrize("text", ["ab", "aaaa", "heavy rain", "日本語"])
def test_a_typo_is_one_edit(text: str) -> None:
    draw = random.Random(1)
    slips = {with_typo(text, draw) for _ in range(300)}
    assert text not in slips
    assert len({len(slip) - len(text) for slip in slips}) == 3
    # Everything below what was meant is one edit away.
    assert all(cheapest(slip, text + " and more", 1) is not None for slip in slips)


def test_quality_counts_places() -> None:
    queries = [
        Query(typed="a", wanted="A", typo=False),
        Query(typed="b", wanted="B", typo=False),
        Query(typed="c", wanted="C", typo=True),
    ]
    found = quality(queries, [["A", "x"], ["x", "B"], []])
    assert found["clean_success1"] == 0.5
    assert found["clean_success10"] == 1.0
    assert found["clean_mrr"] == 0.75
    assert found["typo_success10"] == 0.0
    assert found["all_success1"] == pytest.approx(1 / 3)
