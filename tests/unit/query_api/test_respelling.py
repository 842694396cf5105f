"""Probes against golden files, and what is read of their answers."""

from typing import Any

import pytest

from query_api import grammar
from query_api.profiles import Profiles
from query_api.respelling import Probe, Respelled
from query_api.spelling import Candidate, Word
from tests.unit.query_api.test_planner import INDICES, check_golden

TEXT = '"tin roofs" rian -remix'
WORDS = (
    Word(start=0, end=3, text="tin"),
    Word(start=4, end=9, text="roofs", candidates=(Candidate(text="roots", likeness=0.8),)),
    Word(
        start=10,
        end=14,
        text="rian",
        candidates=(
            Candidate(text="rain", likeness=0.75),
            Candidate(text="ryan", likeness=0.75),
        ),
    ),
)


@pytest.fixture
def probe(profiles: Profiles) -> Probe:
    return Probe(
        words=WORDS,
        typed=grammar.typed(TEXT),
        chosen={name: profiles[name] for name in ("sound", "note")},
        indices=INDICES,
        narrowed=[{"term": {"genre.value": "Ambient"}}],
    )


@pytest.mark.parametrize("name", ["every_word", "most_words", "better_names"])
def test_probe(name: str, probe: Probe, request: pytest.FixtureRequest) -> None:
    check_golden(name, getattr(probe, name)(), request)


def found(*names: str) -> dict[str, Any]:
    return {"status": 200, "hits": {"hits": [{"_id": "1", "matched_queries": list(names)}]}}


@pytest.mark.parametrize(
    ("names", "text", "phrases", "lacking"),
    [
        (["0.0", "1.0", "2.1", "phrase.0"], "tin roofs rain", ("tin roofs",), 0),
        (["2.2", "1.1", "0.0"], "tin roots ryan", (), 0),
        (["2.2", "2.1", "1.1", "1.0", "0.0"], "tin roofs rain", (), 0),
        (["0.0", "2.0", "2.1"], "tin roofs rian", (), 1),
        (["1.0"], "tin roofs rian", (), 2),
    ],
)
def test_a_document_says_which_alternatives_it_has(
    probe: Probe, names: list[str], text: str, phrases: tuple[str, ...], lacking: int
) -> None:
    read = probe.read(found(*names))
    is_changed = text != "tin roofs rian"
    assert read == Respelled(text=text, is_changed=is_changed, phrases=phrases, lacking=lacking)


@pytest.mark.parametrize("response", [{"status": 200, "hits": {"hits": []}}, {"status": 404}])
def test_no_document_says_nothing(probe: Probe, response: dict[str, Any]) -> None:
    assert probe.read(response) is None


def test_words_that_overlap_stay_as_they_are(probe: Probe) -> None:
    words = (
        Word(start=0, end=2, text="夜に", candidates=(Candidate(text="夜の", likeness=0.5),)),
        Word(start=1, end=3, text="に駆", candidates=(Candidate(text="に欠", likeness=0.5),)),
    )
    asked = grammar.typed("夜に駆")
    overlapping = Probe(words=words, typed=asked, chosen=probe.chosen, indices=INDICES, narrowed=[])
    read = overlapping.read(found("0.1", "1.1"))
    assert read is not None
    assert read.text == "夜の駆"
