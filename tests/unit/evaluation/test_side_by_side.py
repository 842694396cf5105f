"""Systems side by side, what keeps a floor, and the report."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from cli import main, output
from evaluation import floors
from evaluation.errors import FileError, RunError
from evaluation.judgment_operations import Scale
from evaluation.judgments import Entity, Judged, Judgment, Query
from evaluation.run_operations import read_result, read_runs, report
from evaluation.runs import of_rankings, written
from evaluation.side_by_side import NothingJudgedError, Result, side_by_side

Write = Callable[[str, str | bytes], str]

CSV = "query,text,doc,grade\n" + "".join(
    f"q{number},<b>rain</b> {number},sound:{number},{number % 3 + 1}\n" for number in range(1, 31)
)
#: Of a system that finds what is meant, and of one that finds something else first at times.
RIGHT = {f"q{number}": [f"sound:{number}", "sound:99"] for number in range(1, 31)}
WRONG = {f"q{n}": ["sound:99", f"sound:{n}"] if n % 3 else RIGHT[f"q{n}"] for n in range(1, 31)}


def _judged() -> Judged:
    return Judged(
        name="rain",
        scale=Scale.GRADES,
        queries=[Query.of(f"<b>rain</b> {number}", f"q{number}") for number in range(1, 32)],
        judgments=[
            Judgment(
                query=f"q{number}",
                entity=Entity("sound", str(number)),
                rater="a",
                grade=number % 3 + 1,
            )
            for number in range(1, 31)
        ],
    )


@pytest.fixture
def result() -> Result:
    runs = {"live": of_rankings("live", WRONG), "next": of_rankings("next", RIGHT)}
    return side_by_side(
        _judged(),
        runs,
        "live",
        ["RR", "nDCG@10", "NumRet"],
        titles={"sound:1": "<i>One</i>"},
        floors={"P@1": 0.9},
    )


def test_measures_and_differences(result: Result) -> None:
    assert result.systems["next"].measures["RR"] == 1.0
    assert result.systems["live"].measures["RR"] == pytest.approx((10 + 20 * 0.5) / 30)
    assert set(result.texts) == {f"q{number}" for number in range(1, 31)}  # q31 is not judged
    [better] = result.differences.values()
    assert set(better) == {"RR", "nDCG@10", "P@1"}  # what is counted says nothing of it
    assert better["RR"].difference == pytest.approx(1 / 3)
    assert better["RR"].low > 0
    assert better["RR"].p_permutation < 0.001
    assert [(one.system, one.holds) for one in result.floors] == [("live", False), ("next", True)]


def test_what_finds_nothing_counts_as_nothing() -> None:
    half = {query: docs for query, docs in RIGHT.items() if int(query[1:]) <= 15}
    found = side_by_side(
        _judged(), {"half": of_rankings("half", half)}, "half", ["RR"], titles={}, floors={}
    )
    assert found.systems["half"].measures["RR"] == 0.5
    assert found.differences == {}


def test_a_set_that_nobody_has_judged_is_told() -> None:
    judged = Judged(name="new", scale=Scale.GRADES, queries=[Query.of("a")], judgments=[])
    with pytest.raises(NothingJudgedError, match="/judge"):
        side_by_side(judged, {}, "live", ["RR"], titles={}, floors={})


def test_a_result_is_read_as_it_was_written(result: Result, write: Write) -> None:
    path = write("result.json", orjson.dumps(result.document()))
    assert read_result(path) == result


def test_the_report_shows_what_gained_and_lost_and_loads_nothing(result: Result) -> None:
    page = report(result)
    assert "20 better" in page
    assert "0 worse" in page
    assert page.count("<svg") == 3
    assert page.count('class="better"') > 20  # a bar for each query that gained
    assert "&lt;b&gt;rain" in page
    assert "&lt;i&gt;One" in page
    assert "<b>" not in page
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=|https?:|url\(", page)


def test_a_report_of_one_system_has_no_contest(result: Result) -> None:
    alone = Result(
        **{
            **vars(result),
            "systems": {"live": result.systems["live"]},
            "differences": {},
            "floors": (),
        }
    )
    page = report(alone)
    assert "Weakest queries" in page
    assert "Gained most" not in page


def test_a_run_file_is_read_as_it_was_written(write: Write) -> None:
    run = of_rankings("live", WRONG)
    path = write("live.run", "".join(written(run, "live")))
    assert read_runs([path], [])["live"].scores == run.scores
    with pytest.raises(RunError, match="rename"):
        read_runs([path], ["live"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("nDCG", "no JSON"),
        ("[]", "no floors"),
        ('{"RR": "high"}', "give a number"),
        ('{"RR": true}', "give a number"),
        ('{"RRR": 0.5}', "no measure"),
    ],
)
def test_bad_floors(write: Write, content: str, words: str) -> None:
    with pytest.raises(FileError, match=words):
        floors.read(write("floor.json", content))


def test_run_files_are_measured_without_any_service(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = write("rain.csv", CSV)
    live = write("live.run", "".join(written(of_rankings("live", WRONG), "live")))
    after = write("next.run", "".join(written(of_rankings("next", RIGHT), "next")))
    floor = write("floor.json", '{"RR": 0.9}')
    page, kept = tmp_path / "page.html", tmp_path / "kept.json"
    common = ("eval", "run", "--set", judged, "--run", live, "--run", after, "--measures", "RR")
    assert main.run([*common, "--html", str(page), "--json"]) == output.OK
    kept.write_text(capsys.readouterr().out)
    assert json.loads(kept.read_text())["differences"]["next"]["RR"]["p_permutation"] < 0.001
    assert main.run(["eval", "report", str(kept)]) == output.OK
    assert capsys.readouterr().out == page.read_text()

    assert main.run([*common, "--floor", floor, "--base", "next"]) == output.DOES_NOT_HOLD
    told = capsys.readouterr().out
    assert "live - next, over 30 queries" in told
    assert "live: RR 0.6667 is below the floor 0.9" in told
    assert "next: RR 1.0000 holds the floor 0.9" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--variant", "a", "--variant", "a"), "named twice"),
        (("--variant", "a", "--variant", "b", "--run-file", "x.run"), "{variant}"),
        (("--run", "nowhere.run"), "cannot be read"),
        (("--floor", "nowhere.json"), "cannot be read"),
    ],
)
def test_bad_usage(
    write: Write, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    judged = write("rain.csv", CSV)
    assert main.run(["eval", "run", "--set", judged, *arguments]) == output.BAD_USAGE
    assert words in capsys.readouterr().err


def test_an_unknown_base_and_a_file_that_is_no_result(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = write("rain.csv", CSV)
    live = write("live.run", "".join(written(of_rankings("live", WRONG), "live")))
    command = ["eval", "run", "--set", judged, "--run", live, "--base", "next"]
    assert main.run(command) == output.BAD_USAGE
    assert "--base next is none" in capsys.readouterr().err
    assert main.run(["eval", "report", judged]) == output.BAD_USAGE
    assert "is no result" in capsys.readouterr().err
