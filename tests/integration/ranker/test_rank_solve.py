"""`disco rank solve` as a user types it: no service runs."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EDGES = "ana\tbo\t3\nbo\tana\t1\nana\tcy\t1\ncy\tdi\t0.5\n"


def disco(*arguments: str, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "rank", "solve", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def edges(tmp_path: Path) -> str:
    path = tmp_path / "edges.tsv"
    path.write_text(EDGES)
    return str(path)


def scores(text: str) -> dict[str, float]:
    return {one: float(score) for one, score in (line.split("\t") for line in text.splitlines())}


def test_scores_go_to_standard_output_by_falling_score(edges: str) -> None:
    done = disco(edges)
    assert done.returncode == 0
    found = scores(done.stdout)
    assert sorted(found, key=lambda one: -found[one]) == list(found)
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-14)
    assert set(found) == {"ana", "bo", "cy", "di"}
    assert "4 nodes, 4 edges" in done.stderr


def test_standard_input_is_read(edges: str) -> None:
    assert disco("-", stdin=EDGES).stdout == disco(edges).stdout


def test_output_goes_to_a_file(edges: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.tsv"
    done = disco(edges, "--output", str(path))
    assert (done.returncode, done.stdout) == (0, "")
    assert path.read_text() == disco(edges).stdout


def test_options_change_what_is_calculated(edges: str) -> None:
    plain, others, damped = (
        scores(disco(edges, *options).stdout)
        for options in ([], ["--dangling", "others"], ["--damping", "0.5"])
    )
    assert plain["di"] > others["di"]
    assert damped["ana"] != pytest.approx(plain["ana"], abs=1e-3)


def test_a_prior_is_the_start(edges: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.tsv"
    disco(edges, "--output", str(path), "--tolerance", "1e-12")
    cold = json.loads(disco(edges, "--json").stdout)
    warm = json.loads(disco(edges, "--prior", str(path), "--json").stdout)
    assert cold["known_to_prior"] is None
    assert warm["known_to_prior"] == 4
    assert warm["iterations"] < cold["iterations"]


def test_surfers_can_jump_to_some_nodes_only(edges: str, tmp_path: Path) -> None:
    path = tmp_path / "fresh.tsv"
    path.write_text("cy\t1\n")
    found = scores(disco(edges, "--teleport", str(path)).stdout)
    assert found["ana"] == 0.0
    assert found["cy"] > found["di"] > 0.0


def test_json_says_how_it_went(edges: str) -> None:
    found = json.loads(disco(edges, "--json").stdout)
    assert found["nodes"] == 4
    assert found["edges"] == found["rows"] == 4
    assert found["dangling_nodes"] == 1
    assert len(found["residuals"]) == found["iterations"]
    assert found["error_bound"] <= 1e-9
    assert [one["id"] for one in found["scores"]] == list(scores(disco(edges).stdout))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--damping", "1"], "damping 1.0 must be at least 0 and below 1"),
        (["--tolerance", "0"], "tolerance 0.0 must be above 0"),
        (["--prior", "missing.tsv"], "missing.tsv: cannot be read"),
        (["--output", "/nowhere/scores.tsv"], "there is no folder /nowhere"),
        (["--dangling", "nowhere"], "'nowhere' is not one of"),
    ],
)
def test_bad_usage_exits_2_and_prints_no_scores(
    edges: str, arguments: list[str], problem: str
) -> None:
    done = disco(edges, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_lines_exit_2_and_name_the_line() -> None:
    done = disco("-", stdin="a\tb\t1\nb\tc\t-1\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert "standard input, line 2: the weight is -1" in done.stderr


def test_too_few_iterations_exit_1_and_write_nothing(edges: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.tsv"
    done = disco(edges, "--max-iterations", "2", "--output", str(path))
    assert done.returncode == 1
    assert "raise the number of iterations" in done.stderr
    assert not path.exists()


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "many.tsv"
    path.write_text("".join(f"{node}\t{node // 2}\n" for node in range(100_000)))
    command = f"{sys.executable} -m cli.main rank solve {path} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert done.stdout.startswith("0\t")
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


def test_a_killed_run_leaves_what_was_there(tmp_path: Path) -> None:
    """Killed at whatever it does when its first 20,000 lines have been asked for."""
    path, pipe = tmp_path / "scores.tsv", tmp_path / "edges"
    path.write_text("old")
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "cli.main", "rank", "solve", str(pipe), "--output", str(path)]
    with subprocess.Popen(command) as process, pipe.open("w") as writer:
        writer.write("".join(f"{node}\t{node // 2}\n" for node in range(20_000)))
        writer.flush()
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
    assert path.read_text() == "old"


def test_a_large_graph_goes_through_the_compiled_kernels(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    sources, targets = rng.integers(0, 30_000, (2, 250_000)) ** 2 // 30_000
    path = tmp_path / "edges.tsv"
    np.savetxt(path, np.stack([sources, targets], axis=1), fmt="%d", delimiter="\t")
    relaxed = json.loads(disco(str(path), "--json").stdout)
    stepped = json.loads(disco(str(path), "--json", "--deterministic").stdout)
    assert (relaxed["method"], stepped["method"]) == ("gauss-seidel", "jacobi")
    assert relaxed["iterations"] < stepped["iterations"]
    one, other = (
        {node["id"]: node["score"] for node in found["scores"]} for found in (relaxed, stepped)
    )
    assert sum(abs(one[node] - other[node]) for node in one) <= 2e-9
    again = json.loads(disco(str(path), "--json", "--deterministic").stdout)
    assert again["scores"] == stepped["scores"]


def test_without_numba_the_same_comes_out(tmp_path: Path) -> None:
    """A numba that cannot be imported: everything goes through NumPy and SciPy."""
    rng = np.random.default_rng(3)
    edges = rng.integers(0, 3_000, (250_000, 2)) ** 2 // 3_000
    path = tmp_path / "edges.tsv"
    np.savetxt(path, edges, fmt="%d", delimiter="\t")
    without = "import sys; sys.modules['numba'] = None; from cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", without, "rank", "solve", str(path), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    plain, compiled = json.loads(done.stdout), json.loads(disco(str(path), "--json").stdout)
    assert (plain["method"], compiled["method"]) == ("power", "gauss-seidel")
    one, other = (
        {node["id"]: node["score"] for node in found["scores"]} for found in (plain, compiled)
    )
    assert sum(abs(one[node] - other[node]) for node in one) <= 2e-9
