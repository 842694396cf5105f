"""The command `disco` as a person or a script calls it."""

import asyncio
import subprocess
from dataclasses import dataclass
from typing import Any

import orjson

from core.settings import Settings
from stack.programs import _environment
from tests.integration.indexer.worker_process import DISCO


@dataclass(frozen=True, kw_only=True)
class Completed:
    """How a command ended."""

    code: int  # exit code
    out: str  # standard output
    err: str  # standard error

    def lines(self) -> list[dict[str, Any]]:
        """The output as JSON lines."""
        return [orjson.loads(line) for line in self.out.splitlines()]


async def disco(settings: Settings, *arguments: str, within: float = 120) -> Completed:
    """Run one command to its end."""
    return await asyncio.to_thread(_run, settings, arguments, within)


def _run(settings: Settings, arguments: tuple[str, ...], within: float) -> Completed:
    done = subprocess.run(
        [str(DISCO), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=within,
        env=_environment(settings),
        stdin=subprocess.DEVNULL,
    )
    return Completed(code=done.returncode, out=done.stdout, err=done.stderr)
