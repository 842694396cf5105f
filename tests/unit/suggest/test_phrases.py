from pathlib import Path

import pytest

from suggest import phrases
from suggest.errors import PhraseError
from suggest.phrases import Phrase


def test_a_file_has_a_phrase_a_line(tmp_path: Path) -> None:
    file = tmp_path / "names.tsv"
    file.write_bytes(
        "Ana\t3\n\nRain\t0.5\tsound\t42\r\nBjörk\t1e3\tuser\t/bjork\nSea\t0\tset\t7\t/a/sea".encode()
    )
    assert list(phrases.read(file)) == [
        Phrase("Ana", 3, None, None, None),
        Phrase("Rain", 0.5, "sound", "42", None),
        Phrase("Björk", 1000, "user", "/bjork", "/bjork"),
        Phrase("Sea", 0, "set", "7", "/a/sea"),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"Ana", "1 columns; write text<TAB>weight"),
        (b"a\t1\tb\tc\td\te", "6 columns"),
        (b"Ana\tmany", "the weight is 'many'; write a number from 0 up"),
        (b"Ana\t-1", "the weight is '-1'"),
        (b"Ana\tnan", "the weight is 'nan'"),
        (b"Ana\tinf", "the weight is 'inf'"),
        (b"Ana\t", "the weight is ''"),
        (b" \t1", "the text is empty"),
        (b"x" * 1001 + b"\t1", "the text has 1,001 characters; shorten it to 1,000"),
        (b"\xff\t1", "not UTF-8"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, problem: str) -> None:
    file = tmp_path / "names.tsv"
    file.write_bytes(b"Good\t1\n\n" + line + b"\nGood too\t1\n")
    with pytest.raises(PhraseError) as caught:
        list(phrases.read(file))
    assert str(caught.value).startswith(f"{file}, line 3: {problem}")
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PhraseError, match="cannot be read"):
        list(phrases.read(tmp_path / "none.tsv"))
