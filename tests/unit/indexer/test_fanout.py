"""Results of changes that went several ways."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.changes import Outcome
from indexer.fanout import merge
from indexer.pipeline import Results

KEYS = st.tuples(st.just("sound"), st.integers(1, 5))
RESULTS = st.builds(
    Results,
    outcomes=st.dictionaries(KEYS, st.sampled_from(Outcome)),
    poison=st.dictionaries(KEYS, st.text()),
    again=st.sets(KEYS),
    now=st.integers(0, 9),
    clamped=st.integers(0, 9),
    resettled=st.integers(0, 9),
)


@given(RESULTS)
def test_one_way_is_told_as_it_is(results: Results) -> None:
    assert merge([results]) == results


@given(st.lists(RESULTS, min_size=1, max_size=4))
def test_nothing_that_happened_on_any_way_is_lost(several: list[Results]) -> None:
    merged = merge(several)
    assert merged.outcomes.keys() == {key for one in several for key in one.outcomes}
    assert merged.poison.keys() == {key for one in several for key in one.poison}
    assert merged.again == {key for one in several for key in one.again}
    assert merged.now == max(one.now for one in several)
    assert merged.resettled == sum(one.resettled for one in several)


@given(st.lists(RESULTS, min_size=1, max_size=4))
def test_the_first_way_tells_the_outcome(several: list[Results]) -> None:
    for key, outcome in merge(several).outcomes.items():
        assert outcome == next(one.outcomes[key] for one in several if key in one.outcomes)
