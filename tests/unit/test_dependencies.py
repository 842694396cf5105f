"""What the code imports is declared, what is declared is locked, and the locks name no registry."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["setuptools"]["packages"]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-spark.lock")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[\[<>=;~ ]", text, maxsplit=1)[0]) for text in requirements}


RUN = declared(PROJECT["project"]["dependencies"])
DEVELOP = declared(PROJECT["project"]["optional-dependencies"]["dev"])
EXTRAS = declared(PROJECT["project"]["optional-dependencies"]["s3"])
SPARK = declared(PROJECT["project"]["optional-dependencies"]["spark"])
PEERS = declared(PROJECT["project"]["optional-dependencies"]["bench"])
# A benchmark makes an environment of its own for it, and names its version.
APART = {"completype"}


def imported(folder: Path) -> Iterator[tuple[str, Path]]:
    """Top-level names of the libraries that a folder's modules import."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                modules = [node.module]
            for name in {module.partition(".")[0] for module in modules}:
                if name not in sys.stdlib_module_names and name not in {
                    *PACKAGES,
                    "disco_client",
                    "tests",
                }:
                    yield name, path


@cache
def distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


def undeclared(folder: Path, allowed: set[str]) -> list[str]:
    owners = distributions()
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for name, path in imported(folder)
        # What is not installed is called as it is imported.
        if not {normal(owner) for owner in owners.get(name, [name])} & allowed
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("package", PACKAGES)
def test_the_product_imports_what_it_declares(package: str) -> None:
    more = {"benchmarks": PEERS | APART, "core": EXTRAS, "ranker": SPARK}.get(package, set())
    allowed = RUN | more
    assert undeclared(ROOT / package, allowed) == []


@pytest.mark.thorough
def test_the_tests_import_what_is_declared() -> None:
    assert undeclared(ROOT / "tests", RUN | DEVELOP | SPARK) == []


def test_an_import_that_is_not_declared_is_found() -> None:
    assert "core/database.py imports asyncpg" in undeclared(ROOT / "core", RUN - {"asyncpg"})


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_pin_with_hashes_and_name_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^-", text, flags=re.MULTILINE)
    entries = [line for line in text.splitlines() if not line.startswith(" ")]
    assert all(re.fullmatch(r"[a-z0-9.-]+==\S+( ; .*)? \\", line) for line in entries), entries
    wanted = {
        "requirements.lock": RUN | EXTRAS,
        "requirements-dev.lock": RUN | EXTRAS | DEVELOP | PEERS,
        "requirements-spark.lock": SPARK,
    }
    assert wanted[lock] <= {normal(line.partition("==")[0]) for line in entries}
