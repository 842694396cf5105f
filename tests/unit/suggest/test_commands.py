"""`disco suggest`, as front ends' scripts and operators use it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from cli import main, output
from suggest.engine import Engine
from suggest.kernel.compilation import COMPILED

DISCO = Path(sys.executable).with_name("disco")
PATIENCE = 120  # seconds; the kernel may have to be compiled
NAMES = "John Travolta\t900\tuser\t7\t/john\nTravis Scott\t700\tuser\t8\nКино\t300\tsound\t/kino\n"  # noqa: RUF001 - three scripts


class Done(NamedTuple):
    """A command that has ended."""

    returncode: int
    stdout: bytes
    stderr: bytes


Query = Callable[..., Done]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suggest")
    (folder / "names.tsv").write_text(NAMES)
    path = folder / "names.snapshot"
    assert (
        main.run(["suggest", "build", "--from", str(folder / "names.tsv"), "--output", str(path)])
        == output.OK
    )
    return path


@pytest.fixture
def query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Query:
    """`disco suggest query` in this process: to start one takes much longer than to answer."""

    def call(snapshot: Path, *arguments: str, typed: bytes = b"") -> Done:
        (tmp_path / "typed").write_bytes(typed)
        with (tmp_path / "typed").open() as standard_input:
            monkeypatch.setattr(sys, "stdin", standard_input)
            code = _code_of(["suggest", "query", str(snapshot), *arguments])
        return Done(code, *capfdbinary.readouterr())

    return call


def _code_of(arguments: list[str]) -> int:
    try:
        return main.run(arguments)
    except SystemExit as ended:
        return int(ended.code or output.OK)


def texts(line: bytes) -> list[str]:
    return [one["text"] for one in json.loads(line)["completions"]]


def test_beginnings_from_the_arguments(query: Query, snapshot: Path) -> None:
    done = query(snapshot, "trav", "jhon", "kino", "--json")
    assert done.returncode == output.OK
    first, second, third = done.stdout.splitlines()
    assert json.loads(first) == {
        "completions": [
            {
                "type": "user",
                "id": "8",
                "text": "Travis Scott",
                "highlight": [[0, 4]],
                "permalink": None,
                "corrected": False,
            },
            {
                "type": "user",
                "id": "7",
                "text": "John Travolta",
                "highlight": [[5, 9]],
                "permalink": "/john",
                "corrected": False,
            },
        ],
        "snapshot": json.loads(first)["snapshot"],
    }
    assert texts(second) == ["John Travolta"]
    assert texts(third) == ["Кино"]


def test_limit_type_and_no_fuzzy(query: Query, snapshot: Path) -> None:
    assert texts(query(snapshot, "trav", "--limit", "1").stdout) == ["Travis Scott"]
    assert texts(query(snapshot, "kino", "--type", "user").stdout) == []
    assert texts(query(snapshot, "kino", "--type", "user", "--type", "sound").stdout) == ["Кино"]
    assert texts(query(snapshot, "jhon", "--no-fuzzy").stdout) == []


def test_beginnings_from_standard_input_one_a_line(query: Query, snapshot: Path) -> None:
    done = query(snapshot, typed="trav\r\n\nкин\n".encode() + b"john")
    assert done.returncode == output.OK
    assert [texts(line) for line in done.stdout.splitlines()] == [
        ["Travis Scott", "John Travolta"],
        [],
        ["Кино"],
        ["John Travolta"],
    ]


def test_a_line_that_is_no_text_is_named_and_the_others_are_answered(
    query: Query, snapshot: Path
) -> None:
    done = query(snapshot, typed=b"john\n\xff\xfe\nkino\n")
    assert done.returncode == output.BAD_USAGE
    assert "line 2 is not UTF-8" in done.stderr.decode()
    assert [texts(line) for line in done.stdout.splitlines()] == [["John Travolta"], [], ["Кино"]]


@contextmanager
def conversation(snapshot: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [str(DISCO), "suggest", "query", str(snapshot)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.thorough
def test_each_line_is_answered_before_the_next_is_written(snapshot: Path) -> None:
    with conversation(snapshot) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for typed, wanted in ((b"kin", "Кино"), (b"jo", "John Travolta")):
            process.stdin.write(typed + b"\n")
            process.stdin.flush()
            assert texts(process.stdout.readline()) == [wanted]
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def test_a_long_stream_keeps_its_order(query: Query, snapshot: Path) -> None:
    typed = [b"kin", b"trav", b"", b"nothing of the kind"] * 5_000
    lines = query(snapshot, typed=b"\n".join(typed)).stdout.splitlines()
    assert len(lines) == len(typed)
    assert [len(texts(line)) for line in lines] == [1, 2, 0, 0] * 5_000


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--limit", "-1"], "-1 is not in the range"),
        (["--type", "planet"], "has no type planet; its types: sound, user"),
    ],
)
def test_bad_usage(query: Query, snapshot: Path, arguments: list[str], problem: str) -> None:
    done = query(snapshot, "a", *arguments)
    assert done.returncode == output.BAD_USAGE
    assert problem in done.stderr.decode()


def test_a_foreign_file_is_refused(query: Query, snapshot: Path) -> None:
    done = query(snapshot.with_name("names.tsv"), "a")
    assert done.returncode == output.BAD_USAGE
    assert "names.tsv is no snapshot" in done.stderr.decode()


def test_a_dry_run_tells_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "names.tsv").write_text(NAMES)
    target = tmp_path / "names.snapshot"
    arguments = ["--from", str(tmp_path / "names.tsv"), "--output", str(target), "--dry-run"]
    assert main.run(["suggest", "build", *arguments, "--json"]) == output.OK
    told = json.loads(capsys.readouterr().out)
    assert told["facts"]["types"] == {"sound": 1, "user": 2}
    assert told["samples"][0] == {"typed": "joh", "texts": ["John Travolta"], "before": []}
    assert not target.exists()
    assert main.run(["suggest", "build", *arguments]) == output.OK
    assert "nothing was written" in capsys.readouterr().out
    assert main.run(["suggest", "build", *arguments[:-1], "--json"]) == output.OK
    assert json.loads(capsys.readouterr().out)["size"] == target.stat().st_size


def test_a_bad_line_ends_the_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "names.tsv").write_text("Ana\t1\nBad\n")
    arguments = ["--from", str(tmp_path / "names.tsv"), "--output", str(tmp_path / "x")]
    assert main.run(["suggest", "build", *arguments]) == output.BAD_USAGE
    assert "names.tsv, line 2: 1 columns" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_build_needs_a_target(tmp_path: Path) -> None:
    (tmp_path / "names.tsv").write_text(NAMES)
    assert main.run(["suggest", "build", "--from", str(tmp_path / "names.tsv")]) == output.BAD_USAGE


def test_a_file_has_its_weights_and_takes_no_ranks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "names.tsv").write_text(NAMES)
    arguments = ["--from", str(tmp_path / "names.tsv"), "--ranks", "none", "--dry-run"]
    assert main.run(["suggest", "build", *arguments]) == output.BAD_USAGE
    assert "--ranks belongs to the database" in capsys.readouterr().err


def test_plain_python_gives_the_same_answers(snapshot: Path) -> None:
    assert COMPILED
    typed = "trav\ntravolta jo\njhon\nkino\nкно\nscot\ntravis sctto"  # noqa: RUF001
    compiled = b"".join(Engine.open(snapshot).answer_lines(typed.split("\n")))
    plain = subprocess.run(
        [str(DISCO), "suggest", "query", str(snapshot)],
        input=typed.encode(),
        capture_output=True,
        timeout=PATIENCE,
        check=True,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    ).stdout
    assert compiled == plain
    assert compiled.count(b'"text"') >= 7


@pytest.mark.thorough
def test_a_few_beginnings_are_answered_without_numba(snapshot: Path) -> None:
    """Importing it takes several times as long as all the rest."""
    program = (
        "import sys; from cli import main, output\n"
        "try: main.run(sys.argv[1:])\n"
        "except SystemExit as ended: assert ended.code == output.OK\n"
        "print('numba' in sys.modules, 'asyncpg' in sys.modules)"
    )
    answer, imported = subprocess.run(
        [sys.executable, "-c", program, "suggest", "query", str(snapshot), "jhon"],
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    ).stdout.splitlines()
    assert texts(answer) == ["John Travolta"]
    assert imported == b"False False"
