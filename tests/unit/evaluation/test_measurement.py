import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import measures, qrels, runs
from evaluation.errors import NothingInCommonError
from evaluation.measurement import Measurement, measured
from evaluation.qrels import Qrels
from evaluation.runs import Run

ROOT = Path(__file__).resolve().parents[3]
#: trec_eval's own test: qrels.test, results.test, and out.test, which it prints of them.
PUBLISHED = Path(os.environ.get("TREC_EVAL_TEST", ROOT.parent / "shared" / "data" / "trec_eval"))

# Query a: the ranking is x, d1, d3, d2, for d3 comes before d2 by the rule for equal scores. Of
# the relevant d1 (2), d3 (1) and d4 (1), ranks 2 and 3 have two. Query c has no results, and d no
# judgments.
GRADES = {"a": {"d1": 2, "d2": 0, "d3": 1, "d4": 1}, "b": {"d1": 1}, "c": {"d1": 1}}
SCORES = {
    "d": {"d1": 1.0},
    "b": {"d1": 0.25},
    "a": {"d2": 0.5, "d3": 0.5, "x": 0.9, "d1": 0.8},
}
BY_HAND: dict[str, dict[str, float]] = {
    "AP": {"a": (1 / 2 + 2 / 3) / 3, "b": 1.0},
    "RR": {"a": 1 / 2, "b": 1.0},
    "RR@1": {"a": 0.0, "b": 1.0},
    "P@2": {"a": 1 / 2, "b": 1 / 2},
    "P(rel=2)@2": {"a": 1 / 2, "b": 0.0},
    "P(judged_only=True)@2": {"a": 1.0, "b": 1 / 2},
    "RR(judged_only=True)@5": {"a": 1.0, "b": 1.0},
    "R@2": {"a": 1 / 3, "b": 1.0},
    # (2 / log2 3 + 1 / log2 4) / (2 / log2 2 + 1 / log2 3 + 1 / log2 4)
    "nDCG@3": {"a": 1.76185951 / 3.13092975, "b": 1.0},
    # Grades 2 and 1 satisfy 3 and 1 of 16 readers: 3/16 / 2 + 13/16 * 1/16 / 3
    "ERR@3": {"a": 0.11067708, "b": 1 / 16},
    "Judged@3": {"a": 2 / 3, "b": 1.0},
    "IPrec@0.5": {"a": 2 / 3, "b": 1.0},  # half of 3 is rounded to 2
    "IPrec@1.0": {"a": 0.0, "b": 1.0},
    "NumRel": {"a": 3, "b": 1},
    "NumRet": {"a": 4, "b": 1},
}


def scored(
    names: list[str],
    *,
    grades: Mapping[str, Mapping[str, int]] = GRADES,
    scores: Mapping[str, Mapping[str, float]] = SCORES,
    complete: bool = False,
) -> Measurement:
    judged, run = Qrels(path="qrels", grades=grades), Run(path="run", scores=scores)
    return measured(judged, run, measures.parse(names), complete=complete)


@pytest.mark.parametrize("name", BY_HAND)
def test_values_are_those_calculated_by_hand(name: str) -> None:
    found = scored([name])
    expected = BY_HAND[name]
    assert {one: values[name] for one, values in found.queries.items()} == pytest.approx(expected)
    count = name.startswith("Num")
    assert found.measures[name] == pytest.approx(sum(expected.values()) / (1 if count else 2))


def test_a_measure_has_the_same_value_in_any_company() -> None:
    odd = ["nDCG(gains={0:0,1:9,2:1})@3", "AP(judged_only=True)", "NumRel(rel=1)", "SetF(beta=0.5)"]
    names = [*odd, *BY_HAND]
    alone = {str(one): scored([str(one)]).measures[str(one)] for one in measures.parse(names)}
    assert scored(names).measures == alone
    assert scored(names[::-1]).measures == alone


def test_queries_without_judgments_or_without_results_do_not_count() -> None:
    found = scored(["AP"])
    assert list(found.queries) == ["a", "b"]
    counts = found.counts
    assert (counts.queries, counts.missing_queries, counts.unjudged_queries) == (2, 1, 1)
    assert (counts.judgments, counts.results, counts.complete) == (6, 6, False)


def test_complete_counts_queries_without_results_as_nothing_found() -> None:
    names = [*BY_HAND, "SetP", "SetF", "Bpref", "Rprec", "infAP", "Success@5"]
    part, whole = scored(names), scored(names, complete=True)
    assert list(whole.queries) == ["a", "b", "c"]
    for name in set(names) - {"NumRel", "NumRet"}:
        assert whole.queries["c"][name] == 0.0
        assert whole.measures[name] == pytest.approx(part.measures[name] * 2 / 3)
    assert (whole.measures["NumRel"], whole.measures["NumRet"]) == (5, 5)
    assert whole.counts.queries == 3


def test_no_query_in_common_is_an_error() -> None:
    for complete in (False, True):
        with pytest.raises(NothingInCommonError, match=r"such as 'd'.*such as 'a'"):
            scored(["AP"], scores={"d": {"d1": 1.0}}, complete=complete)


def test_grades_below_zero_are_judged_and_not_relevant() -> None:
    found = scored(
        ["AP", "nDCG@5", "ERR@5", "Judged@5", "Bpref", "NumRel"],
        grades={"q": {"d": -1}},
        scores={"q": {"d": 1.0, "e": 2.0}},
    )
    assert found.measures == {
        **dict.fromkeys(("AP", "nDCG@5", "ERR@5", "Bpref", "NumRel"), 0.0),
        "Judged@5": 0.5,
    }


def test_grades_above_four_widen_the_scale_of_err() -> None:
    found = scored(["ERR@1"], grades={"q": {"d": 9}}, scores={"q": {"d": 1.0}})
    assert found.measures["ERR@1"] == pytest.approx(511 / 512)


def test_the_largest_grade_is_no_overflow() -> None:
    grades = {"q": {"d": qrels.HIGHEST_GRADE, "e": 1, "f": -qrels.HIGHEST_GRADE}}
    found = scored(["ERR@2", "nDCG@2"], grades=grades, scores={"q": {"d": 2.0, "f": 1.0}})
    assert found.measures["ERR@2"] == pytest.approx(1.0)
    assert 0.99 < found.measures["nDCG@2"] <= 1.0


_IDS = st.sampled_from([*"abcdefgh", "é", "Z", "10", "9"])
_SCORES = st.sampled_from([0.0, -1.0, 1.0, 1.0 + 1e-9, 1.0 + 1e-6, 3.5])


@given(
    st.dictionaries(_IDS, st.integers(-2, 4), min_size=1),
    st.dictionaries(_IDS, _SCORES, min_size=1),
)
def test_the_projects_own_order_is_that_of_trec_eval(
    grades: dict[str, int], scores: dict[str, float]
) -> None:
    ranking = runs.ranked(scores)
    found = scored(
        ["RR", "RR@99", *(f"P@{depth}" for depth in range(1, len(ranking) + 1))],
        grades={"q": grades},
        scores={"q": scores},
    )
    assert found.measures["RR"] == pytest.approx(found.measures["RR@99"])
    for depth in range(1, len(ranking) + 1):
        relevant = sum(grades.get(doc, 0) > 0 for doc in ranking[:depth])
        assert found.measures[f"P@{depth}"] == pytest.approx(relevant / depth)


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="set TREC_EVAL_TEST to trec_eval's folder test")
def test_numbers_are_those_that_trec_eval_publishes() -> None:
    lines = (PUBLISHED / "out.test").read_text().splitlines()
    printed = {name.strip(): value for name, _, value in (line.split("\t") for line in lines)}
    names = {ours: name for name in printed if (ours := _our_name(name))}
    assert len(names) == len(printed) - 2  # the run's tag, and gm_map, which has no name here
    judged = qrels.read(str(PUBLISHED / "qrels.test"))
    run = runs.read(str(PUBLISHED / "results.test"))
    found = measured(judged, run, measures.parse(names)).measures
    for ours, name in names.items():
        places = 0 if name.startswith("num_") else 4
        assert f"{found[ours]:.{places}f}" == printed[name], name


def _our_name(name: str) -> str | None:
    stem, _, number = name.rpartition("_")
    if stem == "P":
        return f"P@{number}"
    if stem == "iprec_at_recall":
        return f"IPrec@{float(number)}"
    return {
        "num_q": "NumQ",
        "num_ret": "NumRet",
        "num_rel": "NumRel",
        "num_rel_ret": "NumRet(rel=1)",
        "map": "AP",
        "Rprec": "Rprec",
        "bpref": "Bpref",
        "recip_rank": "RR",
    }.get(name)
