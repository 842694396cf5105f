from suggest import builder, snapshot
from suggest.entity_index import EntityIndex
from suggest.phrases import Phrase


def index_of(*phrases: Phrase) -> EntityIndex:
    return EntityIndex(snapshot.in_memory(builder.build(phrases).pieces))


def test_it_finds_all_phrases_of_an_entity() -> None:
    long = "a" * 500
    index = index_of(
        Phrase("Rain", 3, "sound", "7", "/rain"),
        Phrase("Rain by Jo", 2, "sound", "7", "/rain"),
        Phrase("Jo", 9, "user", "7", None),
        Phrase(long, 1, "sound", "8", f"/{long}"),
    )
    rain, jo, other = index.find("sound", 7), index.find("user", 7), index.find("sound", 8)
    assert rain is not None
    assert jo is not None
    assert other is not None
    assert set(rain.shown) == {("Rain", "/rain"), ("Rain by Jo", "/rain")}
    assert jo.shown == [("Jo", None)]
    assert other.shown == [(long, f"/{long}")]
    assert len({rain.number, jo.number, other.number}) == 3
    assert index.find("sound", 9) is None
    assert index.find("group", 7) is None


def test_ids_are_whole_numbers_as_events_have_them() -> None:
    largest = 2**63 - 1
    ids = ["0", "10", str(largest), str(largest + 1), "9" * 19, "007", "-1", "x1", "1x", "", None]
    index = index_of(*(Phrase(f"name {n}", 1, "sound", one, None) for n, one in enumerate(ids)))
    found = {n: index.find("sound", n) for n in (0, 7, 10, largest)}
    assert {n: one.shown for n, one in found.items() if one} == {
        0: [("name 0", None)],
        10: [("name 1", None)],
        largest: [("name 2", None)],
    }


def test_an_empty_snapshot_has_none() -> None:
    assert index_of().find("sound", 1) is None
