import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import output


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    name: str
    folder: Path
    counts: dict[int, float]
    at: datetime


FOUND = Found(name="ä", folder=Path("/x"), counts={1: 0.5}, at=datetime(2026, 1, 2, tzinfo=UTC))
DOCUMENT = {"name": "ä", "folder": "/x", "counts": {"1": 0.5}, "at": "2026-01-02T00:00:00+00:00"}


def test_records_are_printed_as_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json(FOUND)
    assert json.loads(capsys.readouterr().out) == DOCUMENT


def test_a_stream_is_a_line_an_item(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json_lines([FOUND, {"n": 2}])
    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first) == DOCUMENT
    assert json.loads(second) == {"n": 2}


def test_progress_stays_out_of_the_results(capsys: pytest.CaptureFixture[str]) -> None:
    output.progress("working")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "working\n"
