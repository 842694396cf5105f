"""The overlay is right if its answers are those of a snapshot of everything as it is now."""

import itertools

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suggest import builder, snapshot
from suggest.engine import Engine
from suggest.kernel.results import MOST_MET
from suggest.layers import Layers
from suggest.overlay import Key, Outcome, Overlay, Phrases, pack
from suggest.phrases import Phrase

LETTERS = "aab bcdé日本"
NAMES = st.text(LETTERS, min_size=1, max_size=10).filter(lambda text: bool(text.strip()))
KEYS = st.tuples(st.sampled_from(["sound", "user"]), st.integers(1, 25))
# No two alike: of equal weights the order is not that of a build.
WEIGHTS = st.floats(0.5, 1e6).map(lambda weight: round(weight, 6))
STATES = st.lists(st.tuples(NAMES, WEIGHTS), max_size=2)
Drawn = list[tuple[Key, list[tuple[str, float]]]]


def engine_of(content: dict[Key, Phrases]) -> Engine:
    phrases = [phrase for some in content.values() for phrase in some]
    return Engine(snapshot.in_memory(builder.build(phrases).pieces))


def phrases(key: Key, named: list[tuple[str, float]]) -> Phrases:
    kind, one = key
    return tuple(
        Phrase(" ".join(text.split()), weight, kind, str(one), f"/{one}") for text, weight in named
    )


def overlay_of(content: dict[Key, Phrases], most: int = 1_000) -> tuple[Overlay, Layers]:
    layers = Layers(engine_of(content))
    return Overlay(layers, most), layers


def put(overlay: Overlay) -> None:
    if packing := overlay.plan():
        overlay.put(packing, pack(packing))


def texts(layers: Layers, typed: str, **options: object) -> list[str]:
    answer = orjson.loads(layers.answer(typed, **options))  # type: ignore[arg-type]
    return [one["text"] for one in answer["completions"]]


def sound(number: int, text: str, weight: float) -> dict[Key, Phrases]:
    return {("sound", number): phrases(("sound", number), [(text, weight)])}


@pytest.mark.thorough
@settings(deadline=None)
@given(
    before=st.lists(st.tuples(KEYS, STATES), max_size=40),
    rounds=st.lists(st.lists(st.tuples(KEYS, STATES), min_size=1, max_size=15), max_size=4),
    typed=st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=8),
    limit=st.integers(1, 12),
)
def test_it_answers_as_a_snapshot_of_what_is_there_now(
    before: Drawn, rounds: list[Drawn], typed: list[str], limit: int
) -> None:
    now = {key: phrases(key, named) for key, named in before}
    built = dict(now)
    overlay, layers = overlay_of(now)
    for changes in rounds:
        found = {key: phrases(key, named) for key, named in changes}
        for key, outcome in overlay.apply(found).items():
            if outcome is Outcome.RESTORED:
                now[key] = built[key]
            elif outcome is not Outcome.UNCHANGED:  # what weighs otherwise stays as it was
                now[key] = found[key]
        put(overlay)
    wanted = engine_of(now)
    for one, types in itertools.product(typed, ((), ("user",), ("sound", "user"))):
        answer = orjson.loads(layers.answer(one, limit=limit, types=types))
        assert [(c["text"], c["type"], c["id"], c["highlight"]) for c in answer["completions"]] == [
            (c["text"], c["type"], c["id"], c["highlight"])
            for c in wanted.completions(one, limit=limit, types=types)
        ], (one, types)
        assert answer["snapshot"] == layers.base.edition


def test_what_is_hidden_costs_no_depth() -> None:
    """However many of the best are hidden, those behind them move up."""
    count = 3 * MOST_MET
    content: dict[Key, Phrases] = {}
    for number in range(count):
        content |= sound(number, f"rain {number}", count - number)
    overlay, layers = overlay_of(content)
    hidden = {("sound", number): () for number in range(count - 5)}
    assert set(overlay.apply(hidden).values()) == {Outcome.HIDDEN}
    left = [f"rain {number}" for number in range(count - 5, count)]
    assert texts(layers, "rain") == left
    assert texts(layers, "rian") == left
    assert texts(layers, "rain", types=["sound"]) == left
    assert texts(layers, "rain", limit=3) == left[:3]


def test_what_is_gone_vanishes_before_anything_is_packed() -> None:
    overlay, layers = overlay_of(sound(1, "Rain", 5) | sound(2, "Rainbow", 4))
    overlay.apply(sound(2, "Snow", 4))
    put(overlay)
    assert texts(layers, "sno") == ["Snow"]
    assert overlay.apply({("sound", 1): (), ("sound", 2): ()}) == {
        ("sound", 1): Outcome.HIDDEN,
        ("sound", 2): Outcome.HIDDEN,
    }
    assert texts(layers, "rain") == texts(layers, "sno") == []


def test_what_goes_away_while_it_is_packed_is_not_shown() -> None:
    overlay, layers = overlay_of(sound(1, "Rain", 5))
    overlay.apply(sound(2, "Snow", 4) | sound(3, "Snowfall", 3))
    packing = overlay.plan()
    assert packing is not None
    layer = pack(packing)
    overlay.apply({("sound", 2): ()})
    overlay.apply(sound(3, "Slush", 3))
    overlay.put(packing, layer)
    assert texts(layers, "snow") == ["Snowfall"]  # until the next layer
    put(overlay)
    assert texts(layers, "snow") == []
    assert texts(layers, "slus") == ["Slush"]


def test_a_change_that_nobody_sees_takes_no_room() -> None:
    overlay, layers = overlay_of(sound(1, "Rain", 5))
    tag = layers.tag
    assert overlay.apply(sound(1, "Rain", 50)) == {("sound", 1): Outcome.UNCHANGED}
    assert overlay.apply({("sound", 7): ()}) == {("sound", 7): Outcome.UNCHANGED}
    assert (overlay.entities, overlay.phrases, overlay.plan()) == (0, 0, None)
    assert layers.tag == tag == layers.base.edition.encode()


def test_what_is_as_before_leaves_the_overlay() -> None:
    overlay, layers = overlay_of(sound(1, "Rain", 5))
    tags = {layers.tag}
    overlay.apply(sound(1, "Snow", 5))
    put(overlay)
    tags.add(layers.tag)
    overlay.apply({("sound", 1): ()})
    tags.add(layers.tag)
    assert len(tags) == 3
    assert overlay.apply(sound(1, "Rain", 5)) == {("sound", 1): Outcome.RESTORED}
    assert texts(layers, "rai") == ["Rain"]
    assert texts(layers, "sno") == []
    assert (overlay.entities, overlay.phrases) == (0, 0)
    assert layers.tag == layers.base.edition.encode()


def test_services_with_the_same_changes_have_the_same_tag() -> None:
    gone: dict[Key, Phrases] = {("sound", 3): ()}
    changes = [sound(1, "Snow", 5), sound(2, "Hail", 4), gone]
    content = sound(1, "Rain", 5) | sound(3, "Fog", 3)
    tags = set()
    for order in itertools.permutations(changes):
        overlay, layers = overlay_of(content)
        for change in order:
            overlay.apply(change)
            put(overlay)
        tags.add(layers.tag)
    assert len(tags) == 1


def test_without_room_new_names_wait_and_what_is_gone_vanishes() -> None:
    overlay, layers = overlay_of(sound(1, "Rain", 5) | sound(2, "Fog", 4), most=1)
    overlay.apply(sound(3, "Snow", 3))
    assert overlay.apply(sound(4, "Hail", 3) | sound(1, "Drizzle", 5)) == {
        ("sound", 4): Outcome.REFUSED,
        ("sound", 1): Outcome.REFUSED,
    }
    overlay.apply({("sound", 2): ()})
    put(overlay)
    assert texts(layers, "sno") == ["Snow"]
    assert texts(layers, "hail") == texts(layers, "fog") == []
    assert texts(layers, "rain") == ["Rain"]
    # What goes makes room.
    overlay.apply({("sound", 3): ()})
    assert overlay.apply(sound(4, "Hail", 3)) == {("sound", 4): Outcome.SHOWN}


def test_corrected_ones_of_equal_cost_come_in_the_order_of_their_weights() -> None:
    overlay, layers = overlay_of(sound(1, "paxent", 100))  # a character is missing: 32 times less
    overlay.apply(sound(2, "paint", 400))  # another character: 128 times less
    put(overlay)
    assert texts(layers, "paxnt") == ["paint", "paxent"]


@pytest.mark.thorough
def test_layers_stay_few() -> None:
    overlay, layers = overlay_of({})
    for number in range(300):
        overlay.apply(sound(number, f"rain {number}", 300 - number))
        put(overlay)
        assert len(layers._above) <= 6
    assert texts(layers, "rain") == [f"rain {number}" for number in range(10)]
