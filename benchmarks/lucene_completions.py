"""Lucene's suggesters, each in a process of its own that answers commands; see `lucene/`."""

import json
import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from stack import commands, java
from stack.account import Account
from stack.service import Progress

VERSION: Final = "9.12.3"
ARTIFACT: Final = f"org.apache.lucene:lucene-suggest:{VERSION}"
HARNESS: Final = Path(__file__).with_name("lucene") / "Completions.java"
_HEAP: Final = "3g"
_JARS: Final = "org/apache/lucene/**/*.jar"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is completed from what."""

    keys: Path  # lines key<TAB>weight
    beginnings: Path  # a beginning a line
    limit: int


class Suggester:
    """One of Lucene's suggesters, built."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.built = self._read()  # build_seconds, bytes, keys

    def time_pass(self) -> dict[str, float]:
        """Look every beginning up: lookups_per_second, p50_us, p99_us."""
        self._write("pass")
        return self._read()

    def results(self, file: Path) -> list[list[str]]:
        """The keys that each beginning is completed to."""
        self._write(f"results {file}")
        self._read()
        lines = file.read_text(encoding="utf-8").split("\n")[:-1]
        return [line.split("\t") if line else [] for line in lines]

    def _write(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ChildProcessError(f"Lucene ended with exit code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def fetch(log: Path, progress: Progress) -> Sequence[Path]:
    """Lucene's archives, fetched once a user; raises `stack.errors.CommandError`."""
    repository = commands.cache_folder() / f"lucene-{VERSION}"
    complete = repository / "complete"
    with commands.machine_lock("lucene"):
        if not complete.exists():
            commands.run_long(
                [
                    "mvn", "--quiet", "--no-transfer-progress", "--batch-mode",
                    f"-Dmaven.repo.local={repository}", "dependency:get",
                    f"-Dartifact={ARTIFACT}",
                ],
                label=f"fetching Lucene {VERSION} (once)",
                log=log,
                progress=progress,
            )  # fmt: skip
            complete.touch()
    return sorted(repository.glob(_JARS))


@contextmanager
def suggester(name: str, job: Job, jars: Sequence[Path]) -> Iterator[Suggester]:
    """A suggester, `wfst`, `analyzing`, `fuzzy` or others, built from the keys of the job."""
    home = java.find(_myself())
    with TemporaryDirectory() as folder:
        command = [
            *(str(home / "bin" / "java"), f"-Xmx{_HEAP}", "-cp", ":".join(map(str, jars))),
            *(str(HARNESS), name, str(job.keys), str(job.beginnings), str(job.limit), folder),
        ]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        ) as process:
            try:
                yield Suggester(process)
            finally:
                process.kill()


def _myself() -> Account:
    user = pwd.getpwuid(os.geteuid())
    return Account(name=user.pw_name, uid=user.pw_uid, gid=user.pw_gid, switch=False)
