"""Krippendorff's alpha, against the numbers that he published."""

import pytest

from evaluation.agreement import agreement, alpha
from evaluation.judgments import Entity, Judgment

# K. Krippendorff, Computing Krippendorff's alpha-reliability (2011), C: four observers, twelve
# units, data that lack some values.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
UNITS = [[value for value in unit if value is not None] for unit in zip(*OBSERVERS, strict=True)]


@pytest.mark.parametrize(
    ("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_it_is_the_published_number(metric: str, published: float) -> None:
    found = alpha(UNITS, metric)
    assert found is not None
    assert round(found, 3) == published


def test_the_published_number_of_two_observers() -> None:
    # The same paper, B: nominal data, two observers, none lacking.
    one, other = "aabbdcccedda", "babbbccceddd"
    coded = [[ord(a), ord(b)] for a, b in zip(one, other, strict=True)]
    found = alpha(coded, "nominal")
    assert found is not None
    assert round(found, 3) == 0.692


@pytest.mark.parametrize("units", [[], [[1]], [[1, 1], [1, 1]], [[2], [1]]])
def test_it_is_not_defined_where_nothing_could_differ(units: list[list[int]]) -> None:
    assert alpha(units) is None


def test_all_agree_and_all_differ() -> None:
    assert alpha([[0, 0], [1, 1], [3, 3]]) == 1.0
    opposed = alpha([[0, 1], [1, 0]])
    assert opposed is not None
    assert opposed < 0


def test_agreement_of_raters_over_what_several_have_judged() -> None:
    given = {"ana": (3, 0, 1, 2), "bo": (3, 0, 0), "cy": (0, 3)}
    judgments = [
        Judgment(query="q", entity=Entity("sound", str(number)), rater=rater, grade=grade)
        for rater, grades in given.items()
        for number, grade in enumerate(grades)
    ]
    found = agreement(judgments)
    assert (found.raters, found.items) == (3, 3)
    assert found.equal == pytest.approx(2 / 7)
    assert set(found.pairs) == {"ana, bo", "ana, cy", "bo, cy"}
    pair = found.pairs["ana, bo"]
    assert pair is not None
    assert found.alpha is not None
    assert pair > found.alpha
