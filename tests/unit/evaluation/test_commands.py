import io
import json
import sys
from collections.abc import Callable

import pytest

from cli import main, output

Write = Callable[[str, str | bytes], str]

QRELS = "b 0 d1 1\nb 0 d2 0\na 0 d1 2\nc 0 d1 1\n"
RUN = "a Q0 d1 1 2 t\na Q0 x 2 1 t\nb Q0 d2 1 2 t\nb Q0 d1 2 1 t\nz Q0 d1 1 1 t\n"


def run(*arguments: str) -> int:
    return main.run(["eval", "score", *arguments])


def test_it_prints_what_trec_eval_prints(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(write("qrels", QRELS), write("run", RUN), "--measures", "RR,NumRel") == output.OK
    told = capsys.readouterr()
    assert told.out == "RR\tall\t0.7500\nNumRel\tall\t2\n"
    assert told.err == (
        "queries with judgments, but without results: 1 do not count; --complete counts them "
        "as 0\nqueries without judgments: 1 do not count\n"
    )


def test_queries_come_before_all_in_the_order_of_the_judgments(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write("qrels", QRELS), write("run", RUN)
    assert run(*files, "--measures", "RR", "--per-query", "--complete") == output.OK
    told = capsys.readouterr()
    assert told.out == "RR\tb\t0.5000\nRR\ta\t1.0000\nRR\tc\t0.0000\nRR\tall\t0.5000\n"
    assert "without results: 1 count as 0\n" in told.err


def test_json_is_one_document(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    files = write("qrels", QRELS), write("run", RUN)
    counts = {
        "queries": 2,
        "missing_queries": 1,
        "unjudged_queries": 1,
        "judgments": 4,
        "results": 5,
        "complete": False,
    }
    assert run(*files, "--measures", "RR", "--json") == output.OK
    told = capsys.readouterr()
    assert json.loads(told.out) == {"measures": {"RR": 0.75}, "counts": counts}
    assert told.err == ""
    assert run(*files, "--measures", "RR", "--json", "--per-query") == output.OK
    assert json.loads(capsys.readouterr().out) == {
        "measures": {"RR": 0.75},
        "queries": {"b": {"RR": 0.5}, "a": {"RR": 1.0}},
        "counts": counts,
    }


def test_the_measures_that_nobody_names(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(write("qrels", QRELS), write("run", RUN)) == output.OK
    names = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["nDCG@10", "P@10", "R@50", "AP", "RR", "ERR@10", "Judged@10"]


@pytest.mark.parametrize("piped", ["qrels", "run"])
def test_one_of_the_files_may_be_standard_input(
    write: Write, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, piped: str
) -> None:
    contents = {"qrels": QRELS, "run": RUN}
    stdin = io.TextIOWrapper(io.BytesIO(contents[piped].encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    paths = ["-" if name == piped else write(name, text) for name, text in contents.items()]
    assert run(*paths, "--measures", "RR") == output.OK
    assert capsys.readouterr().out == "RR\tall\t0.7500\n"


@pytest.mark.parametrize(
    ("contents", "more", "problem"),
    [
        ((QRELS, "a Q0 d1 1 nan t\n"), (), "run, line 1: the score is 'nan'"),
        (("a 0 d1 1\na 0 d1\n", RUN), (), "qrels, line 2: 'a 0 d1' has 3 columns"),
        ((QRELS, RUN), ("--measures", "nDGC@10"), "did you mean nDCG"),
        (("y 0 d 1\n", RUN), (), "give files with the same ids of queries"),
    ],
)
def test_what_is_wrong_is_bad_usage(
    write: Write,
    capsys: pytest.CaptureFixture[str],
    contents: tuple[str, str],
    more: tuple[str, ...],
    problem: str,
) -> None:
    assert run(write("qrels", contents[0]), write("run", contents[1]), *more) == output.BAD_USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("disco: ")
    assert problem in told.err


def test_standard_input_cannot_be_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-", "-") == output.BAD_USAGE
    assert "standard input: can be one file only" in capsys.readouterr().err


def test_two_runs_are_compared(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    better = write("better", RUN.replace("b Q0 d1 2 1", "b Q0 d1 2 3") + "c Q0 d1 1 1 t\n")
    files = write("qrels", QRELS), write("run", RUN), "--compare", better
    assert run(*files, "--measures", "RR", "--per-query") == output.OK
    told = capsys.readouterr()
    header, *rows = (line.split("\t") for line in told.out.splitlines())
    assert header[:5] == ["measure", "query", "first", "second", "difference"]
    assert rows[:2] == [
        ["RR", "b", "0.5000", "1.0000", "0.5000"],
        ["RR", "a", "1.0000", "1.0000", "0.0000"],
    ]
    assert dict(zip(header, rows[2], strict=True)) == {
        "measure": "RR",
        "query": "all",
        "first": "0.7500",
        "second": "1.0000",
        "difference": "0.2500",
        "low": "0.0000",
        "high": "0.5000",
        "p_permutation": "1.0000",
        "p_bootstrap": rows[2][-1],
    }
    assert told.err == "compared over 2 queries; 1 more in the second only\n"
    assert run(*files, "--measures", "RR", "--json", "--complete") == output.OK
    document = json.loads(capsys.readouterr().out)
    assert document["measures"]["RR"]["difference"] == pytest.approx(0.5)
    assert document["counts"]["queries"] == 3
    assert document["counts"]["first"]["missing_queries"] == 1
    assert (document["seed"], "queries" in document) == (1, False)
