import json
from pathlib import Path

import pytest

from suggest import drift, sources
from suggest.drift import DriftError
from suggest.sources import SourceError

GOOD = {"name": "names", "type": "user", "factor": 1, "minimum_weight": 0, "cap": 10}
SQL = "SELECT id, name AS text, 1 AS weight, '/' AS permalink FROM t WHERE :wanted(t.id);\n"


def write(folder: Path, *entries: dict[str, object], sql: str | None = SQL) -> Path:
    (folder / "sources.json").write_text(json.dumps(entries))
    if sql is not None:
        (folder / "names.sql").write_text(sql)
    return folder


def test_our_own_sources_can_be_read() -> None:
    own = sources.load()
    assert {source.type for source in own} == {"sound", "user", "set", "group"}
    assert len({source.name for source in own}) == len(own)
    files = {path.stem for path in sources.FOLDER.glob("*.sql")}
    assert files == {source.name for source in own}


def test_a_source_is_an_entry_and_a_query(tmp_path: Path) -> None:
    (source,) = sources.load(write(tmp_path, GOOD))
    assert source.cap == 10
    assert "WHERE true)" in source.query_all
    assert ";" not in source.query_all


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (GOOD | {"cap": 0}, "cap"),
        (GOOD | {"factor": 0}, "factor"),
        (GOOD | {"colour": "red"}, "colour"),
        (GOOD | {"name": "../names"}, "name"),
        ({"name": "names"}, "type"),
    ],
)
def test_an_entry_that_is_wrong_is_named(
    tmp_path: Path, entry: dict[str, object], problem: str
) -> None:
    with pytest.raises(SourceError, match=rf"sources\.json: 0\.{problem}"):
        sources.load(write(tmp_path, entry))


def test_files_that_are_missing_or_do_not_select_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"sources\.json cannot be read"):
        sources.load(tmp_path)
    with pytest.raises(SourceError, match=r"names\.sql cannot be read"):
        sources.load(write(tmp_path, GOOD, sql=None))
    with pytest.raises(SourceError, match="does not select by id"):
        sources.load(write(tmp_path, GOOD, sql="SELECT 1"))


def test_drift_is_told_by_type() -> None:
    published = {"types": {"sound": 1_000, "user": 1_000, "group": 50}}
    drift.check({"types": {"sound": 500, "user": 5_000}}, published)
    drift.check({"types": {}}, {})
    with pytest.raises(DriftError, match="499 of 1,000 phrases of type sound"):
        drift.check({"types": {"sound": 499, "user": 1_000, "group": 50}}, published)
    with pytest.raises(DriftError, match="0 of 1,000 phrases of type user"):
        drift.check({"types": {"sound": 1_000}}, published)
