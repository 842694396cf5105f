import random
import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suggest import builder, snapshot
from suggest.builder import STEPS_PER_BIT
from suggest.engine import Engine, QueryError
from suggest.folding import fold
from suggest.kernel.characters import EXCHANGED, EXTRA, LAST, MISSING, OTHER
from suggest.keys import key_texts
from suggest.phrases import Phrase
from tests.unit.suggest.oracle import cheapest, expected

MakeEngine = Callable[[list[Phrase]], Engine]


@pytest.fixture(scope="module")
def engine_of(tmp_path_factory: pytest.TempPathFactory) -> MakeEngine:
    path = tmp_path_factory.mktemp("snapshots") / "one.snapshot"

    def make(phrases: list[Phrase]) -> Engine:
        snapshot.write(path, builder.build(phrases).pieces)
        return Engine.open(path)

    return make


def phrase(
    text: str, weight: float = 1, kind: str | None = None, target: str | None = None
) -> Phrase:
    return Phrase(text, weight, kind, target, None)


def texts(engine: Engine, typed: str, **options: object) -> list[str]:
    return [one["text"] for one in engine.completions(typed, **options)]


def found(engine: Engine, typed: str, **options: object) -> list[tuple[str, str | None, bool]]:
    return [
        (one["text"], one["id"], one["corrected"]) for one in engine.completions(typed, **options)
    ]


# Few letters, so that names share beginnings, repeat letters, and are one edit from each other.
LETTERS = "aab bcdé日本"
NAMES = st.text(LETTERS, min_size=1, max_size=12).filter(lambda text: bool(fold(text).strip()))
PHRASES = st.lists(
    st.builds(
        Phrase,
        NAMES,
        st.integers(0, 40).map(float),
        st.sampled_from(["sound", "user", "set"]),
        st.none() | st.integers(1, 20).map(str),
        st.none(),
    ),
    min_size=1,
    max_size=60,
)
TYPED = st.text(LETTERS, min_size=1, max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(phrases=PHRASES, typed=st.lists(TYPED, min_size=1, max_size=20), limit=st.integers(1, 12))
def test_it_finds_what_comparing_everything_finds(
    engine_of: MakeEngine, phrases: list[Phrase], typed: list[str], limit: int
) -> None:
    engine = engine_of(phrases)
    for one in typed:
        for fuzzy in (True, False):
            wanted = expected(phrases, one, limit=limit, fuzzy=fuzzy)
            assert found(engine, one, limit=limit, fuzzy=fuzzy) == wanted, (one, fuzzy)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    phrases=PHRASES,
    typed=st.lists(TYPED, min_size=1, max_size=10),
    types=st.sets(st.sampled_from(["sound", "user", "set", "group"]), min_size=1),
)
def test_a_filter_by_type_finds_what_comparing_everything_finds(
    engine_of: MakeEngine, phrases: list[Phrase], typed: list[str], types: set[str]
) -> None:
    engine = engine_of(phrases)
    for one in typed:
        assert found(engine, one, types=types) == expected(phrases, one, types=types), one


def corpus(names: int, seed: int) -> list[Phrase]:
    """Names like those of a catalogue: common words, in many of them."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdeilmnorstu", k=draw.randint(1, 7))) for _ in range(60)]
    words += ["日本", "кино", "été", "rock", "remix", "дом"]
    return [
        phrase(
            " ".join(draw.choices(words, k=draw.randint(1, 4))),
            draw.choice([1, 5, 5, 10, 1000]) * draw.randint(1, 50),
            draw.choice(["sound", "user"]),
            str(number) if number % 3 else None,
        )
        for number in range(names)
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("names", [3, 40, 400])
def test_every_beginning_of_every_key(engine_of: MakeEngine, names: int) -> None:
    phrases = corpus(names, seed=names)
    engine = engine_of(phrases)
    beginnings = {
        key[:end]
        for one in phrases
        for key in key_texts(one.text)
        for end in range(1, len(key) + 1)
    }
    draw = random.Random(1)
    for typed in draw.sample(sorted(beginnings), min(len(beginnings), 150)):
        assert found(engine, typed) == expected(phrases, typed), typed


def slips(text: str) -> set[str]:
    """Everything that is one edit from a text."""
    some = "aeз本"
    return {
        *(text[:i] + text[i + 1 :] for i in range(len(text))),
        *(text[:i] + c + text[i:] for i in range(len(text) + 1) for c in some),
        *(text[:i] + c + text[i + 1 :] for i in range(len(text)) for c in some),
        *(text[:i] + text[i + 1] + text[i] + text[i + 2 :] for i in range(len(text) - 1)),
    } - {text}


@pytest.mark.thorough
def test_every_slip_of_a_finger_finds_what_was_meant(engine_of: MakeEngine) -> None:
    phrases = [*corpus(30, seed=5), phrase("Travolta John", 7), phrase("日本語の歌", 3)]
    engine = engine_of(phrases)
    for one in phrases:
        whole = fold(one.text)
        for typed in slips(whole[:7]):
            if len(fold(typed)) < 3 or not fold(typed).strip():
                continue
            answers = found(engine, typed, limit=100)
            assert answers == expected(phrases, typed, limit=100), typed
            # What is meant is among them.
            assert one.text in {text for text, _, _ in answers}, (typed, one)


@settings(deadline=None)
@given(typed=st.text("ab日", min_size=3, max_size=7), key=st.text("ab日", max_size=9))
def test_one_edit_is_one_edit_by_the_book(typed: str, key: str) -> None:
    """Edits are tried where characters differ; that misses nothing that another place finds."""
    within_one = any(_distance(typed, key[:end]) <= 1 for end in range(len(key) + 1))
    assert (cheapest(typed, key, 1) is not None) == within_one


def _distance(a: str, b: str) -> int:
    """Optimal string alignment: insertions, deletions, substitutions, exchanges of neighbours."""
    rows = [[i + j for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            rows[i][j] = min(
                rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            )
            if i > 1 and j > 1 and a[i - 2 : i] == b[j - 2 : j][::-1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


def test_the_heaviest_come_first_and_equal_ones_in_their_order(engine_of: MakeEngine) -> None:
    engine = engine_of([phrase("b1", 5), phrase("b0", 5), phrase("b2", 9), phrase("b3", 5)])
    assert texts(engine, "b") == ["b2", "b1", "b0", "b3"]


def test_weights_that_hardly_differ_are_told_apart(engine_of: MakeEngine) -> None:
    engine = engine_of([phrase(f"name {n}", 1_000_000 + n) for n in range(20)])
    assert texts(engine, "name") == [f"name {n}" for n in range(19, 9, -1)]


def test_a_word_that_is_not_the_first_finds_the_name(engine_of: MakeEngine) -> None:
    engine = engine_of([phrase("John Travolta", 9), phrase("Travis Scott", 2)])
    assert texts(engine, "travo", fuzzy=False) == ["John Travolta"]
    # The beginning of a name counts more than a word in it.
    assert texts(engine, "trav") == ["Travis Scott", "John Travolta"]


def test_two_words_are_found_in_either_order(engine_of: MakeEngine) -> None:
    engine = engine_of([phrase("John Travolta")])
    (one,) = engine.completions("travolta jo")
    assert one["text"] == "John Travolta"
    assert one["highlight"] == [[0, 2], [5, 13]]
    assert one["corrected"] is False


def test_other_scripts_are_found_in_latin_letters(engine_of: MakeEngine) -> None:
    engine = engine_of([phrase("Кино"), phrase("Björk"), phrase("Øystein Ærø")])
    assert texts(engine, "kin") == ["Кино"]
    assert texts(engine, "кин") == ["Кино"]
    assert texts(engine, "BJORK") == ["Björk"]
    assert texts(engine, "oystein aero") == ["Øystein Ærø"]


def test_exact_before_corrected_unless_the_weights_are_worlds_apart(engine_of: MakeEngine) -> None:
    close = engine_of([phrase("martha", 10), phrase("marhta", 1)])
    assert texts(close, "marht") == ["marhta", "martha"]
    apart = engine_of([phrase("martha", 10_000_000), phrase("marhta", 1)])
    assert texts(apart, "marht") == ["martha", "marhta"]


def test_an_edit_of_the_last_character_comes_last(engine_of: MakeEngine) -> None:
    engine = engine_of([phrase("maria", 1), phrase("mark", 100), phrase("mara", 1)])
    # "marj": whatever begins with "mar" would do.
    assert texts(engine, "marj") == ["mark", "maria", "mara"]
    assert texts(engine, "mrai") == ["maria"]


def test_two_edits_only_where_nothing_nearer_is_found(engine_of: MakeEngine) -> None:
    engine = engine_of([phrase("metallica"), phrase("metal")])
    assert found(engine, "mettalica") == [("metallica", None, True)]
    assert texts(engine, "metallcia") == ["metallica"]
    assert texts(engine, "mtealciaa") == []


def test_short_beginnings_are_not_corrected(engine_of: MakeEngine) -> None:
    engine = engine_of([phrase("xylophone")])
    assert texts(engine, "yx") == []
    assert texts(engine, "yxl") == ["xylophone"]


def test_an_entity_is_suggested_once_by_its_best_phrase(engine_of: MakeEngine) -> None:
    engine = engine_of(
        [
            phrase("Prince", 5, "user", "1"),
            phrase("Prince Rogers Nelson", 50, "user", "1"),
            phrase("Prince", 9, "sound", "1"),
        ]
    )
    assert found(engine, "prin") == [
        ("Prince Rogers Nelson", "1", False),
        ("Prince", "1", False),
    ]
    assert texts(engine, "prince") == ["Prince Rogers Nelson", "Prince"]


def test_a_text_that_occurs_twice_counts_once(engine_of: MakeEngine) -> None:
    engine = engine_of([phrase("Intro", 1), phrase("Outro", 3), phrase("Intro", 5)])
    assert engine.snapshot.facts["phrases"] == 2
    assert texts(engine, "intro") == ["Intro"]


def test_the_same_words_twice_in_a_name(engine_of: MakeEngine) -> None:
    engine = engine_of([phrase("la la la land", 2), phrase("La La", 1)])
    assert texts(engine, "la") == ["la la la land", "La La"]
    assert texts(engine, "la la la la la") == []


def test_a_rare_type_is_found_below_a_common_one(engine_of: MakeEngine) -> None:
    crowd = [phrase(f"song {number}", 10_000 - number, "sound") for number in range(3_000)]
    rare = [phrase(f"song club {number}", 1, "group") for number in range(12)]
    engine = engine_of([*crowd, *rare])
    assert len(texts(engine, "so", types=["group"])) == 10
    assert texts(engine, "so", types=["group"], limit=12) == [one.text for one in rare]
    assert texts(engine, "so", types=["nothing"]) == []
    assert engine.types == ("group", "sound")


def test_highlights_point_into_the_text_that_is_shown(engine_of: MakeEngine) -> None:
    def shown(text: str, typed: str) -> list[str]:
        (one,) = engine_of([phrase(text)]).completions(typed)
        return [text[start:end] for start, end in one["highlight"]]

    assert shown("Drum & Bass", "drum b") == ["Drum & B"]
    assert shown("(Don't) Stop!", "dont st") == ["Don't) St"]
    assert shown("R.E.M.", "rem") == ["R.E.M"]
    assert shown("Straße", "strass") == ["Straß"]
    assert shown("cafe\u0301 noir", "cafe") == ["cafe\u0301"]
    assert shown("Кино и дом", "kino i") == ["Кино и"]
    assert shown('say "no"', "no") == ["no"]
    assert shown("tab\there", "here") == ["here"]
    assert shown("東京 事変", "shibian") == ["事変"]
    assert shown("🔥 fire", "fire") in (["fire"], ["🔥"])
    assert shown("Jake - Live", "live ja") == ["Ja", "Live"]
    assert shown("!!!", "!!") == ["!!"]
    assert shown("marhta", "martha") == ["marhta"]


def test_an_answer_has_all_that_a_front_end_needs(engine_of: MakeEngine) -> None:
    engine = engine_of([Phrase("Ana \\ Rain", 1, "sound", "42", "/ana/rain")])
    assert engine.completions("ana r") == [
        {
            "type": "sound",
            "id": "42",
            "text": "Ana \\ Rain",
            "highlight": [[0, 7]],
            "permalink": "/ana/rain",
            "corrected": False,
        }
    ]


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "\0", "\n", "\t\r\n", "a" * 10_000, "é" * 10_000, "\U0001f525" * 500),
        *("\u202eabc", "مرحبا", "\ud800", "%00", "' OR 1=1", "\ufffd\ufffd", "a\nb", "\x7f"),
    ],
)
def test_whatever_is_typed_is_answered(engine_of: MakeEngine, typed: str) -> None:
    engine = engine_of(corpus(300, seed=2))
    engine.completions(typed)
    assert len(b"".join(engine.answer_lines([typed, "r"])).splitlines()) == 2


@pytest.mark.parametrize("limit", [-1, 0, 101, 10_000])
def test_a_limit_out_of_range_is_refused(engine_of: MakeEngine, limit: int) -> None:
    engine = engine_of([phrase("a")])
    with pytest.raises(QueryError, match=f"limit is {limit}"):
        engine.answer("a", limit=limit)


def test_an_empty_snapshot_answers_nothing(engine_of: MakeEngine) -> None:
    engine = engine_of([])
    assert engine.completions("abc") == []
    assert engine.completions("abc", types=["sound"]) == []


def test_many_lines_are_answered_as_one_by_one(engine_of: MakeEngine) -> None:
    engine = engine_of(corpus(500, seed=3))
    draw = random.Random(4)
    typed = ["".join(draw.choices(string.ascii_lowercase[:6] + " ", k=4)) for _ in range(3_000)]
    lines = b"".join(engine.answer_lines(typed)).splitlines()
    assert lines == [engine.answer(one) for one in typed]


def test_edits_cost_what_the_documentation_says() -> None:
    page = (Path(__file__).parents[3] / "docs" / "suggest.md").read_text(encoding="utf-8")
    said = [
        int(number.replace(",", ""))
        for number in re.findall(r"\| ([\d,]+) \|$", page, re.MULTILINE)
    ]
    assert MISSING == EXCHANGED
    assert EXTRA == OTHER
    assert said == [2 ** (cost // STEPS_PER_BIT) for cost in (MISSING, EXTRA, LAST)]
