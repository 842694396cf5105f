"""A draft is fair, and the same each time."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from evaluation.experiments.interleaving import FIRST, SECOND, team_draft

RANKING = st.lists(st.integers(0, 30), unique=True, max_size=20)


@given(first=RANKING, second=RANKING, most=st.integers(0, 30), seed=st.text(max_size=5))
def test_the_list_has_what_both_have_each_once(
    first: list[int], second: list[int], most: int, seed: str
) -> None:
    drafted = team_draft(first, second, seed=seed, most=most)
    hits = [hit for hit, _ in drafted]
    assert len(set(hits)) == len(hits) == min(most, len({*first, *second}))
    for team, ranking in ((FIRST, first), (SECOND, second)):
        own = [hit for hit, whose in drafted if whose == team]
        assert own == sorted(own, key=ranking.index), "a team's hits stand in its own order"


@given(ranking=RANKING, most=st.integers(0, 20))
def test_a_shorter_list_is_the_beginning_of_a_longer_one(ranking: list[int], most: int) -> None:
    other = list(reversed(ranking))
    whole = team_draft(ranking, other, seed="q", most=20)
    cut = team_draft(ranking[:most], other[:most], seed="q", most=most)
    assert cut == whole[:most]


def test_both_begin_as_often_and_get_as_many() -> None:
    begins: Counter[str] = Counter()
    for seed in range(1_000):
        drafted = team_draft(range(10), range(10, 20), seed=str(seed), most=10)
        begins[drafted[0][1]] += 1
        teams = Counter(team for _, team in drafted)
        assert teams[FIRST] == teams[SECOND] == 5
    assert abs(begins[FIRST] - 500) < 80


def test_what_both_put_first_is_credited_by_the_draw_alone() -> None:
    whose = Counter(team_draft([1], [1], seed=str(seed), most=1)[0][1] for seed in range(1_000))
    assert abs(whose[FIRST] - 500) < 80
