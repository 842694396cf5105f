import pytest

from evaluation import measures
from evaluation.errors import MeasureError


def parsed(*texts: str) -> list[str]:
    return [str(one) for one in measures.parse(texts)]


def test_names_are_separated_by_commas_or_blanks_and_count_once() -> None:
    assert parsed("nDCG@10, AP P(rel=2)@5", "AP,") == ["nDCG@10", "AP", "P(rel=2)@5"]


def test_commas_in_parameters_do_not_separate() -> None:
    assert parsed("P(rel=2, judged_only=True)@5,nDCG(gains={0:0,1:5})@3,RR") == [
        "P(rel=2,judged_only=True)@5",
        "nDCG(gains={1:5})@3",
        "RR",
    ]


def test_other_names_of_a_measure_are_understood() -> None:
    assert parsed("MAP,MRR@10,Recall@5,NumRelRet") == ["AP", "RR@10", "R@5", "NumRet(rel=1)"]


def test_the_defaults_are_valid() -> None:
    assert parsed(*measures.DEFAULTS) == list(measures.DEFAULTS)


@pytest.mark.parametrize("name", sorted(measures.NAMES))
def test_every_name_is_valid_by_itself_or_says_what_it_needs(name: str) -> None:
    try:
        measures.parse([name])
    except MeasureError as error:
        assert f"write it like {measures.NAMES[name].NAME}@" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nDGC@10", "there is no measure 'nDGC@10'; did you mean nDCG"),
        ("precison@5", "did you mean P"),
        ("ndcg@10", "did you mean nDCG"),
        ("map", "trec_eval's map is written AP"),
        ("ndcg_cut_10", "trec_eval's ndcg_cut_10 is written nDCG@10"),
        ("nonsense", "There are AP, Bpref, ERR, infAP, IPrec, Judged, nDCG"),
        ("RBP", "measure 'RBP' is not calculated here"),
        ("P", "measure 'P' needs a cutoff: write it like P@10"),
        ("IPrec", "needs a recall: write it like IPrec@0.1"),
        ("P@0", "cutoff is 0; give a whole number from 1 to 1,000,000"),
        ("P@-1", "cannot be read; write it like nDCG@10"),
        ("P@True", "give a whole number from 1"),
        ("P@x", "cannot be read; write it like nDCG@10"),
        ("P(rel=0)@5", "rel is 0; give a whole number from 1"),
        ("P(depth=3)@5", "has no parameter depth; it takes: cutoff, rel, judged_only"),
        ("AP(judged_only=1)", "judged_only is 1; give True or False"),
        ("IPrec@1", "recall is 1; give a number with a decimal point, from 0.0 to 1.0"),
        ("nDCG(gains={0:1.5})", "give whole numbers by grade, like {0:0,1:1,2:5}"),
        ("nDCG(dcg='exp-log2')@5", "cannot be calculated with these parameters"),
        ("P@5;AP", "cannot be read"),
        ("open('x')", "cannot be read"),
        ("P(rel=2@5", "give names, separated by commas"),
        ("", "give names, separated by commas"),
    ],
)
def test_a_wrong_measure_is_refused_with_valid_ones(text: str, problem: str) -> None:
    with pytest.raises(MeasureError) as raised:
        measures.parse([text])
    assert problem in str(raised.value)
