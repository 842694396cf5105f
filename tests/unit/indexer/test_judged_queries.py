"""Files of judged queries."""

from pathlib import Path

import pytest

from indexer.judged_queries import JudgmentsError, read


def test_each_line_is_a_query_with_grades(tmp_path: Path) -> None:
    file = tmp_path / "sound.judgments.jsonl"
    file.write_text('{"query": "rain", "grades": {"42": 2, "17": 0}}\n\n')
    [judged] = read(tmp_path, "sound")
    assert (judged.text, judged.grades) == ("rain", {"42": 2, "17": 0})
    assert read(tmp_path, "user") == []


@pytest.mark.parametrize(
    "line",
    ["rain", "[]", '{"query": "rain"}', '{"query": "rain", "grades": {}}', '{"grades": {"1": 1}}',
     '{"query": "", "grades": {"1": 1}}', '{"query": "rain", "grades": {"1": "good"}}'],
)  # fmt: skip
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "sound.judgments.jsonl"
    file.write_text(f'{{"query": "sun", "grades": {{"1": 1}}}}\n{line}\n')
    with pytest.raises(JudgmentsError, match=r"sound\.judgments\.jsonl, line 2: .*write \{"):
        read(tmp_path, "sound")
