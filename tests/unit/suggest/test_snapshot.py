import random
from pathlib import Path

import orjson
import pytest

from suggest import builder, folding, snapshot
from suggest.engine import Engine
from suggest.errors import SnapshotError
from suggest.phrases import Phrase

PHRASES = [
    Phrase(f"{word} {number}", number * 1.5, kind, str(number), f"/{word}/{number}")
    for number, (word, kind) in enumerate(
        zip(["rain", "Björk", "東京", "кино"] * 10, ["sound", "user"] * 20, strict=True)
    )
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "names.snapshot"
    snapshot.write(path, builder.build(PHRASES).pieces)
    return path


def test_the_same_phrases_make_the_same_bytes() -> None:
    once, again = (b"".join(builder.build(iter(PHRASES)).pieces) for _ in range(2))
    assert once == again


def test_the_edition_names_the_content(tmp_path: Path, file: Path) -> None:
    other = tmp_path / "other.snapshot"
    snapshot.write(other, builder.build(PHRASES).pieces)
    assert snapshot.load(other).edition == snapshot.load(file).edition
    snapshot.write(other, builder.build(PHRASES[1:]).pieces)
    assert snapshot.load(other).edition != snapshot.load(file).edition


@pytest.mark.thorough
def test_any_byte_that_differs_is_noticed(tmp_path: Path, file: Path) -> None:
    content = file.read_bytes()
    damaged = tmp_path / "damaged.snapshot"
    draw = random.Random(1)
    places = {*range(200), *range(len(content) - 100, len(content))}
    for at in sorted(places | set(draw.sample(range(len(content)), 600))):
        damaged.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        with pytest.raises(SnapshotError, match="damaged"):
            snapshot.load(damaged)


def test_a_file_that_is_cut_or_longer_is_noticed(tmp_path: Path, file: Path) -> None:
    content = file.read_bytes()
    damaged = tmp_path / "damaged.snapshot"
    for end in (0, 1, 16, 40, 56, 100, len(content) // 2, len(content) - 64, len(content) - 1):
        damaged.write_bytes(content[:end])
        with pytest.raises(SnapshotError):
            snapshot.load(damaged)
    for more in (b"\0", b"\0" * 64, b"x" * 64):
        damaged.write_bytes(content + more)
        with pytest.raises(SnapshotError):
            snapshot.load(damaged)


def test_a_foreign_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    foreign = tmp_path / "picture.png"
    foreign.write_bytes(b"\x89PNG" * 100)
    with pytest.raises(SnapshotError) as caught:
        snapshot.load(foreign)
    assert str(foreign) in str(caught.value)
    assert "disco suggest build" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="cannot be read"):
        snapshot.load(tmp_path / "none.snapshot")


def test_keys_of_other_folding_rules_are_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "VERSION", folding.VERSION + 1)
    with pytest.raises(SnapshotError, match="another version"):
        snapshot.load(file)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(SnapshotError, match="cannot be written"):
        snapshot.write(file / "below a file", [b"x"])
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_an_engine_goes_on_with_its_file_when_another_takes_its_place(file: Path) -> None:
    engine = Engine.open(file)
    before = engine.answer("rai")
    snapshot.write(file, builder.build(PHRASES[:3]).pieces)
    assert engine.answer("rai") == before
    assert Engine.open(file).edition != engine.edition


def test_the_answer_names_the_edition(file: Path) -> None:
    engine = Engine.open(file)
    assert orjson.loads(engine.answer("rai", limit=1))["snapshot"] == engine.edition
