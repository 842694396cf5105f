import pytest

from query_api import widening
from query_api.grammar import Typed, typed, written
from query_api.widening import Step, Widening

TYPED = typed('"tin roofs" rian -remix -"radio edit"')


@pytest.mark.parametrize("step", Step)
def test_its_state_says_all(step: Step) -> None:
    widened = Widening(step=step, text="rain", phrases=("tin roofs",), lacking=3)
    assert widening.of_state(widened.state()) == widened


def test_what_must_not_be_there_stays() -> None:
    widened = Widening(step=Step.POPULAR, text="")
    assert widened.of(TYPED) == Typed(text="", without=("remix", "radio edit"))


@pytest.mark.parametrize(
    ("widened", "suggestion"),
    [
        (Widening(step=Step.UNQUOTED), 'tin roofs rian -remix -"radio edit"'),
        (
            Widening(step=Step.RESPELLED, text="tin roofs rain", phrases=("tin roofs",)),
            '"tin roofs" rain -remix -"radio edit"',
        ),
        (Widening(step=Step.FEWER_WORDS, text="tin roofs rain", lacking=1), None),
        (Widening(step=Step.FUZZY), None),
        (Widening(step=Step.POPULAR, text=""), None),
    ],
)
def test_what_is_suggested_finds_the_same(widened: Widening, suggestion: str | None) -> None:
    assert widened.suggestion(TYPED) == suggestion
    if suggestion is not None:
        assert typed(suggestion) == widened.of(TYPED)


def test_what_is_written_is_what_was_typed() -> None:
    assert typed(written(TYPED)) == TYPED
